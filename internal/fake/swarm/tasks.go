package swarm

import (
	"context"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// task is a task and the container that its node runs for it.
type task struct {
	born
	swarm.Task
	serviceName string
	labels      map[string]string // of the service, by which task lists are filtered
	endpoint    *swarm.EndpointSpec

	stateAt, desiredAt time.Time
	// startAt and after hold a task back that is wanted later: not before startAt, and not while after runs.
	held    bool
	startAt time.Time
	after   *task

	container string
	startedAt time.Time
	exitCode  int
	oomKilled bool
	started   bool
	sick      bool
}

// order is the place of a state in the life of a task.
var order = map[swarm.TaskState]int{
	swarm.TaskStateNew: 0, swarm.TaskStatePending: 1, swarm.TaskStateAssigned: 2, swarm.TaskStateAccepted: 3,
	swarm.TaskStatePreparing: 4, swarm.TaskStateReady: 5, swarm.TaskStateStarting: 6, swarm.TaskStateRunning: 7,
	swarm.TaskStateComplete: 8, swarm.TaskStateShutdown: 9, swarm.TaskStateFailed: 10, swarm.TaskStateRejected: 11,
	swarm.TaskStateRemove: 12, swarm.TaskStateOrphaned: 13,
}

// over is true for a task that will never run again.
func (t *task) over() bool { return order[t.Status.State] > order[swarm.TaskStateRunning] }

// doomed is true for a task that is meant to end.
func (t *task) doomed() bool { return order[t.DesiredState] > order[swarm.TaskStateRunning] }

// alive is true while the task's container runs.
func (t *task) alive() bool {
	return t.Status.State == swarm.TaskStateStarting || t.Status.State == swarm.TaskStateRunning
}

// newTask makes a task of the service's present template.
func (c *Cluster) newTask(s *service, key slotKey, desired swarm.TaskState) *task {
	t := &task{born: c.next(), serviceName: s.name(), labels: s.Spec.Labels}
	t.ID, t.ServiceID, t.Slot, t.NodeID = c.newID(), s.ID, key.slot, key.node
	t.Labels = map[string]string{}
	t.Spec = templateOf(s)
	t.endpoint = s.Spec.EndpointSpec
	t.DesiredState, t.desiredAt = desired, time.Now()
	c.tasks[t.ID] = t
	c.setState(t, swarm.TaskStatePending, "pending task scheduling", "")

	return t
}

// templateOf is the service's template as its tasks show it.
func templateOf(s *service) swarm.TaskSpec {
	spec := clone(s.Spec.TaskTemplate)
	spec.Runtime = ""

	return spec
}

// outdated tells whether the task must be replaced to be what the service asks for now. Constraints that its node
// satisfies anyway do not count.
func (c *Cluster) outdated(s *service, t *task) bool {
	want, have := templateOf(s), t.Spec

	if n := c.nodes[t.NodeID]; n != nil && want.Placement != nil && n.satisfies(want.Placement.Constraints) || want.Placement == nil {
		want.Placement, have.Placement = withoutConstraints(want.Placement), withoutConstraints(have.Placement)
	}

	return !equal(want, have) || !equal(s.Spec.EndpointSpec, t.endpoint)
}

func withoutConstraints(p *swarm.Placement) *swarm.Placement {
	if p == nil {
		return nil
	}

	rest := *p
	rest.Constraints = nil

	if equal(rest, swarm.Placement{}) {
		return nil
	}

	return &rest
}

func ports(e *swarm.EndpointSpec) []swarm.PortConfig {
	if e == nil {
		return nil
	}

	return e.Ports
}

func (c *Cluster) setState(t *task, state swarm.TaskState, message, failure string) {
	now := time.Now()
	t.stateAt = now
	t.Status.State, t.Status.Message, t.Status.Err, t.Status.Timestamp = state, message, failure, now.UTC()
	t.Meta = c.meta(t.Meta)
}

func (c *Cluster) setDesired(t *task, state swarm.TaskState) {
	if t.DesiredState == state || order[state] < order[t.DesiredState] {
		return
	}

	t.DesiredState, t.desiredAt, t.held = state, time.Now(), false
	t.Meta = c.meta(t.Meta)
}

// tasksOf returns the tasks of a service in the order in which they were made.
func (c *Cluster) tasksOf(serviceID string) []*task {
	var out []*task

	for _, t := range sorted(c.tasks) {
		if t.ServiceID == serviceID {
			out = append(out, t)
		}
	}

	return out
}

// TaskList lists tasks. Asking for those of a service that is gone is an error, although tasks of it may be left.
func (c *Client) TaskList(ctx context.Context, options swarm.TaskListOptions) ([]swarm.Task, error) {
	return do(ctx, c, "TaskList", strings.Join(options.Filters.Get("service"), ","), false, func() ([]swarm.Task, error) {
		f := options.Filters

		services := map[string]bool{}

		for _, ref := range f.Get("service") {
			s, ok := find(c.cluster.services, ref, (*service).name)
			if !ok {
				return nil, notFound("service", ref)
			}

			services[s.ID] = true
		}

		var out []swarm.Task

		for _, t := range sorted(c.cluster.tasks) {
			wanted := (len(services) == 0 || services[t.ServiceID]) &&
				byPrefix(f.Get("id"), t.ID) && byPrefix(f.Get("name"), t.serviceName) &&
				f.MatchKVList("label", t.labels) && f.ExactMatch("desired-state", string(t.DesiredState)) &&
				(!f.Contains("node") || f.ExactMatch("node", t.NodeID))
			if wanted {
				out = append(out, show(t.Task))
			}
		}

		return out, nil
	})
}

// Container is a container that runs on a node, whether or not the swarm still knows why.
type Container struct {
	Service, ServiceID, TaskID, Node, Image string
}

// Containers returns what really runs, on all nodes.
func (c *Cluster) Containers() []Container {
	c.mu.Lock()
	defer c.mu.Unlock()

	var out []Container

	for _, t := range sorted(c.tasks) {
		if t.alive() {
			out = append(out, Container{
				Service: t.serviceName, ServiceID: t.ServiceID, TaskID: t.ID,
				Node: c.nodes[t.NodeID].Description.Hostname, Image: t.Spec.ContainerSpec.Image,
			})
		}
	}

	return out
}
