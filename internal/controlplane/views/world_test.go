package views

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// world is a swarm that does as it is told.
type world struct {
	mu       sync.Mutex
	synced   chan struct{}
	state    error
	services map[swarmobj.Owner]*swarmobj.ServiceTasks
	nodes    []swarm.Node
	version  uint64
	hint     func(swarmobj.Owner)
	hintNode func()
}

func newWorld(nodes ...string) *world {
	w := &world{synced: make(chan struct{}), services: map[swarmobj.Owner]*swarmobj.ServiceTasks{}}
	for _, name := range nodes {
		n := swarm.Node{ID: "id-of-" + name}
		n.Description.Hostname = name
		n.Status.State = swarm.NodeStateReady
		w.nodes = append(w.nodes, n)
	}
	close(w.synced)

	return w
}

func (w *world) Synced() <-chan struct{} { return w.synced }

func (w *world) State() error {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.state
}

func (w *world) Owners() []swarmobj.Owner {
	w.mu.Lock()
	defer w.mu.Unlock()

	var out []swarmobj.Owner
	for o := range w.services {
		out = append(out, o)
	}

	return out
}

func (w *world) ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks {
	w.mu.Lock()
	defer w.mu.Unlock()

	s := w.services[o]
	if s == nil {
		return nil
	}

	return []swarmobj.ServiceTasks{{Owner: o, Tasks: slices.Clone(s.Tasks)}}
}

func (w *world) Nodes() []swarm.Node {
	w.mu.Lock()
	defer w.mu.Unlock()

	return slices.Clone(w.nodes)
}

func (w *world) SubscribeTasks(tell func(swarmobj.Owner)) { w.hint = tell }
func (w *world) SubscribeNodes(tell func())               { w.hintNode = tell }

func ownerOf(i int) swarmobj.Owner {
	return swarmobj.Owner{Tenant: fmt.Sprintf("tenant-%d", i%3), Kind: "TenantContainer", Name: fmt.Sprintf("web-%d", i), UID: fmt.Sprint(i)}
}

// add starts a task of an owner.
func (w *world) add(o swarmobj.Owner, slot int) {
	w.change(o, func(s *swarmobj.ServiceTasks) {
		s.Tasks = append(s.Tasks, swarmobj.TaskDetail{
			Task: swarmobj.Task{
				ID: fmt.Sprintf("%010dtask", w.version), Slot: slot, NodeID: w.nodes[0].ID, State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning,
			},
			Version: w.version, Container: "c",
		})
	})
}

// change does something to the tasks of an owner, and gives a hint.
func (w *world) change(o swarmobj.Owner, do func(*swarmobj.ServiceTasks)) {
	w.mu.Lock()
	w.version++
	if w.services[o] == nil {
		w.services[o] = &swarmobj.ServiceTasks{Owner: o}
	}
	do(w.services[o])
	if len(w.services[o].Tasks) == 0 {
		delete(w.services, o)
	}
	w.mu.Unlock()

	w.hint(o)
}

// stir does something at random.
func (w *world) stir(r *rand.Rand) {
	o := ownerOf(r.IntN(12))
	states := []swarm.TaskState{swarm.TaskStatePending, swarm.TaskStatePreparing, swarm.TaskStateStarting, swarm.TaskStateRunning, swarm.TaskStateFailed}

	w.mu.Lock()
	n := 0
	if s := w.services[o]; s != nil {
		n = len(s.Tasks)
	}
	w.mu.Unlock()

	switch k := r.IntN(10); {
	case n == 0 || k < 2 && n < 20:
		w.add(o, 1+r.IntN(20))
	case k < 4:
		w.change(o, func(s *swarmobj.ServiceTasks) { s.Tasks = slices.Delete(s.Tasks, 0, 1) })
	default:
		i, state := r.IntN(n), states[r.IntN(len(states))]
		w.change(o, func(s *swarmobj.ServiceTasks) { s.Tasks[i].State, s.Tasks[i].Version = state, w.version })
	}
}

// show runs views of the world for as long as the test, or until stop is called.
func show(t *testing.T, w *world) (v *Views, stop func()) {
	t.Helper()
	v = New(Options{Swarm: w})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := v.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	eventually(t, "something is known", func() bool { return v.ready() == nil })

	return v, stop
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within 30 s", what)
}
