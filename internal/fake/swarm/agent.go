package swarm

import (
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
)

// Defaults of the engine.
const (
	defaultGrace    = 10 * time.Second
	defaultInterval = 30 * time.Second
	defaultRetries  = 3
)

// runContainers moves every task that has a node a step on, as the agents of the nodes do. Nothing moves on a node that
// is cut off: it goes on with what it has.
func (c *Cluster) runContainers() {
	for _, t := range sorted(c.tasks) {
		if n := c.nodes[t.NodeID]; n == nil || n.cut() || t.over() || t.Status.State == swarm.TaskStatePending {
			continue
		}

		if t.doomed() {
			c.stop(t)

			continue
		}

		switch t.Status.State {
		case swarm.TaskStateAssigned:
			if c.due(t.stateAt.Add(c.latency.Dispatch)) {
				c.setState(t, swarm.TaskStatePreparing, "preparing", "")
			}
		case swarm.TaskStatePreparing:
			c.prepare(t)
		case swarm.TaskStateReady:
			if t.DesiredState == swarm.TaskStateRunning && c.due(later(t.stateAt, t.desiredAt).Add(c.latency.Dispatch)) {
				c.start(t)
			}
		case swarm.TaskStateStarting:
			c.awaitHealth(t)
		case swarm.TaskStateRunning:
			c.live(t)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

func (c *Cluster) prepare(t *task) {
	if !c.due(t.stateAt.Add(c.latency.Prepare)) {
		return
	}

	image := t.Spec.ContainerSpec.Image
	if _, ok := c.image(image); !ok {
		t.Status.ContainerStatus = &swarm.ContainerStatus{}
		c.setState(t, swarm.TaskStateRejected, "preparing", "No such image: "+image)

		return
	}

	t.container = c.newID()
	c.emitContainer(events.ActionCreate, t, nil)

	if t.DesiredState == swarm.TaskStateRunning {
		c.start(t)

		return
	}

	c.setState(t, swarm.TaskStateReady, "prepared", "")
}

func (c *Cluster) start(t *task) {
	t.startedAt = time.Now().Add(c.latency.Start)
	t.Status.ContainerStatus = &swarm.ContainerStatus{ContainerID: t.container, PID: int(t.born)}
	c.setState(t, swarm.TaskStateStarting, "starting", "")
}

// awaitHealth holds a task in starting until its container runs and its health check, if there is one, has passed.
func (c *Cluster) awaitHealth(t *task) {
	if !c.due(t.startedAt) {
		return
	}

	if !t.started {
		t.started, c.changed = true, true
		c.emitContainer(events.ActionStart, t, nil)
	}

	b := c.behaviour(t)
	if c.ended(t, b) {
		return
	}

	check := t.Spec.ContainerSpec.Healthcheck
	if !checks(check) {
		c.setState(t, swarm.TaskStateRunning, "started", "")

		return
	}

	interval, patience := rhythm(check)

	switch {
	case t.sick || b.Unhealthy:
		c.fallIll(t, b, t.startedAt.Add(patience))
	case c.due(t.startedAt.Add(max(interval, b.StartDelay))):
		c.emitContainer(events.ActionHealthStatusHealthy, t, nil)
		c.setState(t, swarm.TaskStateRunning, "started", "")
	}
}

// live watches a running container end by itself or fail its health check.
func (c *Cluster) live(t *task) {
	b := c.behaviour(t)
	if c.ended(t, b) {
		return
	}

	if check := t.Spec.ContainerSpec.Healthcheck; checks(check) && b.SickAfter > 0 {
		interval, _ := rhythm(check)
		c.fallIll(t, b, t.startedAt.Add(b.SickAfter+interval*time.Duration(retries(check))))
	}
}

// ended ends a container that ends by itself, when its time has come.
func (c *Cluster) ended(t *task, b Behaviour) bool {
	if !b.Exits && !b.OOM || !c.due(t.startedAt.Add(b.After)) {
		return false
	}

	if b.OOM {
		b.ExitCode, t.oomKilled = 137, true
		c.emitContainer(events.ActionOOM, t, nil)
	}

	c.exit(t, b.ExitCode, "")

	return true
}

// fallIll stops a container whose health check has failed often enough: the engine asks it to end and waits for that.
func (c *Cluster) fallIll(t *task, b Behaviour, at time.Time) {
	if !c.due(at) {
		return
	}

	if !t.sick {
		t.sick, c.changed = true, true
		c.emitContainer(events.ActionHealthStatusUnhealthy, t, nil)
	}

	code, takes := c.stopping(t, b)
	if c.due(at.Add(takes)) {
		c.exit(t, code, ": dockerexec: unhealthy container")
	}
}

// exit ends a container by itself: with code 0 the task is complete, otherwise it has failed.
func (c *Cluster) exit(t *task, code int, why string) {
	c.die(t, code)

	if code == 0 {
		c.setState(t, swarm.TaskStateComplete, "finished", "")

		return
	}

	message := t.Status.Message
	c.setState(t, swarm.TaskStateFailed, message, fmt.Sprintf("task: non-zero exit (%d)%s", code, why))
}

func (c *Cluster) die(t *task, code int) {
	t.exitCode = code
	if t.Status.ContainerStatus != nil {
		t.Status.ContainerStatus.ExitCode = code
	}

	c.emitContainer(events.ActionDie, t, map[string]string{"exitCode": fmt.Sprint(code)})
}

// stop ends a task that the swarm wants to end.
func (c *Cluster) stop(t *task) {
	at := later(t.stateAt, t.desiredAt).Add(c.latency.Dispatch)

	if !t.alive() {
		if c.due(at) {
			c.setState(t, swarm.TaskStateShutdown, "shutdown", "")
		}

		return
	}

	code, takes := c.stopping(t, c.behaviour(t))
	if c.due(at.Add(takes)) {
		c.die(t, code)
		c.setState(t, swarm.TaskStateShutdown, "shutdown", "")
	}
}

// stopping is how a container answers to being asked to end, and how long that takes.
func (c *Cluster) stopping(t *task, b Behaviour) (code int, takes time.Duration) {
	if !b.IgnoreTerm {
		return 0, c.latency.Stop
	}

	grace := defaultGrace
	if g := t.Spec.ContainerSpec.StopGracePeriod; g != nil {
		grace = *g
	}

	return 137, c.latency.Stop + grace
}

func checks(h *container.HealthConfig) bool {
	return h != nil && len(h.Test) > 0 && h.Test[0] != "NONE"
}

func retries(h *container.HealthConfig) int {
	if h.Retries == 0 {
		return defaultRetries
	}

	return h.Retries
}

// rhythm is the time between two checks, and after how long a container that never passes is given up.
func rhythm(h *container.HealthConfig) (interval, patience time.Duration) {
	interval = h.Interval
	if interval == 0 {
		interval = defaultInterval
	}

	return interval, h.StartPeriod + interval*time.Duration(retries(h))
}
