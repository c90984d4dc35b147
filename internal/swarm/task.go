package swarm

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// task is what the cache keeps of a task: what a controller needs, and what tells whether it is up to date.
type task struct {
	swarmobj.Task

	version   uint64
	container string
	template  templateKey
	address   netip.Addr
	updated   time.Time
	spec      *swarm.TaskSpec // Shared by all tasks of the service with that template.
}

// templateKey stands for the template that a task was made from. SwarmKit leaves a task alone when only its placement has
// changed and its node still fits, so that part has a key of its own.
type templateKey struct {
	body, placement uint64
}

// keyOf leaves the runtime out: the engine shows it for a service and not for its tasks.
func keyOf(t swarm.TaskSpec) templateKey {
	placement := t.Placement
	t.Placement, t.Runtime = nil, ""

	return templateKey{body: hashOf(t), placement: hashOf(placement)}
}

// takeTasks takes in the tasks of a service from a list that was begun at the given number. changed is true when somebody
// who looks sees something else now, and detailed when any task is not what it was.
func (s *service) takeTasks(begun uint64, read []swarm.Task) (changed, detailed bool) {
	if begun <= s.listed {
		return false, false // A list that was begun later has been taken in already.
	}
	wasFresh := s.tasksFresh()
	s.listed = begun

	tasks := make(map[string]task, len(read))
	changed = wasFresh != s.tasksFresh() || len(read) != len(s.tasks)

	for i := range read {
		old, known := s.tasks[read[i].ID]
		if known && read[i].Version.Index <= old.version {
			tasks[old.ID] = old
			continue
		}

		t := newTask(&read[i], old)
		s.detail(&t, &read[i])
		tasks[t.ID] = t
		detailed = true
		changed = changed || !known || t.Task != old.Task
	}

	s.tasks = tasks
	if changed {
		s.view = nil
	}
	if len(s.specs) > 1 {
		s.forgetSpecs()
	}

	return changed, detailed || changed
}

// newTask reads a task. Its template never changes, so what is known of that is kept from the last time.
func newTask(read *swarm.Task, old task) task {
	t := task{
		version:  read.Version.Index,
		template: old.template, spec: old.spec,
		Task: swarmobj.Task{
			ID: read.ID, Slot: read.Slot, NodeID: read.NodeID,
			State: read.Status.State, Desired: read.DesiredState,
			Message: read.Status.Message, Err: read.Status.Err,
			Since: read.Status.Timestamp, Created: read.CreatedAt,
			OOMKilled: old.OOMKilled, Unhealthy: old.Unhealthy,
		},
	}

	if old.ID == "" {
		t.template = keyOf(read.Spec)
	}
	if c := read.Status.ContainerStatus; c != nil {
		t.container, t.ExitCode = c.ContainerID, c.ExitCode
	}

	return t
}

// running counts the tasks as Swarm itself does in a service's status: also those that it has told to stop.
func (s *service) running() int {
	n := 0
	for _, t := range s.tasks {
		if t.State == swarm.TaskStateRunning {
			n++
		}
	}

	return n
}

// tasksFresh is true when the tasks were listed after the service last changed.
func (s *service) tasksFresh() bool { return s.listed > s.changed && !s.uncertain }

// tasksView is the tasks as a controller sees them, by slot and node, the newest first within each.
func (s *service) tasksView(nodes []swarm.Node) []swarmobj.Task {
	if s.view != nil && sameSlice(s.viewedAt, nodes) {
		return s.view
	}

	endpointSince := s.endpointChange()
	view := make([]swarmobj.Task, 0, len(s.tasks))

	for _, t := range s.tasks {
		t.Current = s.current(t, nodes) && !t.Created.Before(endpointSince)
		view = append(view, t.Task)
	}

	slices.SortFunc(view, func(a, b swarmobj.Task) int {
		return cmp.Or(
			cmp.Compare(a.Slot, b.Slot),
			slotless(a, b),
			b.Created.Compare(a.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})

	s.view, s.viewedAt = view, nodes

	return view
}

// slotless orders the tasks of a global service by their nodes, which are their slots.
func slotless(a, b swarmobj.Task) int {
	if a.Slot != 0 {
		return 0
	}

	return cmp.Compare(a.NodeID, b.NodeID)
}

// sameSlice is true for one and the same slice: the nodes are replaced as a whole when one changes.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// current is SwarmKit's own rule for whether a task has to be replaced, turned round.
func (s *service) current(t task, nodes []swarm.Node) bool {
	if t.template.body != s.template.body {
		return false
	}
	if t.template.placement == s.template.placement {
		return true
	}

	i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == t.NodeID })

	return i >= 0 && swarmobj.Permits(nodes[i], s.shown.Spec.TaskTemplate.Placement)
}

// endpointChange is when the update began that changed the published ports, if the last update did. A task does not show
// the ports it was made with, but it shows when it was made.
func (s *service) endpointChange() time.Time {
	previous, status := s.shown.PreviousSpec, s.shown.UpdateStatus
	if previous == nil || status == nil || status.StartedAt == nil ||
		hashOf(previous.EndpointSpec) == hashOf(s.shown.Spec.EndpointSpec) {
		return time.Time{}
	}

	return *status.StartedAt
}

// fate is what a task does not tell of its end, and its container does.
type fate int

const (
	fateUnknown fate = iota
	fateOOMKilled
	fateUnhealthy
)

// mark remembers how a task ended. It is true when that is news.
func (s *service) mark(taskID string, f fate) bool {
	t, known := s.tasks[taskID]
	before := t.Task
	switch f {
	case fateOOMKilled:
		t.OOMKilled = true
	case fateUnhealthy:
		t.Unhealthy = true
	}
	if !known || t.Task == before {
		return false
	}

	tasks := maps.Clone(s.tasks)
	tasks[taskID] = t
	s.tasks, s.view = tasks, nil

	return true
}
