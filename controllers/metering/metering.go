package metering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/usage"
)

const (
	// interval between two looks at the swarm.
	interval = 15 * time.Second
	// eager is when to look again at first, when there was nothing to see yet.
	eager = time.Second
	// defaultCatchUp is how much of a time in which nobody looked is charged.
	defaultCatchUp = 24 * time.Hour
)

// Options of a Meter. Swarm and Store are required.
type Options struct {
	Swarm Swarm
	Store Store
	// Volumes is where volumes are found; none are metered when nil.
	Volumes Volumes
	// Clock is that of the machine when nil.
	Clock Clock
	// MaxCatchUp is how much is charged at most of a time in which nobody looked; 24 hours when 0.
	MaxCatchUp time.Duration
	// Log is where metering says what happens to it; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Meter is a Runnable of a manager, for the leader only. Its methods are not for several goroutines, except for State.
type Meter struct {
	o       Options
	log     *slog.Logger
	metrics metrics
	watch   watch

	// books are the accounts of all tenants, once loaded.
	books  map[string]*book
	loaded bool
	// mark is the last one; newest is the last sample that was taken in for anybody, with a mark or before one was made.
	mark   usage.Mark
	newest int64

	last outcome

	mu    sync.Mutex
	state State
}

// State is how metering stands, for the status of accounts.
type State struct {
	// Sampled is the last sample that was taken in; zero before the first.
	Sampled time.Time
	// ClockSkewed is true while nothing is metered because the clock is not believed.
	ClockSkewed bool
}

// New returns a meter. It does nothing before Start.
func New(o Options) *Meter {
	if o.Clock == nil {
		o.Clock = systemClock{started: time.Now()}
	}
	if o.MaxCatchUp == 0 {
		o.MaxCatchUp = defaultCatchUp
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Meter{
		o: o, log: o.Log.With(logkey.Controller, "metering"), metrics: newMetrics(o.Registerer),
		books: map[string]*book{}, last: outcomeTaken,
	}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Meter) NeedLeaderElection() bool { return true }

// State says how metering stands. It may be asked by anybody at any time.
func (m *Meter) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.state
}

// Start meters until the context ends, or until another process leads. Until it has seen something it looks more often, and
// less and less: who has just begun does not know the swarm for a moment, and what ends before the first look is charged
// only until the last one of the process before.
func (m *Meter) Start(ctx context.Context) error {
	pause := eager
	tick := time.NewTicker(pause)
	defer tick.Stop()

	for {
		err := m.Tick(ctx)
		if errors.Is(err, usage.ErrFenced) {
			return fmt.Errorf("meter: %w", err)
		}
		if pause < interval {
			if pause = min(2*pause, interval); err == nil {
				pause = interval
			}
			tick.Reset(pause)
		}

		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tick looks once. It is exported for tests, which have a clock of their own. What goes wrong is logged when it begins and
// when it is over; the error is for whoever wants to know more.
func (m *Meter) Tick(ctx context.Context) error {
	began := m.o.Clock.Read()
	got, err := m.meter(ctx)
	m.metrics.tick.Observe((m.o.Clock.Read().Mono - began.Mono).Seconds())
	m.report(ctx, got, err)

	return err
}

// meter does what a tick is for.
func (m *Meter) meter(ctx context.Context) (outcome, error) {
	if err := m.load(ctx); err != nil {
		return outcomeUnstored, err
	}
	if err := m.reload(ctx); err != nil {
		return outcomeUnstored, err
	}

	now := m.o.Clock.Read()
	sample, err := m.look(ctx)
	if err != nil {
		return outcomeUnreachable, err
	}
	took := m.o.Clock.Read().Mono - now.Mono

	switch m.watch.judge(now, took, sample.Clocks, m.newest) {
	case skewed:
		return outcomeSkewed, fmt.Errorf("trust the clock: it jumped or differs from the managers', who must agree with it for %s", agreement)
	case behind:
		return outcomeBehind, fmt.Errorf("trust the clock: it shows a time before the last sample, %s", unix(m.newest))
	}

	frame := usage.NewFrame(sample, usage.FrameOptions{
		Begun: now.Wall, Done: now.Wall.Add(took), MaxCatchUp: m.o.MaxCatchUp, Skips: m.watch.use(now),
	})

	return m.take(ctx, frame)
}

// look takes a sample.
func (m *Meter) look(ctx context.Context) (usage.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*interval)
	defer cancel()

	sample, err := m.o.Swarm.Sample(ctx)
	if err != nil {
		return usage.Sample{}, fmt.Errorf("look at swarm: %w", err)
	}
	if m.o.Volumes == nil {
		return sample, nil
	}
	if sample.Volumes, err = m.o.Volumes.Volumes(ctx); err != nil {
		return usage.Sample{}, fmt.Errorf("list volumes: %w", err)
	}

	return sample, nil
}

// take takes a sample in: records and charges first, the mark last.
func (m *Meter) take(ctx context.Context, f *usage.Frame) (outcome, error) {
	if err := m.commit(ctx, f); err != nil {
		return outcomeUnstored, err
	}
	if err := m.saveMark(ctx, f.At()); err != nil {
		return outcomeUnstored, err
	}

	return outcomeTaken, nil
}

// report tells people how it went, once for each change.
func (m *Meter) report(ctx context.Context, got outcome, err error) {
	m.metrics.samples.WithLabelValues(string(got)).Inc()
	clockOff := got == outcomeSkewed || got == outcomeBehind
	m.metrics.skew.Set(gauge(clockOff))
	m.gauges()

	m.mu.Lock()
	m.state.ClockSkewed = clockOff
	if m.mark.At != 0 {
		m.state.Sampled = unix(m.mark.At)
	}
	m.mu.Unlock()

	if got == m.last || ctx.Err() != nil {
		return
	}
	m.last = got
	if got == outcomeTaken {
		m.log.InfoContext(ctx, "Metering goes on")
		return
	}
	m.log.WarnContext(ctx, "Metering waits, nothing is charged meanwhile and little of it is lost", logkey.Reason, string(got), logkey.Err, err)
}

// gauges shows how far metering has come.
func (m *Meter) gauges() {
	now := m.o.Clock.Read().Wall.Unix()
	var open, stuck int
	var lag int64
	for _, b := range m.books {
		open += b.account.Open()
		if b.trouble != nil {
			stuck++
		}
		if oldest, ok := b.account.Oldest(); ok {
			lag = max(lag, now-oldest)
		}
	}
	m.metrics.open.Set(float64(open))
	m.metrics.stuck.Set(float64(stuck))
	m.metrics.lag.Set(float64(lag))
}

func gauge(on bool) float64 {
	if on {
		return 1
	}

	return 0
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
