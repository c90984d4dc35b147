package receiver

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// pen writes hints down, and fails as often as it is told to.
type pen struct {
	mu    sync.Mutex
	begun time.Time
	// at is when each write of a GitSync came, after the start.
	at    map[string][]time.Duration
	fails map[string][]error
	takes time.Duration
}

func (p *pen) write(ctx context.Context, key types.NamespacedName) error {
	p.mu.Lock()
	p.at[key.Name] = append(p.at[key.Name], time.Since(p.begun))

	var err error
	if fails := p.fails[key.Name]; len(fails) > 0 {
		err, p.fails[key.Name] = fails[0], fails[1:]
	}
	p.mu.Unlock()

	select {
	case <-time.After(p.takes):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inBubble runs Hints under fake time, and stops them.
func inBubble(t *testing.T, f func(h *Hints, p *pen, stop func())) {
	t.Helper()

	synctest.Test(t, func(t *testing.T) {
		p := &pen{begun: time.Now(), at: map[string][]time.Duration{}, fails: map[string][]error{}}
		h := NewHints(p.write, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})

		go func() {
			defer close(done)

			_ = h.Start(ctx)
		}()

		stop := sync.OnceFunc(func() {
			cancel()
			<-done
		})
		defer stop()

		f(h, p, stop)
	})
}

// pass lets time pass, and all that happens then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "acme", Name: name}
}

func TestHintIsWrittenAtOnce(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		h.Tell(key("web"))
		h.Tell(key("api"))
		synctest.Wait()

		if diff := cmp.Diff(map[string][]time.Duration{"web": {0}, "api": {0}}, p.at); diff != "" {
			t.Error(diff)
		}

		pass(time.Hour)

		if len(p.at["web"]) != 1 || len(h.again) != 0 {
			t.Errorf("at rest it was written at %v, and %d are remembered", p.at["web"], len(h.again))
		}
	})
}

// TestFloodOfHints: a hundred a second for ten seconds are one write each two seconds, and one after the last.
func TestFloodOfHints(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		for range 1000 {
			h.Tell(key("web"))
			pass(10 * time.Millisecond)
		}

		pass(time.Minute)

		want := []time.Duration{0, 2 * time.Second, 4 * time.Second, 6 * time.Second, 8 * time.Second, 10 * time.Second}
		if diff := cmp.Diff(want, p.at["web"]); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHintDuringAWrite: what was pushed after a write began may not be seen by whoever acts on it.
func TestHintDuringAWrite(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		p.takes = time.Second

		h.Tell(key("web"))
		pass(500 * time.Millisecond)
		h.Tell(key("web"))
		pass(time.Minute)

		if diff := cmp.Diff([]time.Duration{0, 3 * time.Second}, p.at["web"]); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFailedWrites: a hint is written when the API can be written again, and nobody else waits for that.
func TestFailedWrites(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		away := errors.New("etcd is away")
		p.fails["web"] = []error{away, away, away}

		h.Tell(key("web"))
		h.Tell(key("api"))
		pass(time.Hour)

		want := map[string][]time.Duration{
			"web": {0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond}, "api": {0},
		}
		if diff := cmp.Diff(want, p.at); diff != "" || len(h.again) != 0 {
			t.Errorf("%d are remembered\n%s", len(h.again), diff)
		}
	})
}

// TestHungWrites: so many that nobody else is written would be too many; each ends by itself.
func TestHungWrites(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		p.takes = time.Hour
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
			h.Tell(key(name))
		}

		pass(writeTimeout + time.Second)

		if len(p.at) != 9 {
			t.Errorf("%d of 9 were tried", len(p.at))
		}

		p.mu.Lock()
		p.takes = 0
		p.mu.Unlock()
		pass(time.Minute)

		if len(h.again) != 0 {
			t.Errorf("%d are remembered", len(h.again))
		}
	})
}

// TestGone: a GitSync that was deleted is told nothing more.
func TestGone(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, _ func()) {
		p.fails["web"] = []error{apierrors.NewNotFound(schema.GroupResource{}, "web")}

		h.Tell(key("web"))
		pass(time.Hour)

		if len(p.at["web"]) != 1 || len(h.again) != 0 {
			t.Errorf("it was written at %v", p.at["web"])
		}
	})
}

// TestLastWrites: what was taken before the server stops is written, and what comes after that is not.
func TestLastWrites(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, stop func()) {
		h.Tell(key("web"))
		synctest.Wait()
		h.Tell(key("web"))
		pass(time.Second)
		stop()

		if h.Tell(key("api")) {
			t.Error("a hint is taken that nobody will write")
		}

		synctest.Wait()

		if diff := cmp.Diff(map[string][]time.Duration{"web": {0, time.Second}}, p.at); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStopWithoutAStore: a server whose store is gone stops all the same.
func TestStopWithoutAStore(t *testing.T) {
	inBubble(t, func(h *Hints, p *pen, stop func()) {
		p.takes = time.Hour

		h.Tell(key("web"))
		pass(writeTimeout + firstPause/2)

		begun := time.Now()

		stop()

		if took := time.Since(begun); took > lastWrites {
			t.Errorf("stopping took %s", took)
		}
	})
}
