package telemetry

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// unknown is a sample of a task of a service that nobody knows.
func unknown(task string) Sample {
	s := sample(task, 0, 0)
	s.Service = "nobody"

	return s
}

// TestLiarTakesLittleRoom: one node that makes tasks up has room for so many, and takes none from the others.
func TestLiarTakesLittleRoom(t *testing.T) {
	b := newBench(t)
	lies := make([]Sample, 3*maxUnknown)
	for i := range lies {
		lies[i] = unknown(fmt.Sprintf("lie-%d", i))
	}
	if odd := b.Add(b.report("liar", lies...), 0); odd != DropUnknown {
		t.Errorf("the report is odd because of %q, want %q", odd, DropUnknown)
	}
	if st := b.Stats(); st.Tasks != maxUnknown || st.Dropped[DropUnknown] != 2*maxUnknown {
		t.Errorf("tasks: got %d and %d dropped, want %d and the rest", st.Tasks, st.Dropped[DropUnknown], maxUnknown)
	}

	b.after(Interval)
	b.Add(b.report("liar", sample("t1", 0, 0)), 0)
	if _, ok := b.Latest("t1"); !ok {
		t.Error("a task that the swarm runs on the node of the liar has no samples")
	}
	honest := b.report("honest", unknown("t2"))
	honest.Node = "n2"
	if odd := b.Add(honest, 0); odd != "" || len(b.Window("t2", noon)) != 1 {
		t.Errorf("another node: odd because of %q, and its task has %d samples, want one", odd, len(b.Window("t2", noon)))
	}
}

// TestRoomComesBack: who is known, who is not ours and who is forgotten leaves room for others that are not known yet.
func TestRoomComesBack(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		then   func(b *bench)
	}{
		"Known":   {"The list of tasks comes after the first samples.", func(b *bench) { b.owners["nobody"] = web }},
		"NotOurs": {"Other services run on the swarm, too.", func(b *bench) { b.owners["nobody"] = swarmobj.Owner{} }},
		"Old":     {"Tasks that ended before the server was started are never known.", func(b *bench) { b.after(Kept + 2*sweepEvery) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			all := make([]Sample, maxUnknown)
			for i := range all {
				all[i] = unknown(fmt.Sprint(i))
			}
			b.Add(b.report("a", all...), 0)
			b.after(Interval)
			if tc.then(b); name == "Old" {
				b.Add(b.report("a"), 0)
			} else {
				b.Add(b.report("a", all...), 0)
			}
			delete(b.owners, "nobody")
			b.after(Interval)

			if odd := b.Add(b.report("a", unknown("new")), 0); odd != "" || b.tasks["new"] == nil {
				t.Errorf("another task that is not known is left out because of %q. %s", odd, tc.reason)
			}
		})
	}
}

// TestUnknownAreKeptShort: of a task that nobody knows no more is kept than until it can be known.
func TestUnknownAreKeptShort(t *testing.T) {
	b := newBench(t)
	for range 4 * chunkRows {
		b.after(Interval)
		b.Add(b.report("a", unknown("t1")), 0)
	}
	if n := b.Stats().Samples; n > chunkRows || n == 0 {
		t.Errorf("samples: got %d, want some, and %d at most", n, chunkRows)
	}
	if latest, ok := b.Latest("t1"); !ok || !latest.At.Equal(b.clock) {
		t.Errorf("latest: got one of %v, %v, want that of now", latest.At, ok)
	}
}

// TestOddReports: what no agent of ours tells is told of, and nothing else is.
func TestOddReports(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		tell   func(b *bench) string
		want   string
	}{
		"AsItShouldBe": {"", func(b *bench) string { return b.Add(b.report("a", sample("t1", 0, 0)), 0) }, ""},
		"Restart": {"A container that was started anew may be looked at at once.", func(b *bench) string {
			b.after(-Interval + time.Second)
			return b.Add(b.report("a", sample("t1", 14*time.Second, 0)), 0)
		}, ""},
		"Close": {"Agents look at containers every 15 seconds, or less often.", func(b *bench) string {
			b.after(-Interval + time.Second)
			return b.Add(b.report("a", sample("t1", 0, 0)), 0)
		}, DropClose},
		"Elsewhere": {"No agent sees containers of another node.", func(b *bench) string {
			r := b.report("b", sample("t1", 0, 0))
			r.Node = "n2"
			return b.Add(r, 0)
		}, DropElsewhere},
		"ElsewhereUnknown": {"While nobody knows where a task is it may be anywhere.", func(b *bench) string {
			b.Add(b.report("a", unknown("t2")), 0)
			r := b.report("b", unknown("t2"))
			r.Node = "n2"
			return b.Add(r, 0)
		}, ""},
		"ManyOfLongAgo": {"Nobody knows tasks that ended before the server was started.", func(b *bench) string {
			r := b.report("a")
			for i := range maxUnknown + 1 {
				s := unknown(fmt.Sprint(i))
				s.At = b.clock.Add(-time.Hour)
				r.Samples = append(r.Samples, s)
			}
			return b.Add(r, 0)
		}, ""},
		"ClockSetBack": {"Clocks are set.", func(b *bench) string {
			b.after(-time.Hour)
			return b.Add(b.report("a", sample("t1", 0, 0)), 0)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Add(b.report("a", sample("t1", 0, 0)), 0)
			b.after(Interval)
			if got := tc.tell(b); got != tc.want {
				t.Errorf("odd because of %q, want %q. %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestUnknownAreCounted: whatever is told by whom and becomes known when, each node has as many unknown tasks as it is said
// to have.
func TestUnknownAreCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(nil)
		services := []string{"web", "foreign", "s1", "s2", "s3"}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"report", "report", "report", "known", "notOurs", "long"}).Draw(t, "step") {
			case "known":
				b.owners[rapid.SampledFrom(services).Draw(t, "service")] = web
			case "notOurs":
				b.owners[rapid.SampledFrom(services).Draw(t, "service")] = swarmobj.Owner{}
			case "long":
				b.after(Kept)
			default:
				b.after(Interval)
				node := rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "node")
				r := b.report("agent of " + node)
				r.Node = node
				for range rapid.IntRange(0, 5).Draw(t, "samples") {
					s := sample(rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "task"), 0, 0)
					s.Service, s.At = rapid.SampledFrom(services).Draw(t, "service"), b.clock
					r.Samples = append(r.Samples, s)
				}
				b.Add(r, 0)
			}

			want := map[string]int{}
			for _, s := range b.tasks {
				if s.isUnknown() {
					want[s.node]++
				}
			}
			if fmt.Sprint(want) != fmt.Sprint(b.unknown) {
				t.Fatalf("unknown tasks by node: counted %v, and there are %v", b.unknown, want)
			}
		}
	})
}

// TestSamplesAreCountedWhileRead: the shortest text that is a sample takes a hundredth of its room.
func TestSamplesAreCountedWhileRead(t *testing.T) {
	list := func(n int) string { return `{"samples":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}` }
	for name, tc := range map[string]struct {
		text string
		want int
		ok   bool
	}{
		"None":    {`{"samples":null}`, 0, true},
		"Empty":   {`{"samples":[]}`, 0, true},
		"Most":    {list(MaxSamples), MaxSamples, true},
		"TooMany": {list(MaxSamples + 1), 0, false},
		"NoList":  {`{"samples":{"a":1}}`, 0, false},
		"NoItem":  {`{"samples":[1]}`, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var r Report
			if err := json.Unmarshal([]byte(tc.text), &r); (err == nil) != tc.ok || len(r.Samples) != tc.want {
				t.Errorf("got %d samples and %v, want %d, and an error: %v", len(r.Samples), err, tc.want, !tc.ok)
			}
		})
	}
}
