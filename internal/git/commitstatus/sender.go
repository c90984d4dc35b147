package commitstatus

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Options of a Sender. The zero value of every field is useful.
type Options struct {
	// Failed is told, once, of a state that will not be sent, and why in a sentence for the owner of the sync. It may be called
	// by several at once; nobody is told when nil.
	Failed func(sync types.NamespacedName, why string)
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Sender sends states of commits. It implements the port that the controller of GitSyncs has for that, and is a Runnable of a
// manager, for the leader only.
type Sender struct {
	opts  Options
	tries *prometheus.CounterVec
	// post sends a state; tests put something else there.
	post func(context.Context, gitsync.CommitState) error

	// wake is sent to when there may be something to do.
	wake chan struct{}

	mu   sync.Mutex
	jobs map[types.NamespacedName]*job
	// said is what each sync has said last, and was taken or refused.
	said map[types.NamespacedName]print
	// busy counts what is being sent, for each tenant.
	busy map[string]int
	all  int
}

// job is a state that is to be sent.
type job struct {
	state gitsync.CommitState
	print print
	// due is when it is tried next, and since when it is tried.
	due, since time.Time
	failures   int
	// busy is true while it is tried.
	busy bool
}

// print stands for a state and all that it is sent with. It stays in memory: it is made of a token.
type print [sha256.Size]byte

func printOf(s gitsync.CommitState) print {
	// Marshalling texts cannot fail. A Secret is itself as JSON.
	raw, _ := json.Marshal(s)

	return sha256.Sum256(raw)
}

// New makes a Sender. Nothing is sent before Run.
func New(o Options) (*Sender, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	if o.Failed == nil {
		o.Failed = func(types.NamespacedName, string) {}
	}

	s := &Sender{
		opts: o, tries: newTries(), post: post, wake: make(chan struct{}, 1),
		jobs: map[types.NamespacedName]*job{}, said: map[types.NamespacedName]print{}, busy: map[string]int{},
	}

	if o.Registerer != nil {
		if err := o.Registerer.Register(s.tries); err != nil {
			return nil, fmt.Errorf("register metrics of commit statuses: %w", err)
		}
	}

	return s, nil
}

// Tell has a state sent, in place of one of the same sync that is not sent yet. It does not block. What was said last is not
// said again.
func (s *Sender) Tell(sync types.NamespacedName, state gitsync.CommitState) {
	fingerprint := printOf(state)

	s.mu.Lock()
	defer s.mu.Unlock()

	if j, ok := s.jobs[sync]; ok {
		if j.print != fingerprint {
			j.state, j.print, j.failures, j.since = state, fingerprint, 0, time.Now()
		}

		return
	}

	if s.said[sync] == fingerprint {
		return
	}

	if len(s.jobs) >= maxSyncs {
		s.count(state, dropped)

		return
	}

	now := time.Now()
	s.jobs[sync] = &job{state: state, print: fingerprint, due: now, since: now}
	s.nudge()
}

// Start is Run, for managers.
func (s *Sender) Start(ctx context.Context) error { return s.Run(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Sender) NeedLeaderElection() bool { return true }

// Run sends what is told, until ctx is done and nothing is under way any more.
func (s *Sender) Run(ctx context.Context) error {
	var under sync.WaitGroup
	defer under.Wait()

	timer := time.NewTimer(0)
	defer timer.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}

		for key, state := range s.begin(time.Now()) {
			under.Go(func() { s.send(ctx, key, state) })
		}

		timer.Reset(s.next(time.Now()))
	}
}

// begin takes what is due and has a place.
func (s *Sender) begin(now time.Time) map[types.NamespacedName]gitsync.CommitState {
	s.mu.Lock()
	defer s.mu.Unlock()

	begun := map[types.NamespacedName]gitsync.CommitState{}

	for key, j := range s.jobs {
		if s.all >= atOnce {
			break
		}

		if j.busy || j.due.After(now) || s.busy[key.Namespace] >= perTenant {
			continue
		}

		j.busy = true
		s.busy[key.Namespace]++
		s.all++
		begun[key] = j.state
	}

	return begun
}

// next is how long nothing is due. What waits for a place is begun when one is free.
func (s *Sender) next(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()

	wait := time.Hour

	for _, j := range s.jobs {
		if !j.busy && j.due.After(now) {
			wait = min(wait, j.due.Sub(now))
		}
	}

	return wait
}

// send tries once, and says what follows.
func (s *Sender) send(ctx context.Context, key types.NamespacedName, state gitsync.CommitState) {
	err := s.post(ctx, state)
	if ctx.Err() != nil && err != nil {
		return // The server stops; whoever leads next is told again.
	}

	if why := s.end(key, state, err, time.Now()); why != "" {
		s.opts.Log.WarnContext(ctx, "The state of a commit was not sent", logkey.Object, key.String(), logkey.Reason, why)
		s.opts.Failed(key, why)
	}

	s.nudge()
}

// end notes what became of a try. The answer is why the state will not be sent; empty while it may be, or was.
func (s *Sender) end(key types.NamespacedName, state gitsync.CommitState, err error, now time.Time) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	j := s.jobs[key]
	j.busy = false
	s.all--

	if s.busy[key.Namespace]--; s.busy[key.Namespace] == 0 {
		delete(s.busy, key.Namespace)
	}

	tried := printOf(state)
	overtaken := j.print != tried

	var no *refusal

	switch {
	case err == nil:
		s.count(state, sent)
	case errors.As(err, &no):
		s.count(state, refused)

		why = no.Error()
	case overtaken:
		s.count(state, retried)
		j.due = now.Add(apart)

		return ""
	case now.Sub(j.since) >= patience:
		s.count(state, gaveUp)
		delete(s.jobs, key)

		return fmt.Sprintf("it was tried for %s: %s", patience, err)
	default:
		s.count(state, retried)
		j.failures++
		j.due = now.Add(pause(j.failures, err))

		return ""
	}

	s.remember(key, tried)

	if overtaken {
		j.due = now.Add(apart)
	} else {
		delete(s.jobs, key)
	}

	return why
}

// remember keeps what was said last. Where that is of too many syncs, any one is forgotten.
func (s *Sender) remember(key types.NamespacedName, said print) {
	for other := range s.said {
		if len(s.said) < maxSyncs {
			break
		}

		delete(s.said, other)
	}

	s.said[key] = said
}

// pause is how long to wait after so many failures in a row.
func pause(failures int, err error) time.Duration {
	d := longestPause
	if failures < 10 {
		d = min(longestPause, firstPause<<(failures-1))
	}

	var l *later
	if errors.As(err, &l) {
		d = max(d, l.after)
	}

	// Those that failed together are not tried together.
	return d + rand.N(d/4)
}

func (s *Sender) count(state gitsync.CommitState, r result) {
	s.tries.WithLabelValues(providerLabel(state.Provider), string(r)).Inc()
}

// nudge wakes Run.
func (s *Sender) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
