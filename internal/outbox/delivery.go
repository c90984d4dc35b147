package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/time/rate"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

// lane is what is known of something that several targets share.
type lane struct {
	underway int
	// failures in a row, and until when it is left alone.
	failures int
	rest     time.Time
}

// room tells whether one more delivery may begin there. What has failed is tried by one.
func (l *lane) room(now time.Time) bool {
	if l == nil {
		return true
	}
	if l.failures > 0 {
		return l.underway == 0 && !now.Before(l.rest)
	}

	return l.underway < maxPerLane
}

// job is one delivery, or when it has no target the end of a notice.
type job struct {
	record *record
	target Target
	// outcome of a notice for all targets that have none yet, when there is nothing to deliver.
	outcome string
}

// question is what the answer of a Directory depends on, and answer what it says in one pass.
type question struct {
	receiver alert.ReceiverRef
	topic    alert.Topic
	tenant   string
}

type answer struct {
	route Route
	err   error
}

// directory asks a Directory once in a pass.
type directory struct {
	Directory
	known map[question]answer
}

func (k directory) route(ctx context.Context, n alert.Notification) (Route, error) {
	q := question{n.Receiver, n.Topic, n.Tenant}
	a, asked := k.known[q]
	if !asked {
		a.route, a.err = k.Targets(ctx, n)
		k.known[q] = a
	}

	return a.route, a.err
}

// due is what can be done about a notice now; nil for nothing, and then when to look again. The caller has the lock.
func (d *Deliverer) due(ctx context.Context, r *record, known directory, now time.Time) (*job, time.Time) {
	later := now.Add(poll)
	switch {
	case d.busy[r.key()] || d.underway[r.Notification.Tenant] >= maxPerTenant:
		return nil, later
	case now.Before(r.after):
		return nil, r.after
	case now.Sub(r.Put) > stale:
		return &job{record: r, outcome: outcomeGivenUp}, now
	}
	route, err := known.route(ctx, r.Notification)
	switch {
	case errors.Is(err, ErrGone), err == nil && len(route.Targets) == 0:
		return &job{record: r, outcome: outcomeNobody}, now
	case err != nil:
		d.o.Queue.log.DebugContext(ctx, "It is not known where a receiver leads", logkey.Tenant, r.Notification.Tenant, logkey.Err, err)
		return nil, later
	}

	over := true
	for _, t := range route.Targets {
		a, l := r.To[t.Key()], d.lanes[t.Lane()]
		if a.Outcome != "" {
			continue
		}
		over = false
		at := a.Next
		if l != nil && l.rest.After(at) {
			at = l.rest
		}
		switch {
		case at.After(now):
			later = earlier(later, at)
		case !l.room(now):
		case len(r.To) > 0 || d.allowed(r.Notification.Receiver, route.PerHour, now):
			return &job{record: r, target: t}, now
		}
	}
	if over {
		return &job{record: r}, now
	}

	return nil, later
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}

	return a
}

// allowed takes one off what a Receiver may be sent now. A notice counts when it is sent for the first time. The caller has
// the lock.
func (d *Deliverer) allowed(r alert.ReceiverRef, perHour int, now time.Time) bool {
	if perHour <= 0 {
		return true
	}
	l := d.limits[r]
	if l == nil || l.Burst() != perHour {
		l = rate.NewLimiter(rate.Every(time.Hour/time.Duration(perHour)), perHour)
		d.limits[r] = l
	}

	return l.AllowN(now, 1)
}

// begin marks a job as being done. The caller has the lock.
func (d *Deliverer) begin(j job) {
	d.busy[j.record.key()] = true
	d.underway[j.record.Notification.Tenant]++
	d.total++
	if j.target != nil {
		name := j.target.Lane()
		if d.lanes[name] == nil {
			d.lanes[name] = &lane{}
		}
		d.lanes[name].underway++
	}
}

// do does a job and writes down what became of it.
func (d *Deliverer) do(ctx context.Context, j job) {
	// What is saved is a copy: the revision that it gets is nobody's business before it is taken in.
	same := *j.record
	next, over, state := &same, true, d.stateOf(j.record.Notification.Receiver)
	q := d.o.Queue
	switch {
	case j.target != nil:
		started := time.Now()
		err := send(ctx, j.target, j.record.Notification)
		q.metrics.took(time.Since(started))
		if err != nil && ctx.Err() != nil {
			d.end(j, j.record, false)
			return // This server stops, and another goes on.
		}
		a, s := d.judge(ctx, j, err)
		// Whether others are left is found out by the next pass, which knows the targets.
		next, over, state = j.record.with(j.target.Key(), a), false, s
	case j.outcome != "":
		same.ended = j.outcome
		q.metrics.count(j.outcome)
		if j.outcome == outcomeGivenUp {
			state.Failed, state.Reason, state.Message = q.now().UTC(), ReasonGivenUp, "A notice could not be delivered for a week and is given up."
			q.log.ErrorContext(ctx, "A notice could not be delivered for too long and is given up",
				logkey.Tenant, j.record.Notification.Tenant, logkey.Object, j.record.Notification.ID)
		}
	}

	// What was delivered is written down even when this server is about to stop.
	found, err := q.save(context.WithoutCancel(ctx), next, over, state)
	if err != nil {
		q.log.WarnContext(ctx, "What became of a notice could not be written down, and is tried again",
			logkey.Tenant, next.Notification.Tenant, logkey.Object, next.Notification.ID, logkey.Err, err)
		held := *next
		held.after = q.now().Add(pant)
		next, over = &held, false
	}
	d.setState(next.Notification.Receiver, state)
	d.end(j, next, over || !found)
}

// end takes the result of a job in: what the notice is now, or that it is not there any more.
func (d *Deliverer) end(j job, next *record, gone bool) {
	d.mu.Lock()
	key := j.record.key()
	delete(d.busy, key)
	if d.underway[j.record.Notification.Tenant]--; d.underway[j.record.Notification.Tenant] == 0 {
		delete(d.underway, j.record.Notification.Tenant)
	}
	d.total--
	if j.target != nil {
		l := d.lanes[j.target.Lane()]
		if l.underway--; l.underway == 0 && l.failures == 0 {
			delete(d.lanes, j.target.Lane())
		}
	}
	// What was told since by the store is newer, and so is that it is gone.
	if known := d.waiting[key]; known != nil && known.revision <= next.revision {
		if gone {
			delete(d.waiting, key)
		} else {
			d.waiting[key] = next
		}
	}
	d.mu.Unlock()

	d.look()
	d.o.Changed(j.record.Notification.Receiver)
}

// send calls a target, which may have been made of anything that tenants write.
func send(ctx context.Context, t Target, n alert.Notification) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = Failed(ErrRefused, "Dogker failed to put it into words.", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()

	return t.Send(ctx, n)
}
