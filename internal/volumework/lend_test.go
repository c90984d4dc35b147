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
	"github.com/dogker/dogker/reconciler/swarmobj"
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

// TestBackFromAHook: what has prepared an application reads at once, whoever has its place by then, and others wait for it.
func TestBackFromAHook(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.lasting(dumpTakes)
		start := time.Now()
		w.worker.Order(*dumping("acme", "first"))
		synctest.Wait()
		w.worker.Order(*plain("globex", "other"))

		// The other one begins after a minute, and ends a minute after the hook.
		if j := w.wait("first"); j.Err != "" || time.Since(start) >= dumpTakes+time.Minute {
			t.Errorf("the first is %+v after %s", j, time.Since(start))
		}
		if j, _ := w.worker.Job("other"); j.Ended || j.Began.IsZero() {
			t.Errorf("the other is %+v", j)
		}
		w.worker.Order(*plain("globex", "another"))
		if w.began("another") {
			t.Error("two run where one may")
		}
		for _, owner := range []string{"other", "another"} {
			if j := w.wait(owner); j.Err != "" {
				t.Errorf("%s: %s", owner, j.Err)
			}
		}
	})
}

// TestFailedAfterLong: a hook that fails after long tells so at once, and what it has done is undone at once.
func TestFailedAfterLong(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.lasting(24 * time.Hour)
		w.mu.Lock()
		w.exit["dump"] = 1
		w.mu.Unlock()
		start := time.Now()
		w.worker.Order(*dumping("acme", "first"))
		synctest.Wait()
		w.worker.Order(*plain("globex", "other"))
		if j := w.wait("first"); j.Fault != volumejob.FaultHook || !j.Thawed || time.Since(start) > dumpTakes+time.Second || w.did("hook thaw") != 1 {
			t.Errorf("it is %+v after %s and %v", j, time.Since(start), w.calls)
		}
	})
}

// TestCancelledInAHook: who is cancelled, or stopped, while the command of a tenant lasts is over with it, twice if both hooks last, and
// afterwards as many may run as before.
func TestCancelledInAHook(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.lasting(24 * time.Hour)
		first := dumping("acme", "first")
		first.Quiet.Post = first.Quiet.Pre
		w.worker.Order(*first)
		synctest.Wait()
		w.worker.Order(*plain("globex", "long"))
		time.Sleep(dumpTakes - time.Minute)
		w.worker.Cancel("first")
		if j := w.wait("first"); j.Err == "" || !j.Thawed || w.did("pause") > 0 || w.did("hook dump") != 2 {
			t.Errorf("what was cancelled is %+v after %v", j, w.calls)
		}

		w.worker.Order(*plain("globex", "other"))
		w.worker.Order(*dumping("acme", "second"))
		time.Sleep(time.Hour)
		if w.began("other") || w.began("second") {
			t.Error("one may run, and more do")
		}
		for _, owner := range []string{"long", "other", "second"} {
			if j := w.wait(owner); j.Err != "" {
				t.Errorf("%s: %s", owner, j.Err)
			}
		}
	})
}

// TestFrozenAfterAll: where containers cannot be let go on, no command that lasts is begun: a Thaw does both.
func TestFrozenAfterAll(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(oneAtATime)
		w.fails("unpause", swarmobj.ErrUnavailable)
		if j := w.do(save()); j.Thawed || w.did("hook thaw") > 0 {
			t.Errorf("it is %+v after %v", j, w.calls)
		}
		w.script(nil)
		if j := w.do(thaw()); j.Err != "" || !j.Thawed || w.did("hook thaw") != 1 || len(w.frozen) > 0 {
			t.Errorf("undone is %+v after %v", j, w.calls)
		}
	})
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
