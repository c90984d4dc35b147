package logship

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/podview"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// lookEvery is how often all tasks are looked at when nobody says that any has changed.
	lookEvery = time.Minute
	// openAtOnce is how many logs are being opened.
	openAtOnce = 16
	// lastSave is how long writing cursors may take when the server stops.
	lastSave = 2 * time.Second
)

// Swarm is what is asked of the read cache of the swarm. *swarm.Engine of internal/swarm is one. But for TaskLogs none of it
// blocks.
type Swarm interface {
	fleet.TaskLogs

	// Synced is closed when the whole swarm has been seen once.
	Synced() <-chan struct{}
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Owners of all services of ours.
	Owners() []swarmobj.Owner
	// ServicesOf an owner with all tasks that Swarm remembers.
	ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks
	// Nodes of the swarm, which nobody changes.
	Nodes() []swarm.Node
	// SubscribeTasks makes tell be called with the owners of tasks that have changed; it must neither block nor call back.
	SubscribeTasks(tell func(swarmobj.Owner))
}

// Options of a Shipper. All but the last two are needed.
type Options struct {
	Endpoint *Endpoint
	Swarm    Swarm
	Runtime  fleet.Runtime
	Cursors  Cursors
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
	// Log is where it says what an operator should know; nowhere when nil.
	Log *slog.Logger
}

// Shipper is a Runnable of a manager, for the leader only.
type Shipper struct {
	o        Options
	log      *slog.Logger
	metrics  *metrics
	troubles *troubles
	gate     *gate
	// budget of memory of all lines that wait.
	budget  *semaphore.Weighted
	opening *semaphore.Weighted
	wake    chan struct{}
	// saving is held while cursors are written.
	saving sync.Mutex

	mu sync.Mutex
	// changed are the owners whose tasks are to be looked at; nil while this server does not lead.
	changed   map[swarmobj.Owner]bool
	followers map[string]*follower
	byOwner   map[swarmobj.Owner]map[string]*follower
	lanes     map[string]*lane
	// known are the tasks that have a cursor in etcd, and whether they are done.
	known map[string]bool
}

// New makes a Shipper. It does nothing before Start.
func New(o Options) (*Shipper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Shipper{
		o: o, log: o.Log, troubles: newTroubles(o.Log, o.Endpoint.url), gate: newGate(),
		budget: semaphore.NewWeighted(maxOverall), opening: semaphore.NewWeighted(openAtOnce), wake: make(chan struct{}, 1),
		followers: map[string]*follower{}, byOwner: map[swarmobj.Owner]map[string]*follower{}, lanes: map[string]*lane{},
		known: map[string]bool{},
	}
	var err error
	if s.metrics, err = newMetrics(o.Registerer, s); err != nil {
		return nil, err
	}
	o.Swarm.SubscribeTasks(s.hint)

	return s, nil
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Shipper) NeedLeaderElection() bool { return true }

// hint has the tasks of an owner looked at.
func (s *Shipper) hint(o swarmobj.Owner) {
	s.mu.Lock()
	if s.changed != nil {
		s.changed[o] = true
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Start ships until the context ends.
func (s *Shipper) Start(ctx context.Context) error {
	select {
	case <-s.o.Swarm.Synced():
	case <-ctx.Done():
		return nil
	}
	cursors, ok := s.load(ctx)
	if !ok {
		return nil
	}
	s.log.InfoContext(ctx, "Shipping logs", logkey.URL, s.o.Endpoint.url, logkey.Count, len(cursors))

	var group sync.WaitGroup
	defer func() {
		group.Wait()
		// What was accepted in the last moments is not to be sent again.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
		defer cancel()
		s.saveDue(ctx, true)
	}()
	group.Go(func() {
		for sleep(ctx, time.Second) {
			s.saveDue(ctx, false)
		}
	})
	w := &watch{shipper: s, group: &group, cursors: cursors}
	w.all(ctx)
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			w.all(ctx)
		case <-s.wake:
			w.some(ctx)
		}
	}
}

// load reads the cursors, and begins to take hints.
func (s *Shipper) load(ctx context.Context) (map[string]Cursor, bool) {
	for failures := 1; ; failures++ {
		cursors, err := s.o.Cursors.Load(ctx)
		if ctx.Err() != nil {
			return nil, false
		}
		s.troubles.cursors(ctx, err)
		if err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed = map[swarmobj.Owner]bool{}
			for task, c := range cursors {
				s.known[task] = c.Ended
			}

			return cursors, true
		}
		if !sleep(ctx, pauseAfter(failures)) {
			return nil, false
		}
	}
}

// lag is how old the oldest line is that the store does not have.
func (s *Shipper) lag() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()

	lag := time.Duration(0)
	for l := range maps.Values(s.lanes) {
		if oldest := l.oldest.Load(); oldest != 0 {
			lag = max(lag, time.Since(time.Unix(0, oldest)))
		}
	}

	return lag.Seconds()
}

// following is how many tasks are being read.
func (s *Shipper) following() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()

	return float64(len(s.followers))
}

// nodeNames are the names by which nodes are shown, by ID.
func (s *Shipper) nodeNames() map[string]string { return podview.Names(s.o.Swarm.Nodes()) }
