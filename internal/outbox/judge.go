package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// firstPause and maxPause are about how long a lane that takes nothing, or a notice that was refused, is left alone. The
	// time doubles with each failure.
	firstPause = 2 * time.Second
	maxPause   = 15 * time.Minute
	// maxRefusals is how often a notice is refused until it is given up: it takes about two hours, in which what was set
	// up wrong, or answers in the place of something that is down, can be put right.
	maxRefusals = 16
	// stale is how old a notice is when it is not tried any more: what it says has been overtaken.
	stale = 7 * 24 * time.Hour
)

// Reasons of a DeliveryState.
const (
	// ReasonUnreachable is that nothing can be delivered now, and is tried again.
	ReasonUnreachable = "Unreachable"
	// ReasonRefused is that a notice was refused, and is tried again.
	ReasonRefused = "Refused"
	// ReasonGivenUp is that a notice was given up.
	ReasonGivenUp = "GivenUp"
)

// judge says what follows from a try.
func (d *Deliverer) judge(ctx context.Context, j job, err error) (attempt, alert.DeliveryState) {
	q, now := d.o.Queue, d.o.Queue.now().UTC()
	a, n := j.record.To[j.target.Key()], j.record.Notification
	s := d.stateOf(n.Receiver)
	a.Tries++
	a.Error, a.Next = "", time.Time{}
	if err == nil {
		d.reached(ctx, j.target.Lane())
		q.metrics.count(outcomeDelivered)
		a.Outcome, s.Delivered = outcomeDelivered, now

		return a, s
	}

	a.Error, s.Failed, s.Message = err.Error(), now, says(err)
	level := slog.LevelDebug // What goes on failing was said when it began.
	switch {
	case errors.Is(err, ErrFinal), errors.Is(err, ErrRefused) && a.Refusals+1 >= maxRefusals:
		a.Outcome, s.Reason, level = outcomeGivenUp, ReasonGivenUp, slog.LevelError
		d.reached(ctx, j.target.Lane())
	case errors.Is(err, ErrRefused), errors.Is(err, ErrLater):
		if a.Tries == 1 {
			level = slog.LevelWarn
		}
		a.Next, s.Reason = now.Add(pause(a.Tries-1)), ReasonRefused
		if errors.Is(err, ErrRefused) {
			a.Refusals++
		}
		d.reached(ctx, j.target.Lane())
		q.metrics.count(outcomeRefused)
	default:
		s.Reason = ReasonUnreachable
		if d.unreached(j.target.Lane(), now) {
			level = slog.LevelWarn
		}
		q.metrics.count(outcomeUnreachable)
	}
	message := "Delivering a notice failed; it is tried again"
	if a.Outcome == outcomeGivenUp {
		q.metrics.count(outcomeGivenUp)
		message = "A notice is refused and given up"
	}
	q.log.Log(ctx, level, message, logkey.Tenant, n.Tenant, logkey.Object, n.ID, logkey.Reason, s.Reason, logkey.Err, err)

	return a, s
}

// reached notes that a lane takes something, or at least answers.
func (d *Deliverer) reached(ctx context.Context, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()

	if l := d.lanes[name]; l.failures > 0 {
		l.failures, l.rest = 0, time.Time{}
		d.o.Queue.log.InfoContext(ctx, "Notices can be delivered again", logkey.Component, name)
	}
}

// unreached notes that a lane takes nothing, and tells whether that is new. Those that were on their way together count once.
func (d *Deliverer) unreached(name string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	l := d.lanes[name]
	if now.Before(l.rest) {
		return false
	}
	l.rest = now.Add(pause(l.failures))
	l.failures++

	return l.failures == 1
}

func (d *Deliverer) stateOf(r alert.ReceiverRef) alert.DeliveryState {
	d.mu.Lock()
	defer d.mu.Unlock()

	return d.states[r]
}

// setState notes how delivery to a Receiver stands. Deliveries for one may end in any order; the later times count.
func (d *Deliverer) setState(r alert.ReceiverRef, s alert.DeliveryState) {
	d.mu.Lock()
	defer d.mu.Unlock()

	was := d.states[r]
	if s.Delivered.Before(was.Delivered) {
		s.Delivered = was.Delivered
	}
	if s.Failed.Before(was.Failed) {
		s.Failed, s.Reason, s.Message = was.Failed, was.Reason, was.Message
	}
	d.states[r] = s
}

// pause is how long to wait after the nth failure, counted from 0.
func pause(n int) time.Duration {
	d := min(firstPause<<min(n, 16), maxPause)

	return d/2 + rand.N(d)
}
