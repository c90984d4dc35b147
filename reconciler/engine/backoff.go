package engine

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 5 * time.Minute
	// retryGrowth takes five tries to the first second: quick enough for a hiccup, slow enough for an outage.
	retryGrowth = 3
	// minInterval between two passes of a failing object, whatever reports changes of it.
	minInterval = time.Second
	// maxSilent is how many write conflicts in a row are nobody's business. More are a fight, and people are told.
	maxSilent = 10
)

// failures remembers the objects whose last pass failed, and when they may be tried again.
type failures struct {
	jitter func() float64

	mu   sync.Mutex
	runs map[types.NamespacedName]*failure
}

// failure is an unbroken run of failed passes.
type failure struct {
	count   int
	subject subject
	last    time.Time
	delay   time.Duration
}

// subject is what a user changes about an object. A new one deserves a try at once.
type subject struct {
	uid        types.UID
	generation int64
	deleting   bool
}

func subjectOf(o Object) subject {
	return subject{uid: o.GetUID(), generation: o.GetGeneration(), deleting: o.GetDeletionTimestamp() != nil}
}

// hold returns for how long an object must not be tried yet; zero when it may be.
func (f *failures) hold(key types.NamespacedName, s subject) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()

	run, ok := f.runs[key]
	if !ok || run.subject != s {
		return 0
	}

	return max(0, min(run.delay, minInterval)-time.Since(run.last))
}

// add counts a failed pass and returns the time until the next try.
func (f *failures) add(key types.NamespacedName, s subject) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()

	run, ok := f.runs[key]
	if !ok || run.subject != s {
		run = &failure{subject: s}

		if f.runs == nil {
			f.runs = map[types.NamespacedName]*failure{}
		}

		f.runs[key] = run
	}

	delay := firstRetry
	for range run.count {
		delay = min(delay*retryGrowth, lastRetry)
	}

	// Up to a fifth is taken away, never added: the longest delay is a promise.
	run.delay = delay - time.Duration(f.jitter()*float64(delay)/5)
	run.count++
	run.last = time.Now()

	return run.delay
}

// silent is true while the run of failures is short enough to say nothing about it.
func (f *failures) silent(key types.NamespacedName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()

	run, ok := f.runs[key]

	return !ok || run.count < maxSilent
}

func (f *failures) forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()

	delete(f.runs, key)
}
