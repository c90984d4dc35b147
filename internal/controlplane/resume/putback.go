package resume

import (
	"sync"

	"k8s.io/apimachinery/pkg/watch"
)

// putBack is the watch as it was before the event was taken from it.
func putBack(first watch.Event, rest watch.Interface) watch.Interface {
	w := &restored{rest: rest, out: make(chan watch.Event, 1), stopped: make(chan struct{})}
	w.out <- first
	go w.forward()

	return w
}

type restored struct {
	rest    watch.Interface
	out     chan watch.Event
	stop    sync.Once
	stopped chan struct{}
}

// forward ends when the rest ends or nobody listens any more.
func (w *restored) forward() {
	defer close(w.out)
	for e := range w.rest.ResultChan() {
		select {
		case w.out <- e:
		case <-w.stopped:
			return
		}
	}
}

// ResultChan implements watch.Interface.
func (w *restored) ResultChan() <-chan watch.Event { return w.out }

// Stop implements watch.Interface.
func (w *restored) Stop() {
	w.stop.Do(func() {
		close(w.stopped)
		w.rest.Stop()
	})
}
