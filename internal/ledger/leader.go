package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
)

// ErrNotLeading is what a Leader answers before its term has begun. Nothing is wrong: try again.
var ErrNotLeading = errors.New("this server does not lead yet")

const (
	// claimPause is how long it waits before it tries again to begin its term.
	claimPause = time.Second
	// patience is how long Do waits for the term to begin. All loops of a leader begin at the same moment as it does.
	patience = 3 * time.Second
)

// LeaderOptions of a Leader. Holder is required.
type LeaderOptions struct {
	// Holder names this server in the store, for people.
	Holder string
	// Hold blocks until this server certainly is the one that was elected; nil when there is nobody else. Without it a
	// process that was paused right after its election could end the term of the one that was elected since.
	Hold func(context.Context) error
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
	// Log gets what happens; nowhere when nil.
	Log *slog.Logger
}

// Leader is the ledger of whoever has been elected. It is a Runnable of a manager that runs on the leader only, and once:
//
//	elected ─► Start ─► Claim ─► term ─► Do … Do ─► ErrFenced ─► Start fails ─► the process ends
//
// Whoever reads may do so on every server and at any time. Writes wait a moment for the term, which is added to each of
// them, so that what is sent by a leader that was replaced is never written.
type Leader struct {
	*Ledger
	o       LeaderOptions
	metrics *metrics

	// begun is closed once term is set.
	begun chan struct{}
	term  book.Term
	// fenced gets the first sign that another leads.
	fenced chan error

	mu          sync.Mutex
	subscribers []func(tenant string)
}

// NewLeader makes the leader's ledger out of one that nobody else has. What is written through the ledger itself, as
// metering does, is counted and told as well.
func NewLeader(l *Ledger, o LeaderOptions) (*Leader, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	leader := &Leader{Ledger: l, o: o, metrics: m, begun: make(chan struct{}), fenced: make(chan error, 1)}
	l.done = leader.note

	return leader, nil
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Leader) NeedLeaderElection() bool { return true }

// Start begins the term, and blocks until the context ends. It fails when somebody else leads: everything that this process
// still does is refused then, and it must end, as when it loses its lease.
func (l *Leader) Start(ctx context.Context) error {
	if err := l.begin(ctx); err != nil {
		return nil // The context has ended, and nothing has begun.
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.fenced:
		return fmt.Errorf("lead the ledger: %w", err)
	}
}

// begin tries until the store has answered.
func (l *Leader) begin(ctx context.Context) error {
	for {
		term, err := l.claimOnce(ctx)
		if err == nil {
			l.term = term
			close(l.begun)
			l.metrics.term.Set(float64(term))
			l.o.Log.InfoContext(ctx, "Leading the ledger")

			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.o.Log.WarnContext(ctx, "Beginning to lead the ledger failed; nothing is charged meanwhile", logkey.Err, err, logkey.After, claimPause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(claimPause):
		}
	}
}

func (l *Leader) claimOnce(ctx context.Context) (book.Term, error) {
	if l.o.Hold != nil {
		if err := l.o.Hold(ctx); err != nil {
			return 0, err
		}
	}

	return l.Claim(ctx, l.o.Holder)
}

// Begun is closed once the term has begun.
func (l *Leader) Begun() <-chan struct{} { return l.begun }

// Term is the term of this leader, or ErrNotLeading before it has begun.
func (l *Leader) Term() (book.Term, error) {
	select {
	case <-l.begun:
		return l.term, nil
	default:
		return 0, ErrNotLeading
	}
}

// Do carries an operation out as Ledger.Do does, in the leader's term.
func (l *Leader) Do(ctx context.Context, req book.Request) (book.Result, error) {
	term, err := l.await(ctx)
	if err != nil {
		return book.Result{}, fmt.Errorf("write %T to the ledger of %q: %w", req.Op, req.Tenant, err)
	}
	req.Term = term

	return l.Ledger.Do(ctx, req)
}

// await waits a moment for the term.
func (l *Leader) await(ctx context.Context) (book.Term, error) {
	if term, err := l.Term(); err == nil {
		return term, nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-l.begun:
	case <-ctx.Done():
	case <-timer.C:
	}

	return l.Term()
}

// Subscribe tells the function of each tenant that was written to by this process, after it was. It must not block. What
// came to nothing and what had been done before is not told, so whoever writes because of what it is told comes to rest.
func (l *Leader) Subscribe(f func(tenant string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscribers = append(l.subscribers, f)
}

// note hears of every operation when it is over.
func (l *Leader) note(d done) {
	l.metrics.count(d)
	if errors.Is(d.err, book.ErrFenced) {
		select {
		case l.fenced <- d.err:
		default: // It was said before.
		}
	}
	if !d.wrote {
		return
	}

	l.mu.Lock()
	subscribers := l.subscribers
	l.mu.Unlock()
	for _, tell := range subscribers {
		tell(d.req.Tenant)
	}
}

// Archive does what Ledger.Archive does, in the leader's term.
func (l *Leader) Archive(ctx context.Context, tenant string, before time.Time, dir string) (book.Checkpoint, bool, error) {
	term, err := l.await(ctx)
	if err != nil {
		return book.Checkpoint{}, false, fmt.Errorf("archive the ledger of %q: %w", tenant, err)
	}

	return l.Ledger.Archive(ctx, term, tenant, before, dir)
}
