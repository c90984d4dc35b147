//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// watch is a meter that knows nothing of Dogker's: it follows what the engine says of its containers, as it happens.
type watch struct {
	mu    sync.Mutex
	lives map[string]*life
	err   error
}

// life of a container, as its engine has told it.
type life struct {
	service        string
	started, ended time.Time
	// asked is when it got SIGTERM first, and killed is true when it got SIGKILL.
	asked  time.Time
	killed bool
	code   string
}

// watch follows the first node's containers until the test ends.
func (c *cell) watch(t *testing.T) *watch {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })

	w := &watch{lives: map[string]*life{}}
	messages, failed := c.docker().Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)))})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-messages:
				w.note(m)
			case err := <-failed:
				w.fail(err)

				return
			}
		}
	}()

	return w
}

func (w *watch) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *watch) note(m events.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()

	at, said := time.Unix(0, m.TimeNano), m.Actor.Attributes
	l := w.lives[m.Actor.ID]
	if l == nil {
		l = &life{service: said["com.docker.swarm.service.name"]}
		w.lives[m.Actor.ID] = l
	}
	switch m.Action {
	case events.ActionStart:
		l.started = at
	case events.ActionDie:
		l.ended, l.code = at, said["exitCode"]
	case events.ActionKill:
		switch said["signal"] {
		case "15":
			if l.asked.IsZero() {
				l.asked = at
			}
		case "9":
			l.killed = true
		}
	}
}

// of are the lives of a service's containers that were started.
func (w *watch) of(t *testing.T, namespace, name string) []life {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.err != nil && !errors.Is(w.err, context.Canceled) {
		t.Fatalf("the watch has missed something: %v", w.err)
	}
	var all []life
	for _, l := range w.lives {
		if l.service == swarmobj.ServiceName(namespace, name) && !l.started.IsZero() {
			all = append(all, *l)
		}
	}

	return all
}

// drained is an error unless so many containers have ended, each of its own accord, so long after it was asked to.
func (w *watch) drained(t *testing.T, namespace, name string, count int, drain time.Duration) error {
	t.Helper()

	var ended int
	var wrong []string
	for _, l := range w.of(t, namespace, name) {
		if l.ended.IsZero() {
			continue
		}
		ended++
		if l.killed || l.code != "0" || l.asked.IsZero() || l.ended.Sub(l.asked) < drain {
			wrong = append(wrong, fmt.Sprintf("%+v", l))
		}
	}
	if len(wrong) > 0 {
		t.Errorf("containers that could not drain for %v:\n%s", drain, strings.Join(wrong, "\n"))
	}

	return wantf(ended, count, "containers of %q that have ended", name)
}
