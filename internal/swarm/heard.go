package swarm

import (
	"github.com/docker/docker/api/types/events"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// OwnNode is the ID of the node of the connected engine; empty before that has answered.
func (e *Engine) OwnNode() string {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.nodeID
}

// Heard takes in an event of a container on another node, whose engine this process cannot ask. It does what the same event
// of the connected engine does: the tasks of the service are listed at once, and how one ended is known. What a node tells of
// a task of another one is not believed.
func (e *Engine) Heard(node string, m events.Message) {
	service, taskID := m.Actor.Attributes[labelServiceID], m.Actor.Attributes[labelTaskID]

	e.mu.Lock()
	defer e.mu.Unlock()

	s, known := e.cache.services[service]
	if !known || s.owner == (swarmobj.Owner{}) {
		return
	}
	e.metrics.events.WithLabelValues(eventType(m.Type)).Inc()
	// A task that is not in the cache yet has an ID that only its own node can have been told.
	if t, listed := s.tasks[taskID]; !listed || t.NodeID == node {
		if f := fateOf(m.Action); f != fateUnknown {
			e.befell(service, taskID, f)
		}
	}
	e.heat(service)
}

// Subject says whose task it is. It is false while that is not known; for the task of a service that is not ours it is true
// with the zero Owner.
func (e *Engine) Subject(service, taskID string) (telemetry.Subject, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	s, known := e.cache.services[service]
	if !known {
		return telemetry.Subject{}, false
	}
	if s.owner == (swarmobj.Owner{}) {
		return telemetry.Subject{}, true
	}
	t, known := s.tasks[taskID]
	if !known {
		return telemetry.Subject{}, false
	}

	return telemetry.Subject{
		Owner: s.owner, Pod: swarmobj.PodName(s.owner, t.Slot, t.NodeID, t.ID),
		Task: t.ID, Service: service, Node: t.NodeID, Slot: t.Slot,
	}, true
}
