package swarm

import (
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
)

// defaultMonitor is how long a new task is watched when the service does not say.
const defaultMonitor = 5 * time.Second

// update is a rolling update in progress: slots whose tasks are outdated, replaced a few at a time.
type update struct {
	service *service
	spec    swarm.ServiceSpec // that is rolled out; another one ends this update
	back    bool              // a rollback is never rolled back

	config  swarm.UpdateConfig
	queue   []slotKey
	total   int
	workers []*worker
	// made are the tasks of this update, and since when they run; zero until they do.
	made map[string]time.Time
	seen map[string]bool
	// failures are how many of them ended too soon.
	failures int
	// until is the end of the watch after the last task.
	until time.Time
}

// worker replaces the tasks of one slot.
type worker struct {
	key   slotKey
	task  *task
	first bool      // the new task starts before the old one stops
	until time.Time // end of the delay after it
	idle  bool      // the slot is done
}

// beginUpdate starts to replace outdated tasks of the slots, unless that is being done already.
func (c *Cluster) beginUpdate(s *service, live slots, keys []slotKey) {
	if u := c.updates[s.ID]; u != nil {
		if equal(u.spec, s.Spec) {
			return
		}

		delete(c.updates, s.ID)
	}

	if s.UpdateStatus != nil && (s.UpdateStatus.State == swarm.UpdateStatePaused || s.UpdateStatus.State == swarm.UpdateStateRollbackPaused) {
		return
	}

	var outdated []slotKey

	for _, key := range keys {
		if len(live[key]) > 1 || c.outdated(s, live[key][0]) {
			outdated = append(outdated, key)
		}
	}

	if len(outdated) == 0 {
		c.finishUpdate(s)

		return
	}

	if s.UpdateStatus == nil {
		c.setUpdateStatus(s, swarm.UpdateStatus{State: swarm.UpdateStateUpdating, StartedAt: nowUTC(), Message: "update in progress"})
	}

	u := &update{service: s, spec: s.Spec, back: c.rollingBack(s), queue: outdated, total: len(outdated), made: map[string]time.Time{}, seen: map[string]bool{}}
	u.config = updateConfig(s, u.back)
	c.updates[s.ID] = u
	c.changed = true
}

func updateConfig(s *service, back bool) swarm.UpdateConfig {
	config := swarm.UpdateConfig{Parallelism: 1, FailureAction: swarm.UpdateFailureActionPause, Order: swarm.UpdateOrderStopFirst}

	wanted := s.Spec.UpdateConfig
	if back {
		wanted = s.Spec.RollbackConfig
	}

	if wanted != nil {
		config = *wanted
	}

	if config.Monitor == 0 {
		config.Monitor = defaultMonitor
	}

	return config
}

// runUpdates moves every update on.
func (c *Cluster) runUpdates() {
	for _, s := range sorted(c.services) {
		u := c.updates[s.ID]
		if u == nil {
			continue
		}

		c.noteStarts(u)

		if c.noteFailures(u) {
			delete(c.updates, s.ID)
			c.changed = true

			continue
		}

		c.work(u)

		if len(u.queue) > 0 || len(u.workers) > 0 {
			continue
		}

		if u.until.IsZero() {
			u.until = time.Now().Add(u.config.Monitor)
		}

		if c.due(u.until) {
			delete(c.updates, s.ID)
			c.finishUpdate(s)
			c.changed = true
		}
	}
}

// noteStarts remembers since when the update's tasks run, or have failed to.
func (c *Cluster) noteStarts(u *update) {
	for id, since := range u.made {
		if t := c.tasks[id]; since.IsZero() && t != nil && t.Status.State == swarm.TaskStateRunning {
			u.made[id] = time.Now()
		}
	}
}

// noteFailures counts tasks of this update that ended too soon, and takes the failure action when there are too many. It
// is true when the update is over.
func (c *Cluster) noteFailures(u *update) bool {
	if u.config.FailureAction == swarm.UpdateFailureActionContinue {
		return false
	}

	for _, t := range sorted(c.tasks) {
		since, mine := u.made[t.ID]
		if !mine || u.seen[t.ID] || !t.over() || t.Status.State == swarm.TaskStateShutdown && t.doomed() {
			continue
		}

		u.seen[t.ID] = true

		if !since.IsZero() && t.stateAt.Sub(since) > u.config.Monitor {
			continue
		}

		u.failures++

		if float32(u.failures)/float32(u.total) > u.config.MaxFailureRatio {
			c.failUpdate(u, t)

			return true
		}
	}

	return false
}

// failUpdate takes the failure action. It is without effect, though the update ends, when another write has reset the
// status meanwhile: nothing is left that could be paused or rolled back.
func (c *Cluster) failUpdate(u *update, t *task) {
	s := u.service

	switch {
	case u.back:
		c.pause(s, swarm.UpdateStateRollbackPaused, "rollback paused due to failure or early termination of task "+t.ID)
	case u.config.FailureAction == swarm.UpdateFailureActionPause:
		c.pause(s, swarm.UpdateStatePaused, "update paused due to failure or early termination of task "+t.ID)
	default:
		c.rollBack(s, "update rolled back due to failure or early termination of task "+t.ID)
	}
}

func (c *Cluster) pause(s *service, state swarm.UpdateState, message string) {
	if s.UpdateStatus != nil {
		c.setUpdateStatus(s, swarm.UpdateStatus{State: state, StartedAt: s.UpdateStatus.StartedAt, Message: message})
	}
}

func (c *Cluster) rollBack(s *service, message string) {
	if s.UpdateStatus == nil || s.PreviousSpec == nil {
		return
	}

	started := s.UpdateStatus.StartedAt
	spec := *s.PreviousSpec
	old := s.Service
	s.Spec, s.PreviousSpec = spec, nil
	s.restarts = map[slotKey][]time.Time{}
	s.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateRollbackStarted, StartedAt: started, Message: message}
	c.writeService(s, events.ActionUpdate, &old)
}

// finishUpdate marks an update as completed, if there is still a status to mark.
func (c *Cluster) finishUpdate(s *service) {
	if s.UpdateStatus == nil {
		return
	}

	status := *s.UpdateStatus
	status.CompletedAt = nowUTC()

	switch status.State {
	case swarm.UpdateStateUpdating:
		status.State, status.Message = swarm.UpdateStateCompleted, "update completed"
	case swarm.UpdateStateRollbackStarted:
		status.State, status.Message = swarm.UpdateStateRollbackCompleted, "rollback completed"
	default:
		return
	}

	c.setUpdateStatus(s, status)
}

func (c *Cluster) setUpdateStatus(s *service, status swarm.UpdateStatus) {
	old := s.Service
	s.UpdateStatus = &status
	c.writeService(s, events.ActionUpdate, &old)
}
