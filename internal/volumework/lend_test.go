package volumework_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// dumping is a save for a tenant whose hook before reading lasts for half an hour, as lasting has it.
func dumping(tenant, owner string) *volumejob.Order {
	o := plain(tenant, owner)
	o.Quiet = save().Quiet
	o.Quiet.Pre = &volumejob.Hook{Command: []string{"dump"}, Timeout: time.Hour}

	return o
}

// plain is a save without hooks.
func plain(tenant, owner string) *volumejob.Order {
	o := save()
	o.Owner, o.Namespace, o.Operation = owner, tenant, "snapshot/"+owner+"/1"
	o.Archive.Name, o.Archive.Namespace, o.Quiet = fmt.Sprintf("%s/data/%s.age", tenant, owner), tenant, volumejob.Quiet{}

	return o
}

const dumpTakes = 30 * time.Minute

// lasting has dumps last, and the first put for so long.
func (w *world) lasting(put time.Duration) {
	w.mu.Lock()
	w.exit["dump"] = 0
	w.mu.Unlock()
	var puts atomic.Int32
	w.script(func(_ int, call string) error {
		switch {
		case strings.HasPrefix(call, "hook dump"):
			time.Sleep(dumpTakes)
		case call == "put" && puts.Add(1) == 1:
			time.Sleep(put)
		}

		return nil
	})
}

func oneAtATime(o *volumework.Options) {
	o.Limits.Background, o.Limits.TenantAway = 1, 1
}

func (w *world) began(owner string) bool {
	w.t.Helper()
	j, is := w.worker.Job(owner)
	if !is {
		w.t.Fatalf("there is no job of %s", owner)
	}

	return !j.Began.IsZero()
}

// TestHooksThatLast: others do not wait for the command of a tenant, and that one's further commands do.
func TestHooksThatLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		reg := prometheus.NewRegistry()
		w.start(oneAtATime, func(o *volumework.Options) { o.Registerer = reg })
		w.lasting(0)
		start := time.Now()
		for _, o := range []*volumejob.Order{dumping("acme", "first"), dumping("acme", "second"), plain("acme", "third"), plain("globex", "fourth")} {
			w.worker.Order(*o)
		}
		time.Sleep(59 * time.Second)
		if w.began("second") || w.began("third") || w.began("fourth") {
			t.Error("a hook that may be a quick one has lost its place")
		}

		if j := w.wait("fourth"); j.Err != "" || time.Since(start) > 2*time.Minute {
			t.Errorf("another tenant's is %+v after %s", j, time.Since(start))
		}
		if j := w.wait("third"); j.Err != "" || time.Since(start) > 2*time.Minute {
			t.Errorf("the same tenant's, without hooks, is %+v after %s", j, time.Since(start))
		}
		if lines := shown(t, reg); !slices.Contains(lines, `dogker_volume_jobs{kind="Save",state="hook"} 1`) || !slices.Contains(lines, `dogker_volume_jobs{kind="Save",state="running"} 0`) {
			t.Errorf("it is not told of: %v", lines)
		}
		if w.began("second") {
			t.Error("a tenant has more hooks that last than it may have")
		}
		if j := w.wait("first"); j.Err != "" || time.Since(start) < dumpTakes || time.Since(start) > dumpTakes+time.Minute {
			t.Errorf("the first is %+v after %s", j, time.Since(start))
		}
		if j := w.wait("second"); j.Err != "" || !j.Thawed {
			t.Errorf("the second is %+v", j)
		}
	})
}

// TestBackFromAHook: a hook that has lasted gets its place back before those that have not begun, and nothing is frozen before.
func TestBackFromAHook(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.lasting(dumpTakes)
		w.worker.Order(*dumping("acme", "first"))
		synctest.Wait()
		for i := range 3 {
			w.worker.Order(*plain("globex", fmt.Sprint("other", i)))
		}

		// The first of the others begins after a minute, and ends a minute after the hook.
		time.Sleep(dumpTakes + 30*time.Second)
		if !w.began("other0") || w.began("other1") || w.did("pause") > 0 {
			t.Errorf("others have begun: %v, %v, after %v", w.began("other0"), w.began("other1"), w.calls)
		}
		for _, owner := range []string{"first", "other1", "other2"} {
			if j := w.wait(owner); j.Err != "" {
				t.Errorf("%s: %s", owner, j.Err)
			}
		}
		order := slices.DeleteFunc(slices.Clone(w.calls), func(c string) bool { return c != "put" && c != "pause a" })
		if want := []string{"put", "pause a", "put", "put", "put"}; !slices.Equal(order, want) {
			t.Errorf("it did %v, want %v", order, want)
		}
	})
}

// TestCancelledBackFromAHook: who waits to come back can be ended there, by a cancel or by the end of the process, and takes nobody's place.
func TestCancelledBackFromAHook(t *testing.T) {
	for name, interrupt := range map[string]func(w *world){
		"Cancel": func(w *world) { w.worker.Cancel("first") },
		"Stop":   func(w *world) { w.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.start(oneAtATime)
				w.lasting(dumpTakes)
				w.worker.Order(*dumping("acme", "first"))
				synctest.Wait()
				w.worker.Order(*plain("globex", "other"))
				time.Sleep(dumpTakes + 30*time.Second)

				interrupt(w)
				synctest.Wait()
				if j, _ := w.worker.Job("first"); !j.Ended || j.Err == "" || !j.Thawed {
					t.Errorf("what was interrupted is %+v", j)
				}
				if w.did("pause")+w.did("hook thaw") > 1 || len(w.frozen) > 0 {
					t.Errorf("it went on: %v", w.calls)
				}
				if name == "Stop" {
					return
				}
				if j := w.wait("other"); j.Err != "" {
					t.Error(j.Err)
				}
				w.worker.Order(*plain("globex", "another"))
				if j := w.wait("another"); j.Err != "" {
					t.Error(j.Err)
				}
			})
		})
	}
}

// TestLastHookLasts: a hook after reading keeps nobody waiting either, and what follows it is done all the same.
func TestLastHookLasts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.lasting(0)
		o := dumping("acme", "first")
		o.Quiet.Pre, o.Quiet.Post = nil, o.Quiet.Pre
		w.worker.Order(*o)
		synctest.Wait()
		w.worker.Order(*plain("globex", "other"))
		start := time.Now()
		if j := w.wait("other"); j.Err != "" || time.Since(start) > 2*time.Minute {
			t.Errorf("another tenant's is %+v after %s", j, time.Since(start))
		}
		if j := w.wait("first"); j.Err != "" || !j.Thawed || j.Receipt.SHA256 == "" {
			t.Errorf("the first is %+v", j)
		}
	})
}
