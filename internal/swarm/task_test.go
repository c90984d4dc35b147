package swarm

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func template(image string, change ...func(*swarm.TaskSpec)) swarm.TaskSpec {
	t := swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: image}}
	for _, c := range change {
		c(&t)
	}

	return t
}

func on(constraints ...string) func(*swarm.TaskSpec) {
	return func(t *swarm.TaskSpec) { t.Placement = &swarm.Placement{Constraints: constraints} }
}

func forced(n uint64) func(*swarm.TaskSpec) { return func(t *swarm.TaskSpec) { t.ForceUpdate = n } }

// ofRuntime is how the engine shows the template of a service, but not that of a task.
func ofRuntime(t *swarm.TaskSpec) { t.Runtime = swarm.RuntimeContainer }

func taskOf(id string, spec swarm.TaskSpec, created time.Time) swarm.Task {
	t := swarm.Task{ID: id, Slot: 1, NodeID: "n1", ServiceID: "s1", Spec: spec, DesiredState: swarm.TaskStateRunning}
	t.Version.Index, t.CreatedAt = 1, created
	t.Status.State = swarm.TaskStateRunning

	return t
}

func TestCurrent(t *testing.T) {
	node := swarm.Node{ID: "n1"}
	node.Spec.Labels = map[string]string{"disk": "ssd"}

	cases := map[string]struct {
		reason  string
		service swarm.TaskSpec
		task    swarm.TaskSpec
		want    bool
	}{
		"SameTemplate": {
			reason:  "The engine shows the runtime for the service alone.",
			service: template("web:1", ofRuntime), task: template("web:1"), want: true,
		},
		"OtherImage": {
			reason:  "A task of another image is replaced.",
			service: template("web:2"), task: template("web:1"), want: false,
		},
		"ForceUpdateRaised": {
			reason:  "That is how a restart is asked for.",
			service: template("web:1", forced(1)), task: template("web:1"), want: false,
		},
		"ForceUpdateDropped": {
			reason:  "Dropping the counter to zero restarts as well.",
			service: template("web:1"), task: template("web:1", forced(3)), want: false,
		},
		"ConstraintThatTheNodeFulfils": {
			reason:  "SwarmKit leaves a task alone whose node still fits.",
			service: template("web:1", on("node.labels.disk==ssd")), task: template("web:1"), want: true,
		},
		"ConstraintThatTheNodeDoesNotFulfil": {
			reason:  "The task has to move.",
			service: template("web:1", on("node.labels.disk==hdd")), task: template("web:1"), want: false,
		},
		"ConstraintLifted": {
			reason:  "Every node fits then.",
			service: template("web:1"), task: template("web:1", on("node.labels.disk==ssd")), want: true,
		},
		"ConstraintAndImage": {
			reason:  "The exception is for placement alone.",
			service: template("web:2", on("node.labels.disk==ssd")), task: template("web:1"), want: false,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &service{template: keyOf(tc.service), shown: &swarm.Service{}}
			s.shown.Spec.TaskTemplate = tc.service
			s.takeTasks(1, []swarm.Task{taskOf("t1", tc.task, t0)})

			if got := s.tasksView([]swarm.Node{node})[0].Current; got != tc.want {
				t.Errorf("%s\ncurrent: got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestCurrentAfterAChangeOfPorts(t *testing.T) {
	began := t0.Add(time.Hour)
	s := &service{template: keyOf(template("web:1")), shown: &swarm.Service{PreviousSpec: &swarm.ServiceSpec{}}}
	s.shown.Spec.EndpointSpec = &swarm.EndpointSpec{Ports: []swarm.PortConfig{{PublishedPort: 80}}}
	s.shown.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateUpdating, StartedAt: &began}
	s.takeTasks(1, []swarm.Task{taskOf("old", template("web:1"), t0), taskOf("new", template("web:1"), began.Add(time.Second))})

	got := map[string]bool{}
	for _, task := range s.tasksView(nil) {
		got[task.ID] = task.Current
	}
	if diff := cmp.Diff(map[string]bool{"old": false, "new": true}, got); diff != "" {
		t.Errorf("the template says nothing of ports, so the time has to (-want +got):\n%s", diff)
	}
}

func TestTasksAreOrdered(t *testing.T) {
	at := func(id string, slot int, node string, minute int) swarm.Task {
		task := taskOf(id, template("web:1"), t0.Add(time.Duration(minute)*time.Minute))
		task.Slot, task.NodeID = slot, node

		return task
	}

	cases := map[string]struct {
		reason string
		tasks  []swarm.Task
		want   []string
	}{
		"Replicated": {
			reason: "By slot, the newest first, wherever it runs.",
			tasks:  []swarm.Task{at("a", 2, "n1", 1), at("b", 1, "n2", 1), at("c", 1, "n1", 5), at("d", 1, "n3", 3)},
			want:   []string{"c", "d", "b", "a"},
		},
		"Global": {
			reason: "The node is the slot.",
			tasks:  []swarm.Task{at("a", 0, "n2", 1), at("b", 0, "n1", 1), at("c", 0, "n1", 5)},
			want:   []string{"c", "b", "a"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &service{shown: &swarm.Service{}}
			s.takeTasks(1, tc.tasks)

			var got []string
			for _, task := range s.tasksView(nil) {
				got = append(got, task.ID)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTasksNeverGoBack(t *testing.T) {
	s := &service{shown: &swarm.Service{}, changed: 1}
	newer, older := taskOf("t1", template("web:1"), t0), taskOf("t1", template("web:1"), t0)
	newer.Version.Index, newer.Status.State = 7, swarm.TaskStateRunning
	older.Version.Index, older.Status.State = 5, swarm.TaskStateStarting

	if s.tasksFresh() {
		t.Error("tasks that were never listed count as fresh")
	}
	if !changed(s.takeTasks(3, []swarm.Task{newer})) || !s.tasksFresh() {
		t.Error("the first list is no news, or not fresh")
	}
	if changed(s.takeTasks(2, nil)) {
		t.Error("a list that was begun earlier was believed")
	}
	if changed(s.takeTasks(4, []swarm.Task{older})) || s.tasksView(nil)[0].State != swarm.TaskStateRunning {
		t.Error("an older version of a task was believed")
	}
	if !changed(s.takeTasks(5, nil)) || len(s.tasksView(nil)) != 0 {
		t.Error("a task that is gone is still shown")
	}
}

func TestCountsThatDifferAskForAList(t *testing.T) {
	c := newCache()
	read := swarm.Service{ID: "s1", ServiceStatus: &swarm.ServiceStatus{RunningTasks: 1, DesiredTasks: 1}}
	read.Version.Index = 3
	read.Spec.Labels = swarmobj.Owner{Tenant: "acme", Name: "web", UID: "u1"}.Labels()

	if n := c.upsert(read, true); !n.recount {
		t.Error("a service that runs a task which is not known does not ask for a list of its tasks")
	}
	if n := c.upsert(read, true); !n.recount {
		t.Error("it does not ask again while the task is still not known")
	}

	c.services["s1"].takeTasks(c.tick(), []swarm.Task{taskOf("t1", template("web:1"), t0)})
	if n := c.upsert(read, true); n.recount || n.changed {
		t.Errorf("nothing is to be asked any more, and nothing has changed: got %+v", n)
	}
}

func TestPace(t *testing.T) {
	e := New(nil, Options{})

	cases := map[string]struct {
		reason string
		kind   kind
		took   time.Duration
		want   time.Duration
	}{
		"SmallSweep":  {"Counting is cheap in a small swarm, and tells of tasks on other nodes.", kindService, time.Millisecond, 2 * time.Second},
		"MiddleSweep": {"It takes about a hundredth of the time.", kindService, 100 * time.Millisecond, 10 * time.Second},
		"LargeSweep":  {"Without events this is how drift is found, so there is a limit.", kindService, time.Second, 30 * time.Second},
		"SmallList":   {"Other lists are for what events have missed.", kindSecret, time.Millisecond, 30 * time.Second},
		"LargeList":   {"Configs come with their data.", kindConfig, 2 * time.Second, 200 * time.Second},
		"Tasks":       {"All tasks are many, and counting finds most changes.", kindTask, 500 * time.Millisecond, 100 * time.Second},
		"HugeList":    {"However large, it is listed.", kindTask, 20 * time.Second, 10 * time.Minute},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := e.pace(tc.kind, tc.took); got != tc.want {
				t.Errorf("%s\npause: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// changed is the first of what takeTasks returns.
func changed(news, _ bool) bool { return news }

func TestHintsAreTakenOnce(t *testing.T) {
	h := newHints(nil)
	a, b := swarmobj.Owner{UID: "a"}, swarmobj.Owner{UID: "b"}
	h.add(a, b, a)
	h.add(a, swarmobj.Owner{})

	got, _ := h.take()
	if diff := cmp.Diff([]swarmobj.Owner{a, b}, got); diff != "" {
		t.Errorf("hints (-want +got):\n%s", diff)
	}
	if got, _ := h.take(); len(got) != 0 {
		t.Errorf("taken again: %v", got)
	}
}

func TestPortsOfAllServicesAreKnown(t *testing.T) {
	c := newCache()
	port := func(n uint32, p swarm.PortConfigProtocol) swarm.PortConfig {
		return swarm.PortConfig{PublishedPort: n, TargetPort: 80, Protocol: p}
	}

	ours := swarm.Service{ID: "ours"}
	ours.Version.Index = 1
	ours.Spec.Name, ours.Spec.Labels = "acme_web", swarmobj.Owner{Tenant: "acme", Name: "web", UID: "u1"}.Labels()
	ours.Spec.EndpointSpec = &swarm.EndpointSpec{Ports: []swarm.PortConfig{port(80, ""), port(0, "")}}
	ours.Endpoint.Ports = []swarm.PortConfig{port(80, swarm.PortConfigProtocolTCP), port(30000, swarm.PortConfigProtocolTCP)}
	c.upsert(ours, true)

	held := func(p swarm.PortConfig) bool {
		_, taken := c.ports.holder(p, "")
		return taken
	}

	if !held(port(80, swarm.PortConfigProtocolTCP)) || !held(port(30000, "")) {
		t.Error("a port that is asked for, or that Swarm has chosen, is not held")
	}
	if held(port(80, swarm.PortConfigProtocolUDP)) || held(port(0, "")) || held(port(81, "")) {
		t.Error("a port that nobody has is held")
	}

	ours.Version.Index, ours.Spec.EndpointSpec, ours.Endpoint.Ports = 2, nil, nil
	c.upsert(ours, true)
	if held(port(80, "")) || len(c.ports) != 0 {
		t.Errorf("ports that were given up are still held: %v", c.ports)
	}
}
