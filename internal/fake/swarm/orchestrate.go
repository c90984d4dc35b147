package swarm

import (
	"cmp"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/swarm"
)

// slotKey is a place for a running task: a number for a replicated service, a node for a global one.
type slotKey struct {
	slot int
	node string
}

func keyOf(t *task) slotKey {
	if t.Slot > 0 {
		return slotKey{slot: t.Slot}
	}

	return slotKey{node: t.NodeID}
}

// slots are the tasks of a service by their place.
type slots map[slotKey][]*task

func (s slots) keys() []slotKey {
	return slices.SortedFunc(maps.Keys(s), func(a, b slotKey) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.node, b.node))
	})
}

// orchestrate makes and ends tasks so that services have as many as they should.
func (c *Cluster) orchestrate() {
	c.endOrphans()

	for _, s := range sorted(c.services) {
		at, waiting := c.dirty[s.ID]
		if !waiting || !c.due(at) {
			continue
		}

		delete(c.dirty, s.ID)
		c.allocatePorts(s)

		if s.Spec.Mode.Global != nil {
			c.orchestrateGlobal(s)
		} else {
			c.orchestrateReplicated(s)
		}
	}

	for id := range c.dirty {
		if c.services[id] == nil {
			delete(c.dirty, id)
		}
	}
}

// endOrphans ends the tasks of services that are gone.
func (c *Cluster) endOrphans() {
	for _, t := range sorted(c.tasks) {
		if c.services[t.ServiceID] == nil {
			c.setDesired(t, swarm.TaskStateRemove)
		}
	}
}

func (c *Cluster) orchestrateReplicated(s *service) {
	live, dead := c.updatable(s)
	keys := live.keys()
	want := replicas(s.Spec)

	// Slots that run go first, so that the others are the first to be given up.
	slices.SortStableFunc(keys, func(a, b slotKey) int {
		return cmp.Compare(b2i(!running(live[a])), b2i(!running(live[b])))
	})

	c.beginUpdate(s, live, keys[:min(want, len(keys))])

	for _, key := range keys[min(want, len(keys)):] {
		for _, t := range live[key] {
			c.setDesired(t, swarm.TaskStateRemove)
		}
	}

	number := 0

	for missing := want - len(keys); missing > 0; missing-- {
		for number++; len(live[slotKey{slot: number}]) > 0; number++ {
		}

		key := slotKey{slot: number}
		delete(dead, key)
		c.newTask(s, key, swarm.TaskStateRunning)
	}

	for _, key := range dead.keys() {
		for _, t := range dead[key] {
			if t.over() {
				delete(c.tasks, t.ID)
			}
		}
	}
}

func (c *Cluster) orchestrateGlobal(s *service) {
	live, _ := c.updatable(s)

	var update []slotKey

	for _, n := range sorted(c.nodes) {
		key := slotKey{node: n.ID}

		var constraints []string
		if p := s.Spec.TaskTemplate.Placement; p != nil {
			constraints = p.Constraints
		}

		switch tasks := live[key]; {
		case !n.usable():
			for _, t := range tasks {
				c.setDesired(t, swarm.TaskStateShutdown)
			}
		case !n.satisfies(constraints):
			for _, t := range tasks {
				c.setDesired(t, swarm.TaskStateRemove)
			}
		case len(tasks) > 0:
			update = append(update, key)
		case n.Spec.Availability == swarm.NodeAvailabilityActive:
			c.newTask(s, key, swarm.TaskStateRunning)
		}
	}

	c.beginUpdate(s, live, update)
}

// updatable splits a service's slots into those that have a task, or had one that is not to be restarted, and the rest.
func (c *Cluster) updatable(s *service) (live, dead slots) {
	all := slots{}
	for _, t := range c.tasksOf(s.ID) {
		all[keyOf(t)] = append(all[keyOf(t)], t)
	}

	live, dead = slots{}, slots{}

	for key, tasks := range all {
		var wanted []*task

		for _, t := range tasks {
			if !t.doomed() {
				wanted = append(wanted, t)
			}
		}

		newest := tasks[len(tasks)-1]

		switch {
		case len(wanted) > 0:
			live[key] = wanted
		case newest.DesiredState != swarm.TaskStateRemove && !c.rollingBack(s) && !c.shouldRestart(s, newest):
			live[key] = []*task{newest}
		default:
			dead[key] = tasks
		}
	}

	return live, dead
}

func (c *Cluster) rollingBack(s *service) bool {
	return s.UpdateStatus != nil && s.UpdateStatus.State == swarm.UpdateStateRollbackStarted
}

func running(tasks []*task) bool {
	return slices.ContainsFunc(tasks, func(t *task) bool { return t.Status.State == swarm.TaskStateRunning })
}

func b2i(b bool) int {
	if b {
		return 1
	}

	return 0
}

// reap forgets tasks that nobody needs to see any more: those that were to be removed, and history beyond the limit.
func (c *Cluster) reap() {
	history := slots{}

	for _, t := range sorted(c.tasks) {
		unplaced := t.Status.State == swarm.TaskStatePending && t.doomed()
		if t.DesiredState == swarm.TaskStateRemove && (t.over() || unplaced) {
			delete(c.tasks, t.ID)

			continue
		}

		if unplaced {
			c.setState(t, swarm.TaskStateShutdown, t.Status.Message, "")
		}

		key := keyOf(t)
		key.node += "/" + t.ServiceID
		history[key] = append(history[key], t)
	}

	for _, tasks := range history {
		excess := len(tasks) - c.history
		for _, t := range tasks {
			if excess > 0 && t.doomed() && t.over() {
				delete(c.tasks, t.ID)
				excess--
			}
		}
	}
}
