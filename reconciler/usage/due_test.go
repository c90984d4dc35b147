package usage

import (
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// bill plays a story and writes down the charges that come out of it.
func bill(looks []look) []string {
	var out []string
	a := NewAccount("acme", epoch)
	for _, l := range looks {
		a, _ = a.Observe(l.frame())
		for {
			c, next, due := a.Due()
			if !due {
				break
			}
			a = next
			out = append(out, c.text())
		}
	}

	return out
}

// text writes a charge in minutes of the story, with what was used in each as replica-seconds.
func (c Charge) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "(%d,%d]", c.After-epoch/60, c.Through-epoch/60)
	for _, w := range c.Windows {
		fmt.Fprintf(&b, " %d:", w.Index-epoch/60)
		for _, l := range w.Lines {
			if l.Meter == MeterReplica || l.Meter == MeterStorage {
				fmt.Fprintf(&b, "%d", l.Seconds)
			}
		}
	}
	for _, g := range c.Gaps {
		fmt.Fprintf(&b, " %s:%d", g.Cause, g.Seconds)
	}

	return b.String()
}

func TestDue(t *testing.T) {
	cases := map[string]struct {
		reason string
		looks  []look
		want   []string
	}{
		"NotBeforeItIsFinal": {
			reason: "A node may have been silent for 17 s, so at second 76 the first minute may still change.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 76, tasks: []Task{ran("a", 7)}}},
		},
		"OnceItIsFinal": {
			reason: "At second 77 it cannot.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 77, tasks: []Task{ran("a", 7)}}},
			want:   []string{"(-1,0] 0:53"},
		},
		"TwoTasksOfOneWorkload": {
			reason: "Their seconds add up.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7), ran("b", 12)}}, {at: 80, tasks: []Task{ran("a", 7), failed("b", 70)}}},
			want:   []string{"(-1,0] 0:101"},
		},
		"AGapHourByHour": {
			reason: "Prices change on the hour, so no charge spans one.",
			looks:  []look{{at: 3450, tasks: []Task{ran("a", 3440)}}, {at: 7300, tasks: []Task{failed("a", 3700)}}},
			want:   []string{"(56,59] 57:40 58:60 59:60", "(59,119] 60:60 61:40"},
		},
		"TheHourIsClosed": {
			reason: "What was begun is settled, although nothing runs any more.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{failed("a", 21)}}, {at: 90}, {at: 3700}, {at: 7300}},
			want:   []string{"(-1,0] 0:14", "(0,59]"},
		},
		"AfterARest": {
			reason: "The next charge begins where the last one ended, however long nothing ran.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{failed("a", 21)}}, {at: 90},
				{at: 90000}, {at: 90015, tasks: []Task{ran("b", 90005)}}, {at: 90100, tasks: []Task{ran("b", 90005)}},
			},
			want: []string{"(-1,0] 0:14", "(0,59]", "(59,1500] 1500:55"},
		},
		"DoubtKeepsItOpen": {
			reason: "Nobody knows whether the node is there.",
			looks: []look{
				{at: 30, tasks: []Task{ran("a", 7)}},
				{at: 90, tasks: []Task{ran("a", 7)}, nodes: nodes(swarm.NodeStateUnknown, 70)},
				{at: 150, tasks: []Task{ran("a", 7)}, nodes: nodes(swarm.NodeStateUnknown, 70)},
				{at: 165, tasks: []Task{ran("a", 7)}, nodes: nodes(swarm.NodeStateReady, 155)},
				{at: 180, tasks: []Task{ran("a", 7)}, nodes: nodes(swarm.NodeStateReady, 155)},
			},
			want: []string{"(-1,1] 0:53 1:60"},
		},
		"AGapIsToldOnce": {
			reason: "With the first charge after it.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 200, tasks: []Task{ran("a", 7)}, skips: []Skip{{Cause: CauseClockForward, From: epoch + 15, To: epoch + 135}}},
				{at: 260, tasks: []Task{ran("a", 7)}},
			},
			want: []string{"(-1,2] 0:8 2:45 ClockForward:120", "(2,3] 3:60"},
		},
		"AGapAlone": {
			reason: "It is told although nothing ran in any hour that is not settled.",
			looks: []look{
				{at: 3530, tasks: []Task{ran("a", 3520)}},
				{at: 3630, tasks: []Task{ran("a", 3520)}}, // charged through the hour
				{at: 9000, skips: []Skip{{Cause: CauseClockForward, From: epoch + 3600, To: epoch + 8000}}},
			},
			want: []string{"(57,59] 58:20 59:60", "(59,148] ClockForward:30"},
		},
		"Volume": {
			reason: "Storage is charged like everything else.",
			looks:  []look{{at: 15, volumes: []Volume{volume(10, 4)}}, {at: 77, volumes: []Volume{volume(10, 4)}}},
			want:   []string{"(-1,0] 0:56"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, bill(tc.looks)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLines(t *testing.T) {
	small := with(ran("s", 0), func(t *Task) { t.NanoCPUs = 500_000_000 })
	a, _ := NewAccount("acme", epoch).Observe(look{at: 15, tasks: []Task{ran("a", 10), ran("b", 10), small}, volumes: []Volume{volume(99, 30)}}.frame())
	a, _ = a.Observe(look{at: 80, tasks: []Task{ran("a", 10), ran("b", 10), small}, volumes: []Volume{volume(99, 30)}}.frame())
	c, _, due := a.Due()
	if !due {
		t.Fatal("nothing is due")
	}

	web, data := Workload{"TenantContainer", "web", "u1"}, Workload{"Volume", "data", "v1"}
	want := []Window{{Index: epoch / 60, Lines: []Line{
		{web, MeterCPU, 250_000_000, 100},
		{web, MeterCPU, 500_000_000, 45}, // It was RUNNING at second 0, which is not after the sample before: from 15 on.
		{web, MeterMemory, 1 << 20, 145},
		{web, MeterReplica, 1, 145},
		{data, MeterStorage, 99, 45},
	}}}
	if diff := cmp.Diff(want, c.Windows); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestQuantity(t *testing.T) {
	high, low := Line{Amount: 1 << 62, Seconds: 1 << 30}.Quantity()
	if high != 1<<28 || low != 0 {
		t.Errorf("2^62 times 2^30 is %d, %d", high, low)
	}
}

// drawRuns makes an account with runs anywhere within some hours.
func drawRuns(t *rapid.T) Account {
	a := Account{Tenant: "acme", Through: epoch/60 - 1, At: epoch + 5*3600}
	shapes := []Shape{
		{NanoCPUs: 250_000_000, MemoryBytes: 1 << 30, Replicas: 1}, {NanoCPUs: 1_000_000_000, MemoryBytes: 1 << 30, Replicas: 1},
		{Replicas: 1}, {StorageBytes: 1 << 40},
	}
	for i := range rapid.IntRange(1, 12).Draw(t, "runs") {
		r := run{
			id:       fmt.Sprint("t", i),
			workload: Workload{"TenantContainer", rapid.SampledFrom([]string{"web", "db"}).Draw(t, "workload"), "u"},
			shape:    rapid.SampledFrom(shapes).Draw(t, "shape"),
			from:     epoch + rapid.Int64Range(0, 4*3600).Draw(t, "from"),
		}
		if rapid.Bool().Draw(t, "ended") {
			r.to = r.from + rapid.Int64Range(1, 3600).Draw(t, "length")
		}
		a.runs = append(a.runs, r)
	}
	slices.SortFunc(a.runs, run.compare)

	return a
}

// TestSplitting (invariant 6): wherever windows and charges are cut, their quantities add up to what the runs come to,
// each window is given out once, and none before it is final.
func TestSplitting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawRuns(t)
		want := map[Meter]*big.Int{}
		final := WindowEnd(a.final())
		for _, r := range a.runs {
			to := final
			if !r.open() {
				to = min(to, r.to)
			}
			for _, m := range r.shape.amounts() {
				add(want, m.meter, m.each, max(to-r.from, 0))
			}
		}

		got := map[Meter]*big.Int{}
		through := a.Through
		for {
			// The account may be brought up to the end in any number of steps.
			early := a
			early.At = rapid.Int64Range(WindowStart(through), a.At).Draw(t, "at")
			c, next, due := early.Due()
			if !due {
				if c, next, due = a.Due(); !due {
					break
				}
			}
			if c.After != through || c.Through <= c.After {
				t.Fatalf("a charge of (%d,%d] after %d", c.After, c.Through, through)
			}
			for i, w := range c.Windows {
				if w.Index <= through || w.Index > c.Through || WindowEnd(w.Index) > a.At-NodeSilence || w.Index/60 != c.Windows[0].Index/60 {
					t.Fatalf("window %d of (%d,%d]", w.Index, c.After, c.Through)
				}
				if i > 0 && w.Index <= c.Windows[i-1].Index || !slices.IsSortedFunc(w.Lines, Line.compare) {
					t.Fatalf("window %d or its lines are out of order", w.Index)
				}
				for _, l := range w.Lines {
					add(got, l.Meter, l.Amount, l.Seconds)
				}
			}
			next.At = a.At
			a, through = next, c.Through
		}

		for _, m := range []Meter{MeterCPU, MeterMemory, MeterReplica, MeterStorage} {
			if sum(want, m).Cmp(sum(got, m)) != 0 {
				t.Errorf("%s: runs come to %s, windows to %s", m, sum(want, m), sum(got, m))
			}
		}
	})
}

func sum(sums map[Meter]*big.Int, m Meter) *big.Int {
	if sums[m] == nil {
		sums[m] = new(big.Int)
	}

	return sums[m]
}

func add(sums map[Meter]*big.Int, m Meter, amount, seconds int64) {
	high, low := bits.Mul64(uint64(amount), uint64(seconds))
	n := new(big.Int).SetUint64(high)
	sum(sums, m).Add(sum(sums, m), n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(low)))
}
