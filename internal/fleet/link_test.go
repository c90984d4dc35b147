package fleet

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// started is when the container of the other node was.
var started = time.Now().Add(-time.Hour)

// tells makes the agent of the other node have another report.
func (w *world) tells(round int64, name string, at time.Time, cpu time.Duration) {
	w.Helper()
	r := telemetry.Report{Node: other, Agent: name, Round: round, Began: at, Ended: at, Machine: telemetry.Machine{Cores: 2}}
	r.Samples = []telemetry.Sample{{
		At: at, Container: plain, Task: taskOf(plain), Service: "web", Started: started, CPU: telemetry.CPU{Total: cpu}, State: telemetry.StateRunning,
	}}
	if err := w.ring.Add(r); err != nil {
		w.Fatal(err)
	}
}

func (w *world) latest(cpu time.Duration) telemetry.Sample {
	w.Helper()
	var s telemetry.Sample
	w.await("the sample has arrived", func() error {
		if s, _ = w.store.Latest(taskOf(plain)); s.CPU.Total != cpu {
			return errors.New("the latest has used " + s.CPU.Total.String())
		}

		return nil
	})

	return s
}

// TestReportsAndEventsArrive: what happens on the other node is known here at once.
func TestReportsAndEventsArrive(t *testing.T) {
	w := newWorld(t, nil).ready()
	w.tells(1, "first", time.Now(), time.Second)
	w.latest(time.Second)

	w.far.happens(events.ActionOOM, 0)
	w.await("the event is passed on", func() error {
		if got := w.swarm.events(); !slices.Equal(got, []string{other + " oom"}) {
			return errors.New(strings.Join(got, ", "))
		}

		return nil
	})

	states := w.States()
	if len(states) != 2 || !slices.IsSortedFunc(states, func(a, b NodeState) int { return strings.Compare(a.Node, b.Node) }) {
		t.Errorf("states: %+v", states)
	}
	if problems, err := testutil.CollectAndLint(w.Fleet); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v, %v", problems, err)
	}
	if got := testutil.CollectAndCount(w.Fleet, "dogker_agent_up"); got != 2 {
		t.Errorf("nodes with a metric: got %d, want 2", got)
	}
}

// TestPartition: a node that cannot be reached says so, refuses what needs it, and is as before once it can.
func TestPartition(t *testing.T) {
	w := newWorld(t, nil).ready()
	began := time.Now().Add(-2 * telemetry.Interval)
	w.tells(1, "first", began, time.Second)
	w.latest(time.Second)

	w.cable.pull()
	if s := w.problem("agent at"); !s.Connected.IsZero() || s.Seen.IsZero() {
		t.Errorf("state of a node that is cut off: %+v, want when it was seen, and no connection", s)
	}
	_, err := w.Logs(t.Context(), at(other, plain), LogOptions{})
	if !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), `node "w2" has no agent that can be asked`) {
		t.Errorf("logs: got %v, want that node w2 cannot be asked", err)
	}
	if _, err := w.Logs(t.Context(), at(own, plain), LogOptions{}); err != nil {
		t.Errorf("the other nodes: %v", err)
	}

	w.tells(2, "first", began.Add(telemetry.Interval), 2*time.Second)
	w.tells(3, "first", began.Add(2*telemetry.Interval), 3*time.Second)
	w.cable.plug()
	w.problem("")
	w.latest(3 * time.Second)
	if got := w.store.Window(taskOf(plain), time.Time{}); len(got) != 3 {
		t.Errorf("samples: got %d, want also that of the time when nobody asked", len(got))
	}
	if log, err := w.Logs(t.Context(), at(other, plain), LogOptions{}); err != nil {
		t.Errorf("logs: %v", err)
	} else {
		log.Close()
	}
}

// answering puts something before the door, for one path.
func answering(path string, f http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) {
				f(rw, r)
				return
			}
			next.ServeHTTP(rw, r)
		})
	}
}

// TestSlowAgent: one that answers after we have stopped waiting cannot be used, and keeps nobody waiting.
func TestSlowAgent(t *testing.T) {
	var slow atomic.Bool
	w := newWorld(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if slow.Load() && r.URL.Path == agent.PathAbout {
				select {
				case <-r.Context().Done():
				case <-time.After(3 * hurry.answer):
				}
			}
			next.ServeHTTP(rw, r)
		})
	}).ready()

	slow.Store(true)
	w.problem("in time")
	slow.Store(false)
	w.problem("")
}

// TestOldAgent: what an agent of an older version does not know is said, and the rest is used.
func TestOldAgent(t *testing.T) {
	unknown := func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(rw).Encode(map[string]string{"message": "agent: not among what agents let through"})
	}
	for name, tc := range map[string]struct {
		wrap    func(http.Handler) http.Handler
		problem string
	}{
		"NoReports": {answering(agent.PathReports, unknown), "does not tell what containers use"},
		"NoEvents":  {answering("/events", unknown), "does not tell what happens to containers"},
		"OtherProtocol": {func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != agent.PathAbout {
					next.ServeHTTP(rw, r)
					return
				}
				recorded := httptest.NewRecorder()
				next.ServeHTTP(recorded, r)
				var a agent.About
				_ = json.Unmarshal(recorded.Body.Bytes(), &a)
				a.Version, a.Protocol = "v0", agent.Protocol-1
				_ = json.NewEncoder(rw).Encode(a)
			})
		}, `of version "v0" and speaks protocol 0`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.wrap).run()
			if s := w.problem(tc.problem); s.Connected.IsZero() || s.Version == "" {
				t.Errorf("state: %+v, want that it is connected", s)
			}
			log, err := w.Logs(t.Context(), at(other, plain), LogOptions{})
			if err != nil {
				t.Fatalf("logs: %v", err)
			}
			log.Close()
		})
	}
}

// TestSkewedClock: times of a node whose clock is wrong are put right, and the state says by how much.
func TestSkewedClock(t *testing.T) {
	const ahead = time.Hour
	w := newWorld(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != agent.PathAbout {
				next.ServeHTTP(rw, r)
				return
			}
			recorded := httptest.NewRecorder()
			next.ServeHTTP(recorded, r)
			var a agent.About
			_ = json.Unmarshal(recorded.Body.Bytes(), &a)
			a.Now = a.Now.Add(ahead)
			_ = json.NewEncoder(rw).Encode(a)
		})
	}).ready()

	if s, _ := w.State(other); (s.Skew - ahead).Abs() > time.Second {
		t.Errorf("skew: got %v, want about %v", s.Skew, ahead)
	}
	now := time.Now()
	w.tells(1, "first", now.Add(ahead), time.Second)
	if got := w.latest(time.Second).At; got.Sub(now).Abs() > time.Second {
		t.Errorf("time of the sample: got %v, want %v", got, now)
	}
	w.far.happens(events.ActionDie, ahead)
	w.await("the event is passed on", func() error {
		if len(w.swarm.events()) == 0 {
			return errors.New("it is not")
		}

		return nil
	})
}

// TestNodesComeAndGo: links follow the swarm, but not what is said while it cannot be asked.
func TestNodesComeAndGo(t *testing.T) {
	w := newWorld(t, nil).ready()
	ids := func() (out []string) {
		for _, s := range w.States() {
			out = append(out, s.Node)
		}

		return out
	}

	w.swarm.mu.Lock()
	w.swarm.state = swarmobj.ErrUnavailable
	w.swarm.mu.Unlock()
	w.swarm.change()
	time.Sleep(100 * time.Millisecond)
	if diff := cmp.Diff([]string{other, own}, ids()); diff != "" {
		t.Errorf("nodes of a swarm that cannot be asked (-want +got):\n%s", diff)
	}

	w.swarm.mu.Lock()
	w.swarm.state = nil
	w.swarm.mu.Unlock()
	lost := nodeOf(other, "w2")
	lost.Status.State = swarm.NodeStateDown
	w.swarm.change(nodeOf(own, "w1"), lost)
	w.problem("the swarm has lost the node")
	w.swarm.change(nodeOf(own, "w1"), nodeOf(other, "w2"))
	w.problem("")

	w.swarm.change(nodeOf(own, "w1"))
	w.await("the node is gone", func() error {
		if got := ids(); !slices.Equal(got, []string{own}) {
			return errors.New(strings.Join(got, ", "))
		}

		return nil
	})
}

// TestNothingIsLeftBehind: after the end of the fleet no goroutine of it is.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Run("World", func(t *testing.T) { newWorld(t, nil).ready() })

	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := 0
		for _, s := range strings.Split(string(stacks), "\n\n") {
			if strings.Contains(s, "internal/fleet.(*") && !strings.Contains(s, "testing.tRunner") {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left:\n%s", left, stacks)
		}
	}
}

func TestSkew(t *testing.T) {
	var s skew
	for i, tc := range []struct {
		reason string
		m      measurement
		want   time.Duration
	}{
		{"The first is believed.", measurement{offset: 100 * time.Millisecond, doubt: 20 * time.Millisecond}, 100 * time.Millisecond},
		{"What may be so is no reason to change.", measurement{offset: 115 * time.Millisecond, doubt: 20 * time.Millisecond}, 100 * time.Millisecond},
		{"A slow answer says little.", measurement{offset: -time.Second, doubt: 2 * time.Second}, 100 * time.Millisecond},
		{"A clock that was set is.", measurement{offset: time.Hour, doubt: 20 * time.Millisecond}, time.Hour},
		{"Back, too.", measurement{offset: 0, doubt: time.Millisecond}, 0},
	} {
		if s.update(tc.m); s.believed != tc.want {
			t.Errorf("measurement %d: believed is %v, want %v. %s", i, s.believed, tc.want, tc.reason)
		}
	}
}

func TestHostOf(t *testing.T) {
	for name, tc := range map[string]struct {
		status, manager, want string
	}{
		"Worker":  {"10.0.0.7", "", "10.0.0.7"},
		"Manager": {"0.0.0.0", "10.0.0.1:2377", "10.0.0.1"},
		"IPv6":    {"::", "[fd00::1]:2377", "fd00::1"},
		"Neither": {"0.0.0.0", "", "0.0.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			n := swarm.Node{Status: swarm.NodeStatus{Addr: tc.status}}
			if tc.manager != "" {
				n.ManagerStatus = &swarm.ManagerStatus{Addr: tc.manager}
			}
			if got := hostOf(&n); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
