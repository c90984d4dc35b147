package swarm

import (
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// A job runs once when it is made, and again with every update of its service, whatever that changes. Its tasks fill slots from
// 0 on, one for each completion; a task that has failed is replaced in its slot as the restart policy says, and when it is not,
// the slot stays as it is.

func isJob(spec swarm.ServiceSpec) bool { return spec.Mode.ReplicatedJob != nil }

// validateJob checks what the engine does not take in a job.
func validateJob(spec swarm.ServiceSpec) error {
	job := spec.Mode.ReplicatedJob

	switch {
	case job == nil:
		return nil
	case spec.Mode.Replicated != nil || spec.Mode.Global != nil:
		return refuse(400, "must specify only one service mode")
	case spec.UpdateConfig != nil:
		return refuse(400, "rpc error: code = InvalidArgument desc = job may not have update config")
	case spec.RollbackConfig != nil:
		return refuse(400, "rpc error: code = InvalidArgument desc = job may not have rollback config")
	}

	return nil
}

// filledJob adds what the engine adds to a job.
func filledJob(job *swarm.ReplicatedJob) {
	if job.MaxConcurrent == nil {
		job.MaxConcurrent = new(uint64(1))
	}
	if job.TotalCompletions == nil {
		job.TotalCompletions = new(*job.MaxConcurrent)
	}
}

// execute begins another run of a job.
func (s *service) execute() {
	if !isJob(s.Spec) {
		return
	}
	if s.JobStatus == nil {
		s.JobStatus = &swarm.JobStatus{}
	} else {
		s.JobStatus = &swarm.JobStatus{JobIteration: swarm.Version{Index: s.JobStatus.JobIteration.Index + 1}}
	}
	s.JobStatus.LastExecution = time.Now().UTC()
}

// mine is true for a task of the run that goes on.
func (s *service) mine(t *task) bool {
	return s.JobStatus != nil && t.JobIteration != nil && t.JobIteration.Index == s.JobStatus.JobIteration.Index
}

// ofJob is true for a task of a job, of which no history limit makes the swarm forget any.
func ofJob(t *task) bool { return t.JobIteration != nil }

// orchestrateJob makes as many tasks as may run at once and are still to complete.
func (c *Cluster) orchestrateJob(s *service) {
	taken := map[int]bool{}
	var active, complete uint64

	for _, t := range c.tasksOf(s.ID) {
		switch {
		case !s.mine(t):
			if !t.over() {
				c.setDesired(t, swarm.TaskStateRemove)
			}
		case t.Status.State == swarm.TaskStateComplete:
			complete++
			taken[t.Slot] = true
		case !t.doomed():
			active++
			taken[t.Slot] = true
		}
	}

	job := s.Spec.Mode.ReplicatedJob
	for left := *job.TotalCompletions; active < *job.MaxConcurrent && active+complete < left; active++ {
		slot := 0
		for taken[slot] {
			slot++
		}
		taken[slot] = true
		c.newJobTask(s, slot, swarm.TaskStateComplete)
	}
}

func (c *Cluster) newJobTask(s *service, slot int, desired swarm.TaskState) *task {
	t := c.newTask(s, slotKey{slot: slot}, desired)
	t.JobIteration = &swarm.Version{Index: s.JobStatus.JobIteration.Index}

	return t
}

// restartJob replaces a task of a job that has failed, or whose node is lost, if the policy wants that. One that is not replaced
// stays as it ended, and keeps its slot.
func (c *Cluster) restartJob(s *service, t *task, n *node) {
	if t.Status.State == swarm.TaskStateComplete || !s.mine(t) {
		return
	}
	if !c.shouldRestart(s, t) {
		return
	}

	c.setDesired(t, swarm.TaskStateShutdown)
	c.touch(s.ID)

	key := jobKey(t)
	s.restarts[key] = append(s.restarts[key], time.Now())

	delay := defaultRestartDelay
	if p := t.Spec.RestartPolicy; p != nil && p.Delay != nil {
		delay = *p.Delay
	}
	if n.Spec.Availability == swarm.NodeAvailabilityDrain {
		delay = 0
	}
	after := t
	if t.over() || n.Status.State == swarm.NodeStateDown {
		after = nil
	}

	c.hold(c.newJobTask(s, t.Slot, swarm.TaskStateReady), delay, after)
}

// jobKey is the place of a task of a job: its slots begin at 0, which elsewhere stands for none.
func jobKey(t *task) slotKey { return slotKey{slot: t.Slot, node: "job"} }

// countJob is a job's tasks in numbers.
func (c *Cluster) countJob(s *service) *swarm.ServiceStatus {
	status := &swarm.ServiceStatus{}
	tasks := slices.DeleteFunc(c.tasksOf(s.ID), func(t *task) bool { return !s.mine(t) })

	for _, t := range tasks {
		switch {
		case t.Status.State == swarm.TaskStateComplete:
			status.CompletedTasks++
		case t.Status.State == swarm.TaskStateRunning:
			status.RunningTasks++
		}
		if !t.doomed() && !t.over() {
			status.DesiredTasks++
		}
	}

	return status
}
