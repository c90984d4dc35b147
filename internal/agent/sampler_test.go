package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// engine answers for a few containers, and counts how often it is asked.
type engine struct {
	mu sync.Mutex
	// cpu is what each container has used, by ID; down makes all lists fail, and hung never answers about one container.
	cpu  map[string]uint64
	down bool
	hung string
	// takes is how long an answer takes.
	takes time.Duration

	starts          map[string]time.Time
	inspects        int
	asking, busiest int
}

func (e *engine) ContainerList(_ context.Context, o container.ListOptions) ([]container.Summary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.down {
		return nil, errors.New("the engine is down")
	}
	if !o.Filters.ExactMatch("label", TaskLabel) {
		return nil, fmt.Errorf("asked for %v, want containers of tasks only", o.Filters)
	}
	var list []container.Summary
	for _, id := range slices.Sorted(maps.Keys(e.cpu)) {
		list = append(list, container.Summary{
			ID: id, State: "running", Labels: map[string]string{TaskLabel: "task-" + id, ServiceLabel: "service"},
		})
	}

	return list, nil
}

func (e *engine) ContainerInspect(_ context.Context, id string) (container.InspectResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	e.inspects++
	state := &container.State{StartedAt: e.starts[id].Format(time.RFC3339Nano)}

	return container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{ID: id, State: state}}, nil
}

func (e *engine) ContainerStatsOneShot(ctx context.Context, id string) (container.StatsResponseReader, error) {
	e.mu.Lock()
	e.asking++
	e.busiest = max(e.busiest, e.asking)
	cpu, hung := e.cpu[id], e.hung == id
	e.mu.Unlock()

	defer func() { e.mu.Lock(); e.asking--; e.mu.Unlock() }()

	if hung {
		<-ctx.Done()
		return container.StatsResponseReader{}, ctx.Err()
	}
	time.Sleep(e.takes)
	body := fmt.Sprintf(`{"read":%q,"pids_stats":{"current":1},"cpu_stats":{"cpu_usage":{"total_usage":%d}}}`, time.Now().Format(time.RFC3339Nano), cpu)
	if cpu == 0 {
		body = `{"read":"2026-01-01T00:00:00Z"}`
	}

	return container.StatsResponseReader{Body: io.NopCloser(strings.NewReader(body))}, nil
}

func sampled(r telemetry.Report) []string {
	var ids []string
	for _, s := range r.Samples {
		ids = append(ids, s.Container)
	}
	slices.Sort(ids)

	return ids
}

func TestSamplerRun(t *testing.T) {
	dir := proc(t, procStat, procMeminfo)

	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e := &engine{cpu: map[string]uint64{"a": 10, "b": 20, "over": 0}, starts: map[string]time.Time{"a": start, "b": start}}
		s := NewSampler(e, SamplerOptions{Node: "node", Proc: dir})

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var reports []telemetry.Report
		done := make(chan error)
		go func() { done <- s.Run(ctx, func(r telemetry.Report) { reports = append(reports, r) }) }()

		time.Sleep(telemetry.Interval - time.Second)
		e.mu.Lock()
		// A container that is started anew counts from zero.
		e.cpu["a"], e.starts["a"] = 5, start.Add(time.Second)
		e.mu.Unlock()
		time.Sleep(telemetry.Interval)
		e.mu.Lock()
		e.down = true
		e.mu.Unlock()
		time.Sleep(2 * telemetry.Interval)
		e.mu.Lock()
		e.down = false
		e.mu.Unlock()
		time.Sleep(telemetry.Interval)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}

		if len(reports) != 3 {
			t.Fatalf("got %d reports, want one for each round in which the engine answered: 3", len(reports))
		}
		for i, r := range reports {
			if r.Round != int64(i+1) || r.Agent != s.ID() || r.Node != "node" || r.Machine.Cores != 2 {
				t.Errorf("report %d: got round %d of %q on %q with %d cores", i, r.Round, r.Agent, r.Node, r.Machine.Cores)
			}
			if diff := cmp.Diff([]string{"a", "b"}, sampled(r)); diff != "" {
				t.Errorf("report %d has samples of (-want +got):\n%s", i, diff)
			}
		}
		first, second := reports[0].Samples[0], reports[1].Samples[0]
		if !first.Started.Equal(start) || !second.Started.Equal(start.Add(time.Second)) {
			t.Errorf("container that was started anew: got starts %v and %v, want that of each life", first.Started, second.Started)
		}
		if e.inspects != 3 {
			t.Errorf("got %d inspections, want one for each life of a container: 3", e.inspects)
		}
	})
}

// crowd is an engine with 500 containers.
func crowd(takes time.Duration) *engine {
	e := &engine{cpu: map[string]uint64{}, starts: map[string]time.Time{}, takes: takes}
	for i := range 500 {
		id := fmt.Sprintf("c%03d", i)
		e.cpu[id], e.starts[id] = 1, time.Now()
	}

	return e
}

// TestSamplerSpreads asks about 500 containers without haste, because that keeps the engine free for other work, and about all
// of them, though an engine of Debian 12 takes a second for each answer.
func TestSamplerSpreads(t *testing.T) {
	dir := proc(t, procStat, procMeminfo)

	synctest.Test(t, func(t *testing.T) {
		e := crowd(time.Second)
		e.hung = "c250"
		s := NewSampler(e, SamplerOptions{Node: "node", Proc: dir})

		r, err := s.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := r.Ended.Sub(r.Began); took < telemetry.Interval/3 || took > 3*telemetry.Interval/4 {
			t.Errorf("the round took %v, want about half of %v", took, telemetry.Interval)
		}
		if len(r.Samples) != 499 {
			t.Errorf("got %d samples, want all but that of the container that does not answer", len(r.Samples))
		}
		if e.busiest > sampledAtOnce {
			t.Errorf("%d were asked about at a time, want %d at most", e.busiest, sampledAtOnce)
		}
		if _, err := s.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		subjects, err := s.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if last := subjects[len(subjects)-1]; last.id != "c250" || last.silent != 2 {
			t.Errorf("last in turn is %q, silent %d times; want the one that does not answer, 2 times", last.id, last.silent)
		}
	})
}

// TestSamplerTakesTurns has an engine that is too slow for all of them. Each still has its turn, and it is said.
func TestSamplerTakesTurns(t *testing.T) {
	dir := proc(t, procStat, procMeminfo)

	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		s := NewSampler(crowd(4900*time.Millisecond), SamplerOptions{Node: "node", Proc: dir, Log: slog.New(slog.NewTextHandler(&said, nil))})

		seen := map[string]int{}
		for range 4 {
			r, err := s.Round(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Samples) == 500 {
				t.Error("all were sampled, which leaves nothing to be tested")
			}
			for _, id := range sampled(r) {
				seen[id]++
			}
		}
		if len(seen) != 500 {
			t.Errorf("%d containers were sampled in four rounds, want each of the 500", len(seen))
		}
		if got := strings.Count(said.String(), "too slow"); got != 1 {
			t.Errorf("it was said %d times that the engine is too slow, want once:\n%s", got, said.String())
		}
	})
}
