package receiver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/logkey"
)

// Write writes a hint where the leader sees it. It is idempotent; an error that says NotFound means that there is nobody to
// be told any more.
type Write func(ctx context.Context, sync types.NamespacedName) error

// Hints writes hints, at most one in two seconds for each GitSync. A hint that comes meanwhile is written when they are over,
// however many come; a write that fails is tried again until it is done or the server stops. It holds a GitSync for as long
// as there is something to write or to wait for, and so at most each one that has a webhook.
type Hints struct {
	write Write
	log   *slog.Logger
	// writing has a place for each write at once.
	writing chan struct{}
	// stopping is closed when the server stops: nothing waits any longer then.
	stopping chan struct{}
	running  sync.WaitGroup

	mu sync.Mutex
	// again says of each GitSync that is taken care of whether a hint has come since its last write began.
	again map[types.NamespacedName]bool
	done  bool
}

// NewHints makes Hints that are written by write.
func NewHints(write Write, log *slog.Logger) *Hints {
	return &Hints{
		write: write, log: log, writing: make(chan struct{}, writesAtOnce), stopping: make(chan struct{}),
		again: map[types.NamespacedName]bool{},
	}
}

// Tell has a hint written, and says whether it will be: when the server stops, none are taken any more. It does not block.
func (h *Hints) Tell(key types.NamespacedName) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.done {
		return false
	}

	_, ok := h.again[key]
	h.again[key] = ok

	if !ok {
		h.running.Go(func() { h.care(key) })
	}

	return true
}

// Start waits until ctx is done, and then until what was told is written, for a short time. It implements manager.Runnable.
func (h *Hints) Start(ctx context.Context) error {
	<-ctx.Done()

	h.mu.Lock()
	h.done = true
	h.mu.Unlock()

	close(h.stopping)
	h.running.Wait()

	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every server receives hints.
func (*Hints) NeedLeaderElection() bool { return false }

// care writes the hints of a GitSync for as long as they come.
func (h *Hints) care(key types.NamespacedName) {
	for pause := firstPause; ; {
		h.begin(key)

		switch err := h.try(key); {
		case err == nil:
			pause = firstPause
			h.wait(writeInterval)
		case apierrors.IsNotFound(err):
			h.forget(key)

			return
		case h.stopped():
			h.log.Error("A hint of a webhook could not be written before the server stopped",
				logkey.Object, key.String(), logkey.Err, err)
			h.forget(key)

			return
		default:
			h.log.Warn("Writing the hint of a webhook failed; it is tried again",
				logkey.Object, key.String(), logkey.After, pause, logkey.Err, err)
			h.repeat(key)
			h.wait(pause)
			pause = min(2*pause, longestPause)
		}

		if h.rest(key) {
			return
		}
	}
}

// try writes once.
func (h *Hints) try(key types.NamespacedName) error {
	h.writing <- struct{}{}
	defer func() { <-h.writing }()

	patience := writeTimeout
	if h.stopped() {
		patience = lastWrites
	}

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	return h.write(ctx, key)
}

// begin notes that hints from now on want another write.
func (h *Hints) begin(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.again[key] = false
}

// repeat notes that a write is still due.
func (h *Hints) repeat(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.again[key] = true
}

// rest forgets a GitSync for which no hint has come meanwhile, and says whether it did.
func (h *Hints) rest(key types.NamespacedName) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.again[key] {
		return false
	}

	delete(h.again, key)

	return true
}

func (h *Hints) forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()

	delete(h.again, key)
}

func (h *Hints) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
	case <-h.stopping:
	}
}

func (h *Hints) stopped() bool {
	select {
	case <-h.stopping:
		return true
	default:
		return false
	}
}
