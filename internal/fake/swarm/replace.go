package swarm

import (
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// work lets the workers replace tasks, as many slots at a time as the update allows.
func (c *Cluster) work(u *update) {
	parallel := int(u.config.Parallelism)
	if parallel == 0 {
		parallel = u.total
	}

	for _, w := range u.workers {
		c.workOn(u, w)
	}

	u.workers = slices.DeleteFunc(u.workers, func(w *worker) bool { return w.idle && c.due(w.until) })

	for len(u.queue) > 0 && len(u.workers) < parallel {
		w := &worker{key: u.queue[0]}
		u.queue = u.queue[1:]
		u.workers = append(u.workers, w)
		c.changed = true
		c.replace(u, w)
	}
}

// replace puts a task of the present template into the slot, or keeps the one that is there already.
func (c *Cluster) replace(u *update, w *worker) {
	var old, fresh []*task

	for _, t := range c.tasksOf(u.service.ID) {
		switch {
		case keyOf(t) != w.key || t.doomed():
		case c.outdated(u.service, t):
			old = append(old, t)
		default:
			fresh = append(fresh, t)
		}
	}

	if len(fresh) > 0 {
		keep := fresh[0]
		last := c.endAll(append(old, fresh[1:]...))

		if keep.DesiredState != swarm.TaskStateRunning {
			c.hold(keep, 0, last)
		}

		w.idle = true

		return
	}

	w.first = u.config.Order == swarm.UpdateOrderStartFirst
	w.task = c.newTask(u.service, w.key, swarm.TaskStateReady)
	u.made[w.task.ID] = time.Time{}

	var last *task
	if !w.first {
		last = c.endAll(old)
	}

	c.hold(w.task, 0, last)
}

// endAll ends the tasks and returns the last one that still runs.
func (c *Cluster) endAll(tasks []*task) (last *task) {
	for _, t := range tasks {
		c.setDesired(t, swarm.TaskStateShutdown)

		if !t.over() {
			last = t
		}
	}

	return last
}

// workOn waits for the slot's new task to come up. There is no limit to this wait.
func (c *Cluster) workOn(u *update, w *worker) {
	if w.idle || order[w.task.Status.State] < order[swarm.TaskStateRunning] {
		return
	}

	if w.first && w.task.Status.State == swarm.TaskStateRunning {
		for _, t := range c.tasksOf(u.service.ID) {
			if keyOf(t) == w.key && t != w.task {
				c.setDesired(t, swarm.TaskStateShutdown)
			}
		}
	}

	w.idle, w.until = true, time.Now().Add(u.config.Delay)
	c.changed = true
}
