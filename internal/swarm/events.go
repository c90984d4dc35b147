package swarm

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/dogker/dogker/reconciler/logkey"
)

// Labels that the engine puts on the containers of tasks.
const (
	labelServiceID = "com.docker.swarm.service.id"
	labelTaskID    = "com.docker.swarm.task.id"
)

// stream is one subscription to the engine's events. Events are hints: each says what to read again, and none is needed.
type stream struct {
	options events.ListOptions
	handle  func(events.Message)
	// broken is what to do about events that were missed.
	broken func()

	messages <-chan events.Message
	errs     <-chan error
	cancel   context.CancelFunc
}

func (e *Engine) streams() []*stream {
	return []*stream{
		{
			options: events.ListOptions{Filters: filters.NewArgs(
				filters.Arg("scope", "swarm"),
				filters.Arg("type", string(events.ServiceEventType)), filters.Arg("type", string(events.NodeEventType)),
				filters.Arg("type", string(events.NetworkEventType)), filters.Arg("type", string(events.SecretEventType)),
				filters.Arg("type", string(events.ConfigEventType)),
			)},
			handle: e.swarmEvent,
			broken: e.listEverything,
		},
		{
			options: events.ListOptions{Filters: filters.NewArgs(
				filters.Arg("type", string(events.ContainerEventType)), filters.Arg("label", labelServiceID),
				filters.Arg("event", "start"), filters.Arg("event", "die"),
				filters.Arg("event", "oom"), filters.Arg("event", "health_status"),
			)},
			handle: e.containerEvent,
			broken: func() {},
		},
	}
}

// connect subscribes. It returns when the engine has answered, or after a while: then the stream breaks at once.
func (s *stream) connect(ctx context.Context, e *Engine) {
	const patience = 5 * time.Second

	if s.cancel != nil {
		s.cancel()
	}
	ctx, s.cancel = context.WithCancel(ctx)

	watchdog := time.AfterFunc(patience, s.cancel)
	defer watchdog.Stop()

	s.messages, s.errs = e.api.Events(ctx, s.options)
}

// run takes in events until the context ends, and subscribes again when the stream breaks. Events that come before the
// first lists have been read are taken in as well: they may be about what the lists missed.
func (s *stream) run(ctx context.Context, e *Engine) error {
	defer func() { s.cancel() }()

	const shortest, longest = 100 * time.Millisecond, 5 * time.Second

	for wait := shortest; ; {
		began := time.Now()
		err := s.consume(ctx, e)
		if ctx.Err() != nil {
			return ctx.Err()
		}

		if !errors.Is(err, io.EOF) && err != nil {
			err = translateRead(err)
		}
		e.log.InfoContext(ctx, "Event stream has ended, subscribing again", logkey.Err, err)
		e.doubtEngine()

		if time.Since(began) > longest {
			wait = shortest
		}
		if !pause(ctx, wait) {
			return ctx.Err()
		}
		wait = min(2*wait, longest)

		s.connect(ctx, e)
		s.broken()
	}
}

func (s *stream) consume(ctx context.Context, e *Engine) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, open := <-s.messages:
			if !open {
				s.messages = nil // What ended it comes from the other channel.
				continue
			}
			e.metrics.events.WithLabelValues(eventType(m.Type)).Inc()
			s.handle(m)
		case err := <-s.errs:
			return err
		}
	}
}

// eventType is the label of the event metric, from a closed set.
func eventType(t events.Type) string {
	switch t {
	case events.ServiceEventType, events.NodeEventType, events.NetworkEventType,
		events.SecretEventType, events.ConfigEventType, events.ContainerEventType:
		return string(t)
	default:
		return "other"
	}
}

// How long after an event the object is read. An event of our own write tells nothing that we do not know, but the object
// has got a version by it.
const (
	foreignDelay = 0
	ownDelay     = 20 * time.Millisecond
)

// swarmEvent notes what has to be read again.
func (e *Engine) swarmEvent(m events.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()

	id, name, removal := m.Actor.ID, m.Actor.Attributes["name"], m.Action == events.ActionRemove

	switch m.Type {
	case events.NodeEventType:
		e.soon(kindNode, id, foreignDelay)
	case events.ServiceEventType:
		s, known := e.cache.services[id]
		if own := e.inFlight[inFlightKey(kindService, name)] > 0 || known && s.uncertain; own && !removal {
			e.soon(kindService, id, ownDelay)
			return
		}
		if e.cache.buried(id) || removal && !known {
			return
		}
		e.soon(kindService, id, foreignDelay)
	case events.NetworkEventType, events.SecretEventType, events.ConfigEventType:
		e.contentEvent(kind(m.Type), m)
	}
}

// contentEvent is about an object of which nothing but the labels can change, and of a network not even those.
func (e *Engine) contentEvent(k kind, m events.Message) {
	id, name := m.Actor.ID, m.Actor.Attributes["name"]
	_, known := e.cache.itemsOf(k)[id]

	var news bool
	switch m.Action {
	case events.ActionRemove:
		news = known
	case events.ActionCreate:
		news = !known && e.inFlight[inFlightKey(k, name)] == 0
	default:
		news = !known && e.inFlight[inFlightKey(k, name)] == 0 || known && k != kindNetwork
	}

	if news && !e.cache.buried(id) {
		e.soon(k, id, foreignDelay)
	}
}

// containerEvent makes the tasks of the service be listed. The manager hears of a change of a task a little later than
// the engine that runs it tells us, so they are watched for a while.
func (e *Engine) containerEvent(m events.Message) {
	service, taskID := m.Actor.Attributes[labelServiceID], m.Actor.Attributes[labelTaskID]

	e.mu.Lock()
	defer e.mu.Unlock()

	if f := fateOf(m.Action); f != fateUnknown {
		e.befell(service, taskID, f)
	}
	e.heat(service)
}

// fateOf is what an event tells of how a container will end.
func fateOf(a events.Action) fate {
	switch {
	case a == events.ActionHealthStatusUnhealthy:
		return fateUnhealthy
	case strings.HasPrefix(string(a), string(events.ActionOOM)):
		return fateOOMKilled
	default:
		return fateUnknown
	}
}

// befell notes how a task of a service ends. The engine's lock is held.
func (e *Engine) befell(serviceID, taskID string, f fate) {
	const limit = 1000

	s, known := e.cache.services[serviceID]
	if !known {
		return
	}
	if s.mark(taskID, f) {
		e.hints.add(s.owner)
		return
	}

	if len(e.fates) >= limit {
		clear(e.fates)
	}
	e.fates[taskID] = f
}

// soon asks for an object to be read again. Without a delay it is urgent. The engine's lock is held.
func (e *Engine) soon(k kind, id string, delay time.Duration) {
	if e.dirty[k] == nil {
		e.dirty[k] = map[string]asked{}
	}

	a := asked{at: time.Now().Add(delay), urgent: delay == foreignDelay}
	if old, known := e.dirty[k][id]; known {
		a.urgent = a.urgent || old.urgent
		if old.at.Before(a.at) {
			a.at = old.at
		}
	}
	e.dirty[k][id] = a

	poke(e.wakeReader)
}

// listEverything asks for all kinds to be listed, because events may have been missed.
func (e *Engine) listEverything() {
	e.mu.Lock()
	defer e.mu.Unlock()

	for _, k := range kinds {
		e.due[k] = time.Now()
	}

	poke(e.wakeReader)
}
