package telemetry

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRowsComeBack: whatever numbers a sample has, they come back as they were.
func TestRowsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) (r row) {
			for i := range r {
				if rapid.Bool().Draw(t, "set") {
					r[i] = rapid.Int64().Draw(t, "value")
				}
			}

			return r
		}), 1, 20).Draw(t, "rows")

		var c chunk
		var before row
		for _, r := range rows {
			c.append(&r, &before)
			before = r
		}
		i := 0
		for r := range c.all() {
			if *r != rows[i] {
				t.Fatalf("row %d: got %v, want %v", i, *r, rows[i])
			}
			i++
		}
		if i != len(rows) {
			t.Fatalf("%d rows came back of %d", i, len(rows))
		}
	})
}

// TestSumsNeverGoBackwards: whatever happens to tasks, containers, agents and reports, what a workload has used in all only
// grows, is never more than its tasks have used, and is all of it when every task was seen at its end.
func TestSumsNeverGoBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(nil)
		agent, tasks, used := 0, map[string]*Sample{}, time.Duration(0)
		name := func() string { return fmt.Sprintf("agent-%d", agent) }
		var late []Report
		var last Totals

		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			b.after(Interval)
			switch rapid.SampledFrom([]string{"round", "round", "round", "lost", "agent", "task", "restart", "end", "replay"}).Draw(t, "step") {
			case "agent":
				agent++
			case "task":
				s := sample(fmt.Sprintf("task-%d", step), b.clock.Sub(noon), 0)
				tasks[s.Task] = &s
			case "restart":
				for _, s := range tasks {
					s.Started, s.CPU.Total = b.clock, 0
					break
				}
			case "end":
				for id := range tasks {
					delete(tasks, id)
					break
				}
			case "replay":
				if len(late) > 0 {
					b.Add(late[rapid.IntRange(0, len(late)-1).Draw(t, "which")], 0)
				}
			}

			var samples []Sample
			for _, s := range tasks {
				d := time.Duration(rapid.Int64Range(0, int64(Interval)).Draw(t, "used"))
				s.CPU.Total += d
				used += d
				samples = append(samples, *s)
			}
			r := b.report(name(), samples...)
			if late = append(late, r); rapid.Bool().Draw(t, "comes") {
				b.Add(r, 0)
			}

			got, _ := b.Totals(web)
			if got.CPU < last.CPU || got.ReceiveBytes < last.ReceiveBytes {
				t.Fatalf("totals went from %+v to %+v", last, got)
			}
			if got.CPU > used {
				t.Fatalf("%v were counted, and only %v used", got.CPU, used)
			}
			last = got
		}
	})
}

// TestMemoryOfTask says what a task costs, and holds it against a limit: 5,000 tasks must fit beside everything else.
func TestMemoryOfTask(t *testing.T) {
	for name, tc := range map[string]struct {
		busy  bool
		limit int
	}{"Idle": {false, 6 << 10}, "Busy": {true, 22 << 10}} {
		t.Run(name, func(t *testing.T) {
			st := filled(t, 10, tc.busy).Stats()
			t.Logf("%d bytes and %d samples a task", st.Bytes/st.Tasks, st.Samples/st.Tasks)
			if got := st.Bytes / st.Tasks; got > tc.limit {
				t.Errorf("bytes a task: got %d, want at most %d", got, tc.limit)
			}
		})
	}
}

// filled is a store that has seen so many tasks for two hours and a half.
func filled(tb testing.TB, tasks int, busy bool) *bench {
	tb.Helper()
	b := newBench(nil)
	random := rand.New(rand.NewPCG(1, 2))
	running := make([]Sample, tasks)
	for i := range running {
		running[i] = sample(fmt.Sprintf("task-%025d", i), 0, 0)
	}
	for range int(150 * time.Minute / Interval) {
		b.after(Interval + time.Duration(random.IntN(1000))*time.Microsecond)
		for i := range running {
			use(&running[i], random, busy)
		}
		r := b.report("a", running...)
		r.Samples = append([]Sample(nil), r.Samples...)
		b.Add(r, 0)
	}

	return b
}

// use makes a sample the next one of a container that serves requests, or of one that waits for them.
func use(s *Sample, random *rand.Rand, busy bool) {
	some := func(n int) uint64 { return uint64(random.IntN(n)) }
	if !busy {
		if random.IntN(4) == 0 {
			s.CPU.Total += time.Duration(some(3e6))
			s.CPU.User += time.Duration(some(3e6))
		}
		return
	}
	s.CPU.Total += time.Duration(some(15e9))
	s.CPU.User += time.Duration(some(10e9))
	s.CPU.System += time.Duration(some(5e9))
	s.CPU.Periods += 150
	s.CPU.ThrottledPeriods += some(150)
	s.CPU.Throttled += time.Duration(some(5e9))
	s.Memory.Usage, s.Memory.WorkingSet, s.Memory.RSS, s.Memory.Cache = some(1<<30), some(1<<30), some(1<<30), some(1<<28)
	s.Network.ReceiveBytes += some(1 << 24)
	s.Network.ReceivePackets += some(1 << 16)
	s.Network.TransmitBytes += some(1 << 24)
	s.Network.TransmitPackets += some(1 << 16)
	s.Disk.WriteBytes += some(1<<8) << 12
	s.Disk.Writes += some(1 << 8)
	s.PIDs = some(50)
}

// BenchmarkAdd takes in a report of 100 busy containers.
func BenchmarkAdd(b *testing.B) {
	w := filled(b, 100, true)
	random := rand.New(rand.NewPCG(3, 4))
	samples := make([]Sample, 0, 100)
	for _, s := range w.Subjects(web) {
		last, _ := w.Latest(s.Task)
		samples = append(samples, last)
	}
	b.ResetTimer()
	for range b.N {
		w.after(Interval)
		for i := range samples {
			use(&samples[i], random, true)
		}
		w.Add(w.report("a", samples...), 0)
	}
	st := w.Stats()
	b.ReportMetric(float64(st.Bytes)/float64(st.Tasks), "bytes/task")
}

// BenchmarkWindow reads the two hours of one task.
func BenchmarkWindow(b *testing.B) {
	w := filled(b, 1, true)
	task := w.Subjects(web)[0].Task
	b.ResetTimer()
	for range b.N {
		if len(w.Window(task, noon)) == 0 {
			b.Fatal("no samples")
		}
	}
}
