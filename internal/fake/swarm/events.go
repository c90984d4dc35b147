package swarm

import (
	"context"
	"io"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
)

const (
	// ringSize is how many events the engine keeps for those who ask for the past.
	ringSize = 256
	// subscriberSize is how far a subscriber may be behind before events pass it by.
	subscriberSize = 1024
)

// stream is the engine's event bus.
type stream struct {
	ring        []events.Message
	subscribers []*subscriber
	tamper      func(events.Message) []Delivery
	last        int64
}

// subscriber is one open stream.
type subscriber struct {
	filter func(events.Message) bool
	queue  chan events.Message
	cut    chan struct{}
	once   sync.Once
}

// Delivery is an event that is delivered, after a while.
type Delivery struct {
	events.Message
	After time.Duration
}

// TamperEvents decides what becomes of each event: delivered once, never, twice, later. Real engines lose events to slow
// readers, to restarts and to a ring that is too short. nil delivers each once, at once.
func (c *Cluster) TamperEvents(tamper func(events.Message) []Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.stream.tamper = tamper
}

// DropEvents makes the engine lose the events for which drop is true, and deliver the others at once; nil loses none.
func (c *Cluster) DropEvents(drop func(events.Message) bool) {
	if drop == nil {
		c.TamperEvents(nil)

		return
	}

	c.TamperEvents(func(m events.Message) []Delivery {
		if drop(m) {
			return nil
		}

		return []Delivery{{Message: m}}
	})
}

// CutEvents ends all open streams, as a restart of the engine does.
func (c *Cluster) CutEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.stream.cut()
}

func (s *stream) cut() {
	for _, sub := range s.subscribers {
		sub.once.Do(func() { close(sub.cut) })
	}

	s.subscribers = nil
}

// emit tells what has happened to an object of the swarm.
func (c *Cluster) emit(kind events.Type, action events.Action, id string, attributes map[string]string) {
	c.send(events.Message{Type: kind, Action: action, Scope: "swarm", Actor: events.Actor{ID: id, Attributes: attributes}})
}

// emitContainer tells what has happened to a container of a task, if it is on the engine that clients talk to: events of
// containers stay on their node.
func (c *Cluster) emitContainer(action events.Action, t *task, more map[string]string) {
	if t.NodeID != sorted(c.nodes)[0].ID {
		return
	}

	name := t.serviceName + "." + t.slotName() + "." + t.ID
	attributes := map[string]string{
		"com.docker.swarm.node.id":      t.NodeID,
		"com.docker.swarm.service.id":   t.ServiceID,
		"com.docker.swarm.service.name": t.serviceName,
		"com.docker.swarm.task":         "",
		"com.docker.swarm.task.id":      t.ID,
		"com.docker.swarm.task.name":    name,
		"image":                         t.Spec.ContainerSpec.Image,
		"name":                          name,
	}
	maps.Copy(attributes, more)
	c.send(events.Message{Type: events.ContainerEventType, Action: action, Scope: "local", Actor: events.Actor{ID: t.container, Attributes: attributes}})
}

func (t *task) slotName() string {
	if t.Slot == 0 {
		return t.NodeID
	}

	return strconv.Itoa(t.Slot)
}

func (c *Cluster) send(m events.Message) {
	// No two events have the same time, however many happen at once.
	c.stream.last = max(c.stream.last+1, time.Now().UnixNano())
	m.TimeNano = c.stream.last
	m.Time = m.TimeNano / int64(time.Second)

	if c.stream.tamper == nil {
		c.deliver(m)

		return
	}

	for _, d := range c.stream.tamper(m) {
		if d.After == 0 {
			c.deliver(d.Message)

			continue
		}

		time.AfterFunc(d.After, func() {
			c.mu.Lock()
			defer c.mu.Unlock()

			c.deliver(d.Message)
		})
	}
}

func (c *Cluster) deliver(m events.Message) {
	c.stream.ring = append(c.stream.ring, m)
	if len(c.stream.ring) > ringSize {
		c.stream.ring = c.stream.ring[1:]
	}

	for _, sub := range c.stream.subscribers {
		sub.offer(m)
	}
}

// offer gives the event to the subscriber, unless that one is too far behind: then it is lost to it.
func (s *subscriber) offer(m events.Message) {
	if !s.filter(m) {
		return
	}

	select {
	case s.queue <- m:
	default:
	}
}

// Events opens a stream. It ends with the context, with io.EOF when the engine goes away, or with the hook's error.
func (c *Client) Events(ctx context.Context, options events.ListOptions) (<-chan events.Message, <-chan error) {
	messages, errs := make(chan events.Message), make(chan error, 1)

	sub, err := do(ctx, c, "Events", "", false, func() (*subscriber, error) {
		sub := &subscriber{
			filter: eventFilter(options),
			queue:  make(chan events.Message, subscriberSize),
			cut:    make(chan struct{}),
		}

		if since := parseTime(options.Since); since > 0 {
			for _, m := range c.cluster.stream.ring {
				if m.TimeNano >= since {
					sub.offer(m)
				}
			}
		}

		c.cluster.stream.subscribers = append(c.cluster.stream.subscribers, sub)

		return sub, nil
	})
	if err != nil {
		errs <- err
		close(errs)

		return messages, errs
	}

	go func() {
		defer close(errs)

		errs <- pump(ctx, sub, messages)
	}()

	return messages, errs
}

// pump hands events on until the stream ends, and says why it did.
func pump(ctx context.Context, sub *subscriber, messages chan<- events.Message) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sub.cut:
			return io.EOF
		case m := <-sub.queue:
			select {
			case messages <- m:
			case <-sub.cut:
				return io.EOF
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func eventFilter(options events.ListOptions) func(events.Message) bool {
	f := options.Filters

	return func(m events.Message) bool {
		return f.ExactMatch("type", string(m.Type)) &&
			f.ExactMatch("event", string(m.Action)) &&
			f.ExactMatch("scope", m.Scope) &&
			f.MatchKVList("label", m.Actor.Attributes)
	}
}

// parseTime reads seconds.nanoseconds, as Docker's client writes times.
func parseTime(s string) int64 {
	if s == "" {
		return 0
	}

	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UnixNano()
	}

	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}

	return int64(seconds * float64(time.Second))
}
