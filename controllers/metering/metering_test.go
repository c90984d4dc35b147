package metering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// small is a world in which two tenants have a task each, for the whole time.
func small() *run {
	always := span{-time.Minute, 100 * time.Hour}

	return newRun(&world{nodes: []string{"n1"}, tasks: []life{
		{id: "a", node: "n1", tenant: "acme", running: always, forgotten: always.to},
		{id: "b", node: "n1", tenant: "blue", running: always, forgotten: always.to},
	}})
}

// ticks lets so much time pass, and returns the error of the last tick.
func (r *run) ticks(t *testing.T, from, to time.Duration) (err error) {
	t.Helper()
	for tick := from; tick <= to; tick += interval {
		r.now = tick
		err = r.meter.Tick(t.Context())
	}
	if len(r.store.broken) > 0 {
		t.Fatalf("promises that were broken: %q", r.store.broken)
	}

	return err
}

func TestBlindnessCostsNothing(t *testing.T) {
	r := small()
	r.blind = []span{{time.Minute, 20 * time.Minute}}
	if err := r.ticks(t, 0, 19*time.Minute); !errors.Is(err, errBoom) {
		t.Fatalf("got %v, want the engine's error", err)
	}
	if got := r.store.seconds()["a"]; got > 60 {
		t.Errorf("%d s charged while nobody could look, want windows to stay open", got)
	}
	if err := r.ticks(t, 20*time.Minute, 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	// From the first sample on, through the last whole minute that is final.
	if got, want := r.store.seconds()["a"], int64(29*60-1); got != want {
		t.Errorf("%d s charged, want %d", got, want)
	}
}

func TestCatchUpIsBounded(t *testing.T) {
	r := small()
	if err := r.ticks(t, 0, time.Minute); err != nil {
		t.Fatal(err)
	}
	r.elect()
	if err := r.ticks(t, 30*time.Hour, 30*time.Hour+2*time.Minute); err != nil {
		t.Fatal(err)
	}

	missed := int64((30*time.Hour - time.Minute - defaultCatchUp) / time.Second)
	want := []usage.Gap{{
		Cause: usage.CauseCatchUp, From: began.Add(defaultCatchUp + time.Minute).Unix(), To: began.Add(30 * time.Hour).Unix(), Seconds: missed,
	}}
	if diff := cmp.Diff(want, r.store.gaps["acme"]); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if got, want := r.store.seconds()["a"], int64(30*3600+60-1)-missed; got != want {
		t.Errorf("%d s charged, want %d", got, want)
	}
}

func TestOneTenantsTroubleIsHisOwn(t *testing.T) {
	newer := []byte(`{"version":2}`)
	r := small()
	r.store.records["acme"] = usage.Record{Tenant: "acme", Revision: 1, Data: newer}
	var log strings.Builder
	reg := prometheus.NewRegistry()
	r.meter = New(Options{Swarm: r.world, Store: r.conn, Clock: r.world, Registerer: reg, Log: slog.New(slog.NewTextHandler(&log, nil))})

	if err := r.ticks(t, 0, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	if string(r.store.records["acme"].Data) != string(newer) || r.store.seconds()["a"] != 0 {
		t.Errorf("a record of a newer version was written over with %s", r.store.records["acme"].Data)
	}
	if r.store.seconds()["b"] == 0 {
		t.Error("the other tenant is not charged")
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("it is told %d times, want once:\n%s", n, &log)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP dogker_metering_stuck_tenants Tenants whose usage cannot be read or written at the moment.
# TYPE dogker_metering_stuck_tenants gauge
dogker_metering_stuck_tenants 1
# HELP dogker_metering_open_intervals Tasks and volumes that are being charged.
# TYPE dogker_metering_open_intervals gauge
dogker_metering_open_intervals 1
# HELP dogker_metering_samples_total Looks at the swarm, by what came of them.
# TYPE dogker_metering_samples_total counter
dogker_metering_samples_total{outcome="behind"} 0
dogker_metering_samples_total{outcome="skewed"} 0
dogker_metering_samples_total{outcome="taken"} 21
dogker_metering_samples_total{outcome="unreachable"} 0
dogker_metering_samples_total{outcome="unstored"} 0
# HELP dogker_metering_windows_closed_total Minutes of a tenant with use in them that were closed and charged.
# TYPE dogker_metering_windows_closed_total counter
dogker_metering_windows_closed_total 4
`), "dogker_metering_stuck_tenants", "dogker_metering_open_intervals", "dogker_metering_samples_total", "dogker_metering_windows_closed_total"); err != nil {
		t.Error(err)
	}

	delete(r.store.records, "acme") // Somebody has put it right.
	if err := r.ticks(t, 5*time.Minute+interval, 8*time.Minute); err != nil {
		t.Fatal(err)
	}
	if r.store.seconds()["a"] == 0 || !strings.Contains(log.String(), "again") {
		t.Errorf("the tenant is not metered again:\n%s", &log)
	}
}

func TestMetricsOfTrouble(t *testing.T) {
	r := small()
	reg := prometheus.NewRegistry()
	r.meter = New(Options{Swarm: r.world, Store: r.conn, Clock: r.world, Registerer: reg})
	_ = r.ticks(t, 0, 3*time.Minute)
	r.shared = true
	r.set(time.Hour)
	_ = r.ticks(t, 4*time.Minute, 5*time.Minute)
	read := func(want string, names ...string) {
		t.Helper()
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
	}
	const skewed = "# HELP dogker_metering_clock_skewed 1 while the clock is not believed and nothing is metered.\n# TYPE dogker_metering_clock_skewed gauge\n"
	read(skewed+"dogker_metering_clock_skewed 1\n", "dogker_metering_clock_skewed")

	_ = r.ticks(t, 5*time.Minute+interval, 9*time.Minute)
	read(skewed+"dogker_metering_clock_skewed 0\n", "dogker_metering_clock_skewed")
	read(`
# HELP dogker_metering_gaps_total Times of a tenant that are not charged although something ran.
# TYPE dogker_metering_gaps_total counter
dogker_metering_gaps_total{cause="CatchUpLimit"} 0
dogker_metering_gaps_total{cause="ClockBackward"} 0
dogker_metering_gaps_total{cause="ClockForward"} 2
# HELP dogker_metering_gap_seconds_total Seconds of tasks and volumes in such times.
# TYPE dogker_metering_gap_seconds_total counter
dogker_metering_gap_seconds_total{cause="CatchUpLimit"} 0
dogker_metering_gap_seconds_total{cause="ClockBackward"} 0
dogker_metering_gap_seconds_total{cause="ClockForward"} 7200
# HELP dogker_metering_lag_seconds How long ago the oldest minute began that has use in it and is not closed.
# TYPE dogker_metering_lag_seconds gauge
dogker_metering_lag_seconds 60
`, "dogker_metering_gaps_total", "dogker_metering_gap_seconds_total", "dogker_metering_lag_seconds")
	if got, want := r.store.seconds()["a"], int64(8*60-1); got != want {
		t.Errorf("%d s charged in nine minutes, the last of them not final, want %d", got, want)
	}
}

func TestUnreadableMarkStopsAll(t *testing.T) {
	r := small()
	r.store.mark = []byte(`{"version":2}`)
	if err := r.ticks(t, 0, time.Minute); !errors.Is(err, usage.ErrNewer) || r.store.writes != 0 {
		t.Errorf("got %v and %d writes, want ErrNewer and none", err, r.store.writes)
	}
}

func TestTooManyTasks(t *testing.T) {
	r := small()
	for i := range 7000 {
		r.tasks = append(r.tasks, life{id: fmt.Sprintf("%025d", i), node: "n1", tenant: "huge", running: span{0, time.Hour}, forgotten: time.Hour})
	}
	if err := r.ticks(t, 15*time.Second, 3*time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, stored := r.store.records["huge"]; stored || r.store.seconds()["a"] == 0 {
		t.Error("want the others metered, and nothing of the tenant that no transaction has room for")
	}
}

// volumes is a source of one volume.
type volumes struct{ err error }

func (v volumes) Volumes(context.Context) ([]usage.Volume, error) {
	return []usage.Volume{{Owner: swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "v"}, Bytes: 7, Created: began}}, v.err
}

func TestVolumes(t *testing.T) {
	r := small()
	r.meter = New(Options{Swarm: r.world, Store: r.conn, Clock: r.world, Volumes: volumes{}})
	if err := r.ticks(t, 0, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	want := usage.Line{Workload: usage.Workload{Kind: "Volume", Name: "data", UID: "v"}, Meter: usage.MeterStorage, Amount: 7, Seconds: 59}
	lines := r.store.windows["acme"][usage.WindowAt(began.Unix())]
	if len(lines) != 4 || lines[3] != want {
		t.Errorf("got %+v, want the last to be %+v", lines, want)
	}

	r = small()
	r.meter = New(Options{Swarm: r.world, Store: r.conn, Clock: r.world, Volumes: volumes{err: errBoom}})
	if err := r.ticks(t, 0, 0); !errors.Is(err, errBoom) || r.store.writes != 0 {
		t.Errorf("got %v and %d writes; want nothing taken in while volumes cannot be listed", err, r.store.writes)
	}
}

func TestState(t *testing.T) {
	r := small()
	if s := r.meter.State(); !s.Sampled.IsZero() || s.ClockSkewed {
		t.Errorf("before the first tick: %+v", s)
	}
	_ = r.ticks(t, 0, time.Minute)
	if s := r.meter.State(); !s.Sampled.Equal(began.Add(time.Minute)) || s.ClockSkewed {
		t.Errorf("after a minute: %+v", s)
	}
	r.set(time.Hour)
	if err := r.ticks(t, 2*time.Minute, 2*time.Minute); err == nil || !r.meter.State().ClockSkewed {
		t.Errorf("after the clock jumped: %+v, %v", r.meter.State(), err)
	}
}

// steady is a swarm in which one task runs, on the clock of the bubble.
type steady struct{ began time.Time }

func (s steady) Sample(context.Context) (usage.Sample, error) {
	return usage.Sample{
		Nodes:  map[string]usage.Node{"n": {State: swarm.NodeStateReady}},
		Clocks: []time.Time{time.Now()},
		Tasks: []usage.Task{{
			ID: "a", NodeID: "n", Owner: swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u"},
			State: swarm.TaskStateRunning, Since: s.began, Created: s.began, Updated: s.began,
		}},
	}, nil
}

func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(func() int64 { return time.Now().Unix() })
		m := New(Options{Swarm: steady{time.Now()}, Store: store.lead()})
		if !m.NeedLeaderElection() {
			t.Error("everybody meters, want the leader alone")
		}

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Start(ctx) }()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if got := store.seconds()["web"]; got < 9*60 || got > 10*60 {
			t.Errorf("%d s are charged after ten minutes", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ends with %v, want nothing", err)
		}
	})
}

func TestStartEndsWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(func() int64 { return time.Now().Unix() })
		m := New(Options{Swarm: steady{time.Now()}, Store: store.lead()})
		done := make(chan error)
		go func() { done <- m.Start(t.Context()) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		store.lead()
		if err := <-done; !errors.Is(err, usage.ErrFenced) {
			t.Errorf("it ends with %v, want ErrFenced", err)
		}
	})
}

// waking is a swarm that answers from a moment on, and counts who asks.
type waking struct {
	steady

	from  time.Time
	asked atomic.Int64
}

func (w *waking) Sample(ctx context.Context) (usage.Sample, error) {
	w.asked.Add(1)
	if time.Now().Before(w.from) {
		return usage.Sample{}, errBoom
	}

	return w.steady.Sample(ctx)
}

// TestStartLooksSoon: who begins looks again soon until there is something to see, and not for ever; then every 15 seconds.
func TestStartLooksSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(func() int64 { return time.Now().Unix() })
		s := &waking{steady: steady{time.Now()}, from: time.Now().Add(500 * time.Millisecond)}
		m := New(Options{Swarm: s, Store: store.lead()})
		go func() { _ = m.Start(t.Context()) }()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if m.State().Sampled.IsZero() {
			t.Errorf("after two seconds nothing was seen, having looked %d times", s.asked.Load())
		}
		before := s.asked.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.asked.Load() - before; got != 4 {
			t.Errorf("looks in the next minute: got %d, want 4", got)
		}

		blind := &waking{from: time.Now().Add(time.Hour)}
		m = New(Options{Swarm: blind, Store: store.lead()})
		go func() { _ = m.Start(t.Context()) }()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := blind.asked.Load(); got > 26 {
			t.Errorf("a swarm that does not answer was asked %d times in five minutes", got)
		}
	})
}
