package volumework_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// errDead is what everything is to a process that was killed.
var errDead = errors.New("the process is dead")

// story is work that is interrupted.
type story struct {
	order func() *volumejob.Order
	// before makes what is to be there.
	before func(w *world)
	// undo is what controllers order before they try again.
	undo func(w *world)
	// after is what is there when it was done.
	after    string
	archives int
}

var stories = map[string]story{
	"Save": {
		order: save,
		undo: func(w *world) {
			if j := w.do(thaw()); j.Err != "" || !j.Thawed {
				w.t.Errorf("thawing: %+v", j)
			}
		},
		after: alone, archives: 1,
	},
	"Check": {
		order:  func() *volumejob.Order { o := save(); o.Kind = volumejob.Check; return o },
		before: func(w *world) { w.do(save()) },
		after:  alone, archives: 1,
	},
	"Restore": {
		order:  restore,
		before: func(w *world) { w.do(save()) },
		undo:   discards(restore()),
		after:  alone + ", b: volume " + volume + "-r1", archives: 1,
	},
	"Copy": {order: copying, undo: discards(copying()), after: alone + ", b: volume " + volume},
	"Verify": {
		order:  func() *volumejob.Order { o := copying(); o.Kind = volumejob.Verify; return o },
		before: func(w *world) { w.do(copying()) },
		after:  alone + ", b: volume " + volume,
	},
	"Erase": {
		order:  func() *volumejob.Order { o := save(); o.Kind = volumejob.Erase; return o },
		before: func(w *world) { w.do(save()) },
		after:  alone,
	},
}

func discards(o *volumejob.Order) func(w *world) {
	return func(w *world) {
		if err := w.worker.Discard(w.t.Context(), o.Target.Node, o.Target.Name, o.Operation); err != nil {
			w.t.Error(err)
		}
	}
}

// interrupted runs a story, and calls what interrupts it at its n-th call. It is false when there were not so many.
func interrupted(t *testing.T, s *story, n int, interrupt func(w *world) error, then func(w *world, j volumejob.Job)) bool {
	var reached atomic.Bool
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		if s.before != nil {
			s.before(w)
		}
		synctest.Wait()
		w.script(func(i int, _ string) error {
			if i < n {
				return nil
			}
			reached.Store(true)
			if i == n {
				return interrupt(w)
			}

			return interrupt(nil)
		})
		o := s.order()
		w.worker.Order(*o)
		j := w.wait(o.Owner)
		synctest.Wait()
		then(w, j)
		w.stop()
	})

	return reached.Load()
}

// again is what follows after an interruption: what was made is undone, and another try does it.
func (s *story) again(w *world, n int) {
	t := w.t
	t.Helper()
	o := s.order()
	w.worker.Dismiss(o.Owner)
	if s.undo != nil {
		s.undo(w)
	}
	o.Operation += "/again"
	if j := w.do(o); j.Err != "" || !j.Thawed {
		t.Errorf("tried again after call %d: %+v", n, j)
	}
	if got := w.left(); got != s.after {
		t.Errorf("tried again after call %d: left is %s, want %s", n, got, s.after)
	}
	if got := w.archives(); len(got) != s.archives {
		t.Errorf("tried again after call %d: archives are %v, want %d", n, got, s.archives)
	}
	if s.after != alone && w.digestOf("b", o.Target.Name) != w.digestOf("a", volume) {
		t.Errorf("tried again after call %d: it holds something else", n)
	}
}

// TestCancelledAnywhere cancels each job at each of its calls. Nothing of it may be left, but for what is whole.
func TestCancelledAnywhere(t *testing.T) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			before := s.after
			if name == "Copy" || name == "Restore" {
				before = alone
			}
			n := 1
			for ; interrupted(t, &s, n, func(w *world) error {
				if w != nil {
					w.worker.Cancel(s.order().Owner)
				}

				return nil
			}, func(w *world, j volumejob.Job) {
				if !j.Thawed || w.did("hook freeze") > w.did("hook thaw") {
					t.Errorf("cancelled at call %d: it is not undone: %+v", n, j)
				}
				if got := w.left(); got != before && (j.Err != "" || got != s.after) {
					t.Errorf("cancelled at call %d (%s): left is %s, want %s", n, j.Err, got, before)
				}
				w.script(nil)
				s.again(w, n)
			}); n++ {
			}
			if n < 3 {
				t.Errorf("only %d calls were tried", n)
			}
		})
	}
}

// TestStoppedAnywhere ends the process at each call of a job, as it does when it stops in good order: what it has frozen must run again
// before it is gone.
func TestStoppedAnywhere(t *testing.T) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			for n := 1; interrupted(t, &s, n, func(w *world) error {
				if w != nil {
					go w.stop()
				}

				return nil
			}, func(w *world, _ volumejob.Job) {
				w.stop()
				if !w.worker.Settled() || w.did("hook freeze") > w.did("hook thaw") {
					t.Errorf("stopped at call %d: it has not let go after %v", n, w.calls)
				}
				if got := w.left(); got != alone && got != s.after {
					t.Errorf("stopped at call %d: left is %s", n, got)
				}
				w.script(nil)
				w.start()
				s.again(w, n)
			}); n++ {
			}
		})
	}
}

// TestKilledAnywhere kills the process at each call of a job: from there on it does nothing at all. What it has left, the next one
// finds and removes.
func TestKilledAnywhere(t *testing.T) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			for n := 1; interrupted(t, &s, n, func(*world) error { return errDead }, func(w *world, _ volumejob.Job) {
				w.stop()
				w.script(nil)
				w.start()
				s.again(w, n)
			}); n++ {
			}
		})
	}
}

// TestLosesTheLead wants nothing changed by a process that may not any more, at whichever call it learns of that.
func TestLosesTheLead(t *testing.T) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			for n := 1; n < 6; n++ {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.start()
					if s.before != nil {
						s.before(w)
					}
					synctest.Wait()
					var (
						holds atomic.Int32
						lost  atomic.Bool
					)
					w.script(func(_ int, call string) error {
						switch call {
						case "hold":
							if int(holds.Add(1)) >= n {
								lost.Store(true)
								return context.DeadlineExceeded
							}
						case "VolumeCreate a", "VolumeCreate b", "VolumeRemove a", "VolumeRemove b", "CopyToContainer b", "delete", "pause a", "hook freeze", "hook thaw":
							if lost.Load() {
								t.Errorf("it may not do that: %s", call)
							}
						}

						return nil
					})
					o := s.order()
					w.worker.Order(*o)
					if j := w.wait(o.Owner); lost.Load() && j.Err == "" && j.Thawed {
						t.Errorf("it ended as %+v", j)
					}
					w.stop()
				})
			}
		})
	}
}

// TestLetsGoForOthersOnly wants a process that is not in charge any more, or does not know, to leave frozen containers to who is: they
// may have been frozen by it meanwhile.
func TestLetsGoForOthersOnly(t *testing.T) {
	for name, c := range map[string]struct {
		order func() *volumejob.Order
		// at which call it loses the lead, and whether it is stopped then.
		call string
		stop bool
		want int
	}{
		"Thaw":        {thaw, "hold", false, 0},
		"SaveStopped": {save, "CopyFromContainer a", true, 0},
		// While it is in charge, doubt about that does not keep containers frozen.
		"SaveInDoubt": {save, "CopyFromContainer a", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start()
				synctest.Wait()
				var lost atomic.Bool
				w.script(func(_ int, call string) error {
					if call == c.call && !lost.Swap(true) && c.stop {
						go w.stop()
						time.Sleep(time.Second)
					}
					if call == "hold" && lost.Load() {
						return context.DeadlineExceeded
					}

					return nil
				})
				o := c.order()
				w.worker.Order(*o)
				if j := w.wait(o.Owner); j.Thawed {
					t.Errorf("it ended as %+v", j)
				}
				w.stop()
				if got := w.did("unpause"); got != c.want {
					t.Errorf("it has let containers go on %d times, want %d", got, c.want)
				}
			})
		})
	}
}
