package outbox

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dogker/dogker/reconciler/alert"
)

const (
	// poll is how often what waits is looked at when nothing has happened.
	poll = time.Minute
	// breath is the least time between two looks, and how long the store is left alone when it does not answer.
	breath = 20 * time.Millisecond
	pant   = time.Second
	// maxUnderway deliveries are on their way at a time, for one tenant and in one lane no more than the others say.
	maxUnderway  = 16
	maxPerTenant = 4
	maxPerLane   = 4
	// sendTimeout is how long a delivery may take at most; targets have shorter ones of their own.
	sendTimeout = time.Minute
)

// Options of a Deliverer. Queue and Directory are required.
type Options struct {
	Queue     *Queue
	Directory Directory
	// Changed is told of each Receiver whose State may be another. It must not block. Nobody is when nil.
	Changed func(alert.ReceiverRef)
}

// Deliverer is a Runnable of a manager, for the leader only.
type Deliverer struct {
	o    Options
	wake chan struct{}

	mu sync.Mutex
	// waiting is what lies in the queue, by its key, and busy what is being delivered.
	waiting map[string]*record
	busy    map[string]bool
	// underway counts deliveries on their way, by tenant.
	underway map[string]int
	total    int
	lanes    map[string]*lane
	states   map[alert.ReceiverRef]alert.DeliveryState
	limits   map[alert.ReceiverRef]*rate.Limiter
}

var _ follower = (*Deliverer)(nil)

// New makes a Deliverer. It does nothing before Start.
func New(o Options) *Deliverer {
	if o.Changed == nil {
		o.Changed = func(alert.ReceiverRef) {}
	}

	return &Deliverer{
		o: o, wake: make(chan struct{}, 1), waiting: map[string]*record{}, busy: map[string]bool{}, underway: map[string]int{},
		lanes: map[string]*lane{}, states: map[alert.ReceiverRef]alert.DeliveryState{},
		limits: map[alert.ReceiverRef]*rate.Limiter{},
	}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Deliverer) NeedLeaderElection() bool { return true }

// Start delivers until the context ends.
func (d *Deliverer) Start(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()

	group.Go(func() { d.o.Queue.follow(ctx, d) })
	for {
		wait := d.pass(ctx, &group)
		if !sleep(ctx, breath) {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// State is how delivery to a Receiver stands, as far as this server knows: everything while it leads.
func (d *Deliverer) State(r alert.ReceiverRef) alert.DeliveryState {
	d.mu.Lock()
	defer d.mu.Unlock()

	s := d.states[r]
	for _, w := range d.waiting {
		if w.Notification.Receiver == r {
			s.Waiting++
		}
	}

	return s
}

// all implements follower.
func (d *Deliverer) all(records []*record, states map[alert.ReceiverRef]alert.DeliveryState) {
	d.mu.Lock()
	before := d.waiting
	d.waiting = make(map[string]*record, len(records))
	for _, r := range records {
		key := r.key()
		if known := before[key]; known != nil && known.revision >= r.revision {
			r = known // It may know more than could be written down.
		}
		d.waiting[key] = r
	}
	if len(d.states) == 0 {
		d.states = states
	}
	d.mu.Unlock()
	d.look()
}

// one implements follower.
func (d *Deliverer) one(r *record) {
	d.mu.Lock()
	key := r.key()
	known := d.waiting[key]
	fresh := known == nil || known.revision < r.revision
	if fresh {
		d.waiting[key] = r
	}
	d.mu.Unlock()
	if known == nil {
		d.look()
		d.o.Changed(r.Notification.Receiver)
	}
}

// gone implements follower.
func (d *Deliverer) gone(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()

	delete(d.waiting, key)
}

// look has the next pass come soon.
func (d *Deliverer) look() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// pass begins all deliveries that are due and may begin, and returns when to look again unless something happens before.
func (d *Deliverer) pass(ctx context.Context, group *sync.WaitGroup) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()

	now := d.o.Queue.now()
	turns := d.turns()
	var oldest time.Time
	for _, r := range turns {
		if oldest.IsZero() || r.Put.Before(oldest) {
			oldest = r.Put
		}
	}
	d.o.Queue.metrics.waits(len(turns), oldest, now)

	d.tidy(now)
	next := now.Add(poll)
	known := directory{d.o.Directory, map[question]answer{}}
	for _, r := range turns {
		if d.total >= maxUnderway || ctx.Err() != nil {
			break
		}
		j, at := d.due(ctx, r, known, now)
		if j == nil {
			if at.Before(next) {
				next = at
			}
			continue
		}
		d.begin(*j)
		group.Go(func() { d.do(ctx, *j) })
	}

	return max(next.Sub(now), breath)
}

// tidy forgets what is not used any more: Receivers come and go. The caller has the lock.
func (d *Deliverer) tidy(now time.Time) {
	maps.DeleteFunc(d.lanes, func(_ string, l *lane) bool { return l.underway == 0 && now.Sub(l.rest) > 2*maxPause })
	maps.DeleteFunc(d.limits, func(_ alert.ReceiverRef, l *rate.Limiter) bool { return l.TokensAt(now) >= float64(l.Burst()) })
	maps.DeleteFunc(d.states, func(_ alert.ReceiverRef, s alert.DeliveryState) bool {
		return now.Sub(s.Delivered) > remembered && now.Sub(s.Failed) > remembered
	})
}

// turns is what waits, in the order in which it is looked at: the oldest of each tenant, then the second oldest of each, so
// that nobody waits for all that another has. The caller has the lock.
func (d *Deliverer) turns() []*record {
	all := make([]*record, 0, len(d.waiting))
	for _, r := range d.waiting {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *record) int {
		return cmp.Or(a.Put.Compare(b.Put), cmp.Compare(a.revision, b.revision), cmp.Compare(a.key(), b.key()))
	})
	ranks, seen := make(map[*record]int, len(all)), map[string]int{}
	for _, r := range all {
		ranks[r] = seen[r.Notification.Tenant]
		seen[r.Notification.Tenant]++
	}
	slices.SortStableFunc(all, func(a, b *record) int { return cmp.Compare(ranks[a], ranks[b]) })

	return all
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
