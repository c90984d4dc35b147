package swarm

import (
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Mounting are the services of a tenant that mount a volume, by what engines call it, or of which a task that has not ended does, or
// that Swarm may still take back to mounting it, with all their tasks, as the read cache last saw them. An empty tenant means all. It costs no call, and time by the number of the
// tenant's services and tasks.
func (e *Engine) Mounting(tenant, source string) []swarmobj.ServiceTasks {
	e.mu.Lock()
	defer e.mu.Unlock()

	tenants := []string{tenant}
	if tenant == "" {
		tenants = tenants[:0]
		for name := range e.cache.within {
			tenants = append(tenants, name)
		}
	}

	var out []swarmobj.ServiceTasks
	for _, name := range tenants {
		for uid := range e.cache.within[name] {
			for _, s := range e.cache.owned[uid] {
				if s.mounts(source) {
					out = append(out, s.withTasks())
				}
			}
		}
	}

	return out
}

// mounts tells whether tasks of the service mount the volume, or are to.
func (s *service) mounts(source string) bool {
	if swarmobj.MountsVolume(&s.shown.Spec.TaskTemplate, source) {
		return true
	}
	if before := s.shown.PreviousSpec; before != nil && undecided(s.shown.UpdateStatus) && swarmobj.MountsVolume(&before.TaskTemplate, source) {
		return true
	}
	for _, t := range s.tasks {
		if !t.Ended() && swarmobj.MountsVolume(t.spec, source) {
			return true
		}
	}

	return false
}

// undecided is true while Swarm may roll back an update by itself, or was stopped on its way.
func undecided(s *swarm.UpdateStatus) bool {
	return s != nil && (s.State == swarm.UpdateStateUpdating || s.State == swarm.UpdateStatePaused || s.State == swarm.UpdateStateRollbackStarted)
}

// withTasks is the service as others see it.
func (s *service) withTasks() swarmobj.ServiceTasks {
	set := swarmobj.ServiceTasks{Owner: s.owner, Service: s.shown, Tasks: make([]swarmobj.TaskDetail, 0, len(s.tasks))}
	for _, t := range s.tasks {
		set.Tasks = append(set.Tasks, swarmobj.TaskDetail{
			Task: t.Task, Version: t.version, Container: t.container, Address: t.address, Updated: t.updated, Spec: t.spec,
		})
	}

	return set
}
