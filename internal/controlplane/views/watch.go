package views

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/util/flowcontrol"
)

const (
	// bookmarkPeriod is how often a watch in which nothing happens is told how far it is.
	bookmarkPeriod = time.Minute
	// patience is how long a watcher may take to take one event before it is ended.
	patience = 30 * time.Second
	// watchBuffer is how many events are ready for who watches.
	watchBuffer = 64
)

// watcher follows the log of a shelf at its own pace.
type watcher struct {
	kind      *kind
	namespace string
	match     func(*row) bool
	bookmarks bool

	at      uint64 // What has been told of.
	results chan watch.Event
	stopped chan struct{}
	once    sync.Once
}

var _ watch.Interface = (*watcher)(nil)

// start makes a watch that begins with some objects, ends them with a bookmark when told to, and goes on from a version.
func start(ctx context.Context, w *watcher, initial []*row, mark bool) *watcher {
	w.results, w.stopped = make(chan watch.Event, watchBuffer), make(chan struct{})
	go w.run(ctx, initial, mark)

	return w
}

// Stop implements watch.Interface.
func (w *watcher) Stop() { w.once.Do(func() { close(w.stopped) }) }

// ResultChan implements watch.Interface.
func (w *watcher) ResultChan() <-chan watch.Event { return w.results }

func (w *watcher) run(ctx context.Context, initial []*row, mark bool) {
	defer close(w.results)

	for _, r := range initial {
		if !w.send(ctx, watch.Event{Type: watch.Added, Object: w.kind.copied(r)}) {
			return
		}
	}
	if mark && !w.bookmark(ctx, true) {
		return
	}
	// From here on it only waits. Without a word it would keep its seat among the requests that are served at a time for as long
	// as somebody watches, and a few dozen watches of one tenant would leave none to the others.
	flowcontrol.WatchInitialized(ctx)

	idle := time.NewTicker(bookmarkPeriod)
	defer idle.Stop()

	for {
		log, now, more, err := w.kind.shelf.since(w.at)
		if err != nil {
			w.fail(ctx, err)
			return
		}
		for _, c := range log {
			if e, ok := w.event(c); ok && !w.send(ctx, e) {
				return
			}
		}
		w.at = now

		select {
		case <-ctx.Done():
			return
		case <-w.stopped:
			return
		case <-more:
		case <-idle.C:
			if w.bookmarks && !w.bookmark(ctx, false) {
				return
			}
		}
	}
}

// event is what a change is to who sees only a part of the objects. One that is no longer in the part is gone.
func (w *watcher) event(c change) (watch.Event, bool) {
	was, is := w.sees(c.before), w.sees(c.after)
	switch {
	case was && is:
		return watch.Event{Type: watch.Modified, Object: w.kind.copied(c.after)}, true
	case is:
		return watch.Event{Type: watch.Added, Object: w.kind.copied(c.after)}, true
	case was:
		gone := w.kind.copied(c.before)
		setVersion(gone, c.version)

		return watch.Event{Type: watch.Deleted, Object: gone}, true
	default:
		return watch.Event{}, false
	}
}

func (w *watcher) sees(r *row) bool {
	return r != nil && (w.namespace == "" || r.namespace == w.namespace) && w.match(r)
}

func (w *watcher) bookmark(ctx context.Context, initial bool) bool {
	return w.send(ctx, watch.Event{Type: watch.Bookmark, Object: annotated(w.kind.empty(), w.at, initial)})
}

// send is false when nobody takes the event.
func (w *watcher) send(ctx context.Context, e watch.Event) bool {
	select {
	case w.results <- e:
		return true
	default:
	}

	slow := time.NewTimer(patience)
	defer slow.Stop()

	select {
	case w.results <- e:
		return true
	case <-slow.C:
		return false
	case <-ctx.Done():
		return false
	case <-w.stopped:
		return false
	}
}

// fail tells why the watch ends.
func (w *watcher) fail(ctx context.Context, err error) {
	w.send(ctx, failure(err))
}

func failure(err error) watch.Event {
	status := apierrors.NewInternalError(err).Status()
	if known, ok := err.(apierrors.APIStatus); ok { //nolint:errorlint // It is ours, and not wrapped.
		status = known.Status()
	}

	return watch.Event{Type: watch.Error, Object: &status}
}

// refused is a watch that tells why there is none, as Kubernetes does it: inside of the answer.
func refused(err error) watch.Interface {
	w := &watcher{results: make(chan watch.Event, 1), stopped: make(chan struct{})}
	w.results <- failure(err)
	close(w.results)

	return w
}
