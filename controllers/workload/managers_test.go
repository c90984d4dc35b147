package workload

import (
	"slices"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func worker(n *swarm.Node)  { n.Spec.Role = swarm.NodeRoleWorker }
func down(n *swarm.Node)    { n.Status.State = swarm.NodeStateDown }
func drained(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityDrain }

func on(id string) func(*swarmobj.Task) { return func(t *swarmobj.Task) { t.NodeID = id } }

// told is a service that has been told to keep off the managers.
func told() *swarm.Service {
	s := service(1, "a")
	s.Spec.Labels[v1alpha1.SwarmLabelPlacement] = v1alpha1.PlacementWorkers
	s.Spec.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{servicespec.OffManagersConstraint}}

	return s
}

// with gives a service a number of replicas.
func with(replicas uint64, s *swarm.Service) *swarm.Service {
	s.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &replicas}

	return s
}

func TestKeepOff(t *testing.T) {
	manager, steady, away := node("m"), node("w", worker), node("w", worker, down)
	onManager := []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("m"))}
	onWorker := []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("w"))}
	waiting := []swarmobj.Task{task(swarm.TaskStatePending, 0, on(""))}

	cases := map[string]struct {
		reason   string
		nodes    []swarm.Node
		live     *swarm.Service
		tasks    []swarmobj.Task
		stale    bool // the tasks are older than the service
		restarts bool
		want     bool
	}{
		"OneNode":         {reason: "Where there are only managers they carry the tenants.", nodes: []swarm.Node{manager}},
		"Workers":         {reason: "Where there are workers nothing begins on a manager.", nodes: []swarm.Node{manager, steady}, want: true},
		"WorkersDown":     {reason: "Whoever can take the workers down must not get onto the managers by it.", nodes: []swarm.Node{manager, away}, want: true},
		"WorkersDrained":  {reason: "A worker that the operator has taken out is none to wait for.", nodes: []swarm.Node{manager, node("w", worker, drained)}},
		"NothingIsKnown":  {reason: "A list without nodes is no proof that there are no workers.", want: true},
		"RunsOnAManager":  {reason: "The first worker restarts nothing.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a")), tasks: onManager},
		"NextRollout":     {reason: "Tasks that are replaced anyway begin on workers.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a")), tasks: onManager, restarts: true, want: true},
		"RolloutOnOne":    {reason: "Without workers a rollout changes nothing.", nodes: []swarm.Node{manager}, live: with(1, service(1, "a")), tasks: onManager, restarts: true},
		"RunsOnWorkers":   {reason: "No task has to be replaced, and none of the next comes onto a manager.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a")), tasks: onWorker, want: true},
		"OldTasks":        {reason: "Where the tasks are now is not known.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a")), tasks: onWorker, stale: true},
		"OnItsWay":        {reason: "A task that waits would be replaced.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a")), tasks: waiting},
		"InFlight":        {reason: "A write would end Swarm's watch over the rollout.", nodes: []swarm.Node{manager, steady}, live: with(1, inState(service(1, "a"), swarm.UpdateStateUpdating)), tasks: onWorker},
		"Suspended":       {reason: "Without tasks none is replaced.", nodes: []swarm.Node{manager, steady}, live: with(0, service(1, "a")), want: true},
		"ListIsEmpty":     {reason: "A list that lacks a task does not say where it is.", nodes: []swarm.Node{manager, steady}, live: with(1, service(1, "a"))},
		"HalfAList":       {reason: "Nor does half a list.", nodes: []swarm.Node{manager, steady}, live: with(2, service(1, "a")), tasks: onWorker},
		"Global":          {reason: "Nobody knows how many tasks there should be.", nodes: []swarm.Node{manager, steady}, live: service(1, "a"), tasks: onWorker},
		"WorkerReboots":   {reason: "What has been told once stays told.", nodes: []swarm.Node{manager, away}, live: told(), tasks: waiting, want: true},
		"ToldAndDrained":  {reason: "Maintenance of the workers moves no tenant onto a manager.", nodes: []swarm.Node{manager, node("w", worker, drained)}, live: told(), tasks: waiting, want: true},
		"WorkersGone":     {reason: "The last worker has left the swarm for good: the manager is all there is.", nodes: []swarm.Node{manager}, live: told(), tasks: waiting},
		"WorkersMissing":  {reason: "A list that lacks the node that a task runs on is wrong.", nodes: []swarm.Node{manager}, live: told(), tasks: onWorker, want: true},
		"ToldNotKnown":    {reason: "An empty list takes nothing back.", live: told(), tasks: waiting, want: true},
		"ToldOldTasks":    {reason: "Nor do tasks that are out of date.", nodes: []swarm.Node{manager}, live: told(), tasks: waiting, stale: true, want: true},
		"LabelTornOff":    {reason: "The constraint tells as well.", nodes: []swarm.Node{manager, steady}, live: placedService(), tasks: onManager, want: true},
		"AvailabilityNot": {reason: "Swarm's default availability is active.", nodes: []swarm.Node{manager, node("w", worker, func(n *swarm.Node) { n.Spec.Availability = "" })}, want: true},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := swarmobj.World{Service: tc.live, Nodes: tc.nodes, Tasks: tc.tasks, TasksFresh: !tc.stale}
			if got := keepOff(w, func() bool { return tc.restarts }); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

// placedService has the constraint and no label.
func placedService() *swarm.Service {
	s := told()
	delete(s.Spec.Labels, v1alpha1.SwarmLabelPlacement)

	return s
}

// TestPlanOffManagers: what is decided about managers becomes one write, with a reason, or none.
func TestPlanOffManagers(t *testing.T) {
	confined := func(s *situation) {
		s.confined, s.world.TasksFresh = true, true
		s.world.Nodes = []swarm.Node{node("m"), node("w", worker)}
	}
	const constraint = "node.role!=manager"

	cases := map[string]struct {
		reason string
		change func(*situation)
		steps  []string
		wait   string
		// want are the constraints of the service that is wanted.
		want []string
	}{
		"NotConfined": {
			reason: "A namespace without tenant, or with a privileged one, chooses for itself.",
			change: func(s *situation) { confined(s); s.confined = false },
		},
		"Created": {
			reason: "A new container begins on the workers.",
			change: func(s *situation) {
				confined(s)
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			steps: []string{`create service "acme_web"`}, want: []string{constraint},
		},
		"FirstWorkerJoins": {
			reason: "What runs on a manager is left alone.",
			change: func(s *situation) {
				confined(s)
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("m"))}
			},
		},
		"Drained": {
			reason: "Once its tasks are on workers they stay there, and none is replaced for it.",
			change: func(s *situation) {
				confined(s)
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("w"))}
			},
			steps: []string{`update service "acme_web": placement.constraints none → [node.role!=manager] (where the containers of tenants may run has changed)`},
			want:  []string{constraint},
		},
		"WorkersDownTouchNothing": {
			reason: "Where no task is touched, no worker has to be up for it.",
			change: func(s *situation) {
				confined(s)
				s.world.Nodes[1] = node("w", worker, down)
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("w"))}
			},
			steps: []string{`update service "acme_web": placement.constraints none → [node.role!=manager] (where the containers of tenants may run has changed)`},
			want:  []string{constraint},
		},
		"Rollout": {
			reason: "The next rollout takes the tasks off the managers.",
			change: func(s *situation) {
				confined(s)
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("m"))}
				s.template.WorkingDir, s.templateHash = "/srv", "b"
				s.target = target{number: 2, fresh: true}
			},
			steps: []string{
				`record revision "web-2" as Progressing`,
				`update service "acme_web": dir none → /srv, placement.constraints none → [node.role!=manager] (the spec changed)`,
			},
			want: []string{constraint},
		},
		"RolloutWithoutAWorkerUp": {
			reason: "Tasks that serve are not stopped for ones that could not start, and the tenant is not told of managers.",
			change: func(s *situation) {
				confined(s)
				s.world.Nodes[1] = node("w", worker, down)
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 0, on("m"))}
				s.template.WorkingDir, s.templateHash = "/srv", "b"
				s.target = target{number: 2, fresh: true}
			},
			wait: "no suitable node (no worker is ready and active)", want: []string{constraint},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t, tc.change)
			s.want = nil
			render(s)

			var got []string
			steps, wait := plan(s, nil)
			for _, st := range steps {
				got = append(got, st.String())
			}
			if diff := cmp.Diff(tc.steps, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if (wait != nil) != (tc.wait != "") || wait != nil && wait.Error() != tc.wait {
				t.Errorf("%s\ngot %v, want %q", tc.reason, wait, tc.wait)
			}
			if diff := cmp.Diff(tc.want, s.want.TaskTemplate.Placement.Constraints); diff != "" {
				t.Errorf("%s\nconstraints, -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOffManagersSettles: whatever the swarm looks like, what has been written once is not written again, and no node that
// goes down, comes back or is drained makes a write to a service that runs.
func TestOffManagersSettles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := scene(t, func(s *situation) { s.confined, s.world.TasksFresh = true, true })
		s.world.Nodes = rapid.SliceOfNDistinct(nodes(), 0, 4, func(n swarm.Node) string { return n.ID }).Draw(r, "nodes")
		s.world.Tasks = tasksOn(r, s.world.Nodes)
		again(s)

		s.world.Service.Spec = *s.want
		kept := s.offManagers
		if again(s); len(servicespec.Diff(s.world.Service.Spec, *s.want)) > 0 {
			r.Fatalf("what has just been written is written again: %v", servicespec.Diff(s.world.Service.Spec, *s.want))
		}

		for i := range s.world.Nodes {
			s.world.Nodes[i].Status.State = states.Draw(r, "later state")
			s.world.Nodes[i].Spec.Availability = availabilities.Draw(r, "later availability")
		}
		again(s)
		if kept && !s.offManagers && slices.ContainsFunc(s.world.Nodes, permit.IsWorker) {
			r.Fatal("a decision was taken back although there are workers")
		}
	})
}

var (
	states = rapid.SampledFrom([]swarm.NodeState{
		swarm.NodeStateReady, swarm.NodeStateDown, swarm.NodeStateDisconnected, swarm.NodeStateUnknown,
	})
	availabilities = rapid.SampledFrom([]swarm.NodeAvailability{
		swarm.NodeAvailabilityActive, swarm.NodeAvailabilityPause, swarm.NodeAvailabilityDrain,
	})
)

func nodes() *rapid.Generator[swarm.Node] {
	return rapid.Custom(func(r *rapid.T) swarm.Node {
		return node(rapid.StringMatching(`n[1-9]`).Draw(r, "id"), func(n *swarm.Node) {
			n.Spec.Role = rapid.SampledFrom([]swarm.NodeRole{swarm.NodeRoleManager, swarm.NodeRoleWorker}).Draw(r, "role")
			n.Status.State = states.Draw(r, "state")
			n.Spec.Availability = availabilities.Draw(r, "availability")
		})
	})
}

func tasksOn(r *rapid.T, nodes []swarm.Node) []swarmobj.Task {
	var out []swarmobj.Task
	for i, n := range nodes {
		if rapid.Bool().Draw(r, "has a task") {
			out = append(out, task(swarm.TaskStateRunning, 0, on(n.ID), slot(i+1)))
		}
	}

	return out
}
