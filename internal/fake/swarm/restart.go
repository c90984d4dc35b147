package swarm

import (
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// Defaults of Swarm.
const (
	defaultRestartDelay = 5 * time.Second
	// oldTaskTimeout is how long a new task waits for the one it replaces to end.
	oldTaskTimeout = time.Minute
)

// restartTasks replaces tasks that have ended, or whose node is lost, as their restart policy says; and it lets tasks go
// that were held back.
func (c *Cluster) restartTasks() {
	for _, t := range sorted(c.tasks) {
		if t.doomed() {
			continue
		}

		if t.held {
			c.release(t)

			continue
		}

		s, n := c.services[t.ServiceID], c.nodes[t.NodeID]
		if s == nil || t.NodeID == "" {
			continue
		}

		if t.over() || !n.usable() {
			c.restart(s, t, n)
		}
	}
}

// hold makes a task wait for its time, and for the task it replaces to end.
func (c *Cluster) hold(t *task, delay time.Duration, after *task) {
	t.held, t.startAt, t.after = true, time.Now().Add(delay), after
	c.changed = true
}

// release lets a task run whose wait is over.
func (c *Cluster) release(t *task) {
	if !c.due(t.startAt) {
		return
	}

	if t.after != nil && !t.after.over() && !c.due(t.startAt.Add(oldTaskTimeout)) {
		return
	}

	t.held, t.after = false, nil
	t.DesiredState, t.desiredAt = swarm.TaskStateRunning, time.Now()
	t.Meta = c.meta(t.Meta)
}

// restart ends the task and makes another one in its place, if the policy wants one.
func (c *Cluster) restart(s *service, t *task, n *node) {
	again := c.shouldRestart(s, t)
	c.setDesired(t, swarm.TaskStateShutdown)

	if s.Spec.Mode.Global != nil && !n.usable() {
		return
	}

	c.touch(s.ID)

	if !again {
		return
	}

	key := keyOf(t)
	s.restarts[key] = append(s.restarts[key], time.Now())

	delay := defaultRestartDelay
	if p := s.Spec.TaskTemplate.RestartPolicy; p != nil && p.Delay != nil {
		delay = *p.Delay
	}

	if n.Spec.Availability == swarm.NodeAvailabilityDrain {
		delay = 0
	}

	after := t
	if t.over() || n.Status.State == swarm.NodeStateDown {
		after = nil
	}

	c.hold(c.newTask(s, key, swarm.TaskStateReady), delay, after)
}

// shouldRestart is the restart policy.
func (c *Cluster) shouldRestart(s *service, t *task) bool {
	p := t.Spec.RestartPolicy
	if p == nil {
		return true
	}

	switch p.Condition {
	case swarm.RestartPolicyConditionNone:
		return false
	case swarm.RestartPolicyConditionOnFailure:
		if t.Status.State == swarm.TaskStateComplete {
			return false
		}
	}

	if p.MaxAttempts == nil || *p.MaxAttempts == 0 {
		return true
	}

	attempts := uint64(0)

	for _, at := range s.restarts[keyOf(t)] {
		if p.Window == nil || *p.Window == 0 || time.Since(at) <= *p.Window {
			attempts++
		}
	}

	return attempts < *p.MaxAttempts
}
