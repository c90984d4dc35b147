package gitsync

import (
	"slices"
	"time"
)

// HistoryLimit is how many results are remembered.
const HistoryLimit = 5

// Result is what became of one revision. It is remembered once, however often it is seen.
type Result struct {
	// Revision that was built: main@sha1:<hash>.
	Revision string
	// Reason is how it ended, in one word: that of the Ready condition.
	Reason string
	// Message says it in a sentence. It holds no times and no counters.
	Message string
	// Time of the first of the visits that ended so, and how long that one took.
	Time     time.Time
	Duration time.Duration
	// Created, Configured and Deleted count the objects that the visit changed.
	Created    int
	Configured int
	Deleted    int
}

// changes is whether the visit changed anything.
func (r Result) changes() bool { return r.Created+r.Configured+r.Deleted > 0 }

// Remember puts a result in front of those before, the newest first, and forgets what is too old. A result like the newest
// that has changed nothing is not remembered again; history is returned as it is then, and false. history itself is never
// changed.
func Remember(history []Result, r Result) ([]Result, bool) {
	if len(history) > 0 && !r.changes() && same(history[0], r) {
		return history, false
	}

	out := slices.Concat([]Result{r}, history)

	return out[:min(len(out), HistoryLimit)], true
}

func same(a, b Result) bool {
	return a.Revision == b.Revision && a.Reason == b.Reason && a.Message == b.Message
}
