//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	// burnt is how much CPU time each task is told to use, at half a core.
	burnt = 10 * time.Second
	// eatenMiB and sentMiB are what each task is told to hold and to send.
	eatenMiB, sentMiB = 64, 20
)

// TestFleet holds what is counted on three nodes against what was used, and reaches containers on all of them. It takes the
// server's agents, and a fleet of its own in this process, so that it sees what the server sees.
func TestFleet(t *testing.T) {
	t.Parallel()
	c := prepareCell(t, lab.Options{Nodes: 3, Managers: 1})
	c.server.args = withAgents(t, c.lab)
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := c.namespace(t, "fleet")
	watched := newWatched(t, c)
	watched.usable(t)

	n.run(app("web", "v1", func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeGlobal }))
	web := watched.places(t, "web", 3)
	sums := watched.sumsOf(t, web[0].Owner)
	t.Run("Reach", func(t *testing.T) { watched.reach(t, web) })
	t.Run("Count", func(t *testing.T) { watched.count(t, web) })
	t.Run("Data", func(t *testing.T) { watched.data(t, web) })
	t.Run("OOM", func(t *testing.T) { watched.outOfMemory(t, n) })
	t.Run("AgentKilled", func(t *testing.T) { watched.loseAgent(t, c.lab.Nodes[1], web) })
	t.Run("Partitioned", func(t *testing.T) { watched.partition(t, c.lab.Nodes[2], web) })
	sums.never(t)
}

// reach uses each container: its log, a command in it, a port of it.
func (f *watched) reach(t *testing.T, web []subject) {
	for _, s := range web {
		log, err := f.Logs(t.Context(), s.place, fleet.LogOptions{Stdout: true, Stderr: true, Tail: -1})
		if err != nil {
			t.Fatalf("log on %s: %v", s.node, err)
		}
		log.Close()

		var out bytes.Buffer
		code, err := f.Exec(t.Context(), s.place, fleet.ExecOptions{Command: []string{"/app", "-check"}}, fleet.Streams{Out: &out, Err: io.Discard})
		if err != nil || code != 0 || !strings.Contains(out.String(), "200 OK") {
			t.Errorf("command on %s: %q, code %d, %v", s.node, out.String(), code, err)
		}
		if got := s.ask(t, http.MethodGet, "/"); !strings.Contains(got, "version=v1") {
			t.Errorf("port on %s: %q", s.node, got)
		}
	}
}

// count has each task use CPU, memory and network, and holds the counters against it: 5 % is what the issue promises.
func (f *watched) count(t *testing.T, web []subject) {
	before := map[string]telemetry.Sample{}
	for _, s := range web {
		before[s.place.Task] = f.fresh(t, s.place.Task)
		s.ask(t, http.MethodPost, fmt.Sprintf("/eat?mib=%d", eatenMiB))
		if got := s.ask(t, http.MethodGet, fmt.Sprintf("/bytes?mib=%d", sentMiB)); len(got) != sentMiB<<20 {
			t.Errorf("%s sent %d bytes", s.node, len(got))
		}
		s.ask(t, http.MethodPost, fmt.Sprintf("/burn?seconds=%g&percent=50", burnt.Seconds()))
	}

	for _, s := range web {
		was := before[s.place.Task]
		await(t, atLast, "the CPU time of "+s.node+" has been counted", func() error {
			now, _ := f.store.Latest(s.place.Task)

			return near("CPU time", (now.CPU.Total - was.CPU.Total).Seconds(), burnt.Seconds())
		})
		now := f.fresh(t, s.place.Task)
		// The rest of the container does a little, too.
		if err := errors.Join(
			near("CPU time", (now.CPU.Total-was.CPU.Total).Seconds(), burnt.Seconds()),
			near("memory", float64(now.Memory.WorkingSet-was.Memory.WorkingSet), eatenMiB<<20),
			near("bytes sent", float64(now.Network.TransmitBytes-was.Network.TransmitBytes), sentMiB<<20),
		); err != nil {
			t.Errorf("task on %s: %v", s.node, err)
		}
	}
}

// near is an error when a figure is more than 5 % off.
func near(what string, got, want float64) error {
	if off := got/want - 1; off < -0.05 || off > 0.05 {
		return fmt.Errorf("%s: got %.2f, want %.2f within 5 %%", what, got, want)
	}

	return nil
}

// outOfMemory has a task on a node other than the server's own killed by the kernel, which only its agent can tell.
func (f *watched) outOfMemory(t *testing.T, n *tenant) {
	n.create(app("hog", "v1", func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname==node3"}}
		tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Memory: new(resource.MustParse("64Mi"))}}
	}, env("APP_EAT", "200")))
	await(t, soon, "it is known that the kernel killed the task", func() error {
		for _, o := range f.swarm.Owners() {
			w, err := f.swarm.Look(t.Context(), o)
			if err != nil || o.Name != "hog" {
				continue
			}
			for _, task := range w.Tasks {
				if task.OOMKilled {
					return nil
				}
			}
		}

		return errors.New("no task says so")
	})
}

// loseAgent kills the agent of a node: the node says so, and comes back with the next agent.
func (f *watched) loseAgent(t *testing.T, node *lab.Node, web []subject) {
	i := slices.IndexFunc(web, func(s subject) bool { return s.node == node.Name })
	if err := killAgent(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	await(t, instant, "the node says that it has no agent", func() error {
		s, _ := f.State(web[i].place.Node)
		if s.Problem == "" {
			return errors.New("it says nothing")
		}

		return nil
	})
	_, err := f.Logs(t.Context(), web[i].place, fleet.LogOptions{})
	if err != nil && (!errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), node.Name)) {
		t.Errorf("log while there is no agent: %v, want that %s cannot be asked", err, node.Name)
	}
	took := await(t, soon, "the node can be used again", func() error {
		s, _ := f.State(web[i].place.Node)
		if s.Problem != "" {
			return errors.New(s.Problem)
		}

		return nil
	})
	t.Logf("the node could be used again after %v", took)
	f.fresh(t, web[i].place.Task)
}

// partition cuts a node off: what was measured stays, what cannot be asked says so, and all goes on where the cable is back. The
// clock of a node is that of this machine, so that clocks which differ are for the tests of internal/fleet.
func (f *watched) partition(t *testing.T, node *lab.Node, web []subject) {
	i := slices.IndexFunc(web, func(s subject) bool { return s.node == node.Name })
	before, _ := f.store.Totals(web[i].Owner)
	if err := node.Cut(); err != nil {
		t.Fatal(err)
	}
	healed := false
	t.Cleanup(func() {
		if !healed {
			_ = node.Heal()
		}
	})
	took := await(t, soon, "the node says that it cannot be used", func() error {
		if s, _ := f.State(web[i].place.Node); s.Problem == "" {
			return errors.New("it says nothing")
		}

		return nil
	})
	t.Logf("it was known %v after the cut", took)
	if _, err := f.Logs(t.Context(), web[i].place, fleet.LogOptions{}); !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), node.Name) {
		t.Errorf("log while the node is cut off: %v, want that %s cannot be asked", err, node.Name)
	}
	if now, _ := f.store.Totals(web[i].Owner); now.CPU < before.CPU {
		t.Errorf("CPU time of all tasks: %v, and %v before the cut", now.CPU, before.CPU)
	}
	for _, s := range web {
		if s.node != node.Name {
			f.fresh(t, s.place.Task)
		}
	}

	if err := node.Heal(); err != nil {
		t.Fatal(err)
	}
	healed = true
	took = await(t, atLast, "the node can be used again", func() error {
		s, _ := f.State(web[i].place.Node)
		if s.Problem != "" {
			return errors.New(s.Problem)
		}

		return nil
	})
	t.Logf("the node could be used again %v after the cable was back", took)
	// Swarm may have put another task there meanwhile.
	await(t, atLast, "what runs there is sampled again", func() error {
		for _, s := range f.store.Subjects(web[i].Owner) {
			if latest, ok := f.store.Latest(s.Task); ok && s.Node == web[i].place.Node && time.Since(latest.At) < telemetry.Interval {
				return nil
			}
		}

		return errors.New("there is no sample of late")
	})
}

// sums watches that what a workload has used in all never gets less.
type sums struct {
	stop chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex
	wrong []string
	last  telemetry.Totals
}

func (f *watched) sumsOf(t *testing.T, o swarmobj.Owner) *sums {
	s := &sums{stop: make(chan struct{})}
	s.done.Go(func() {
		for {
			select {
			case <-s.stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			now, _ := f.store.Totals(o)
			s.mu.Lock()
			if now.CPU < s.last.CPU || now.TransmitBytes < s.last.TransmitBytes || now.ReceiveBytes < s.last.ReceiveBytes {
				s.wrong = append(s.wrong, fmt.Sprintf("from %+v to %+v", s.last, now))
			}
			s.last = now
			s.mu.Unlock()
		}
	})
	t.Cleanup(s.done.Wait)

	return s
}

// never ends the watch, and fails when a sum has become less.
func (s *sums) never(t *testing.T) {
	close(s.stop)
	s.done.Wait()
	if len(s.wrong) > 0 {
		t.Errorf("sums went backwards: %v", s.wrong)
	}
	if s.last.CPU < 3*burnt {
		t.Errorf("CPU time of all tasks: got %v, want at least the %v that they were told to use", s.last.CPU, 3*burnt)
	}
}
