package telemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	web  = swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "uid-web"}
)

// bench is a store with a clock that tests set, and an agent that tells it things.
type bench struct {
	*testing.T

	*Store
	clock time.Time
	// owners of services; a service that is not in it is not known yet.
	owners map[string]swarmobj.Owner
	rounds map[string]int64
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, clock: noon, owners: map[string]swarmobj.Owner{"web": web, "foreign": {}}, rounds: map[string]int64{}}
	b.Store = NewStore(b.resolve, func() time.Time { return b.clock })

	return b
}

func (b *bench) resolve(service, task string) (Subject, bool) {
	o, known := b.owners[service]
	node := "n1"

	return Subject{Owner: o, Pod: "pod-" + task, Task: task, Service: service, Node: node}, known
}

// report is the next one of an agent on node n1, made now.
func (b *bench) report(agent string, samples ...Sample) Report {
	b.rounds[agent]++
	r := Report{Node: "n1", Agent: agent, Round: b.rounds[agent], Began: b.clock, Ended: b.clock, Samples: samples}
	r.Machine = Machine{Cores: 4, CPU: 2 * b.clock.Sub(noon), MemoryTotal: 1 << 30}
	for i := range r.Samples {
		r.Samples[i].At = b.clock
	}

	return r
}

// after lets time pass.
func (b *bench) after(d time.Duration) { b.clock = b.clock.Add(d) }

// sample of a task of web whose container was started so long after noon and has used so much.
func sample(task string, started, cpu time.Duration) Sample {
	return Sample{
		Container: "c-" + task, Task: task, Service: "web", Started: noon.Add(started), State: StateRunning,
		CPU:     CPU{Total: cpu, User: cpu / 2, System: cpu / 2, Periods: uint64(cpu / time.Millisecond)},
		Memory:  Memory{Usage: 2 << 20, WorkingSet: 1 << 20, Limit: 1 << 63},
		Network: Network{ReceiveBytes: uint64(cpu / 1000), TransmitBytes: uint64(cpu / 500)},
		PIDs:    3,
	}
}

func (b *bench) cpu(want time.Duration, reason string) {
	b.Helper()
	if got, _ := b.Totals(web); got.CPU != want {
		b.Errorf("CPU of all tasks: got %v, want %v. %s", got.CPU, want, reason)
	}
}

func TestStoreGivesBackWhatCameIn(t *testing.T) {
	b := newBench(t)
	var want []Sample
	for i := range 20 {
		b.after(Interval)
		s := sample("t1", time.Second, time.Duration(i)*1234567891)
		s.State = []State{StateRunning, StatePaused, StateRestarting}[i%3]
		s.Memory.WorkingSet, s.Disk.Writes, s.PIDLimit = uint64(i*7919), uint64(100-i), ^uint64(0)
		r := b.report("a", s)
		b.Add(r, 0)
		want = append(want, r.Samples[0])
	}

	if diff := cmp.Diff(want, b.Window("t1", noon)); diff != "" {
		t.Errorf("samples of the window (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[15:], b.Window("t1", want[15].At)); diff != "" {
		t.Errorf("samples since the sixteenth (-want +got):\n%s", diff)
	}
	latest, ok := b.Latest("t1")
	if diff := cmp.Diff(want[19], latest); !ok || diff != "" {
		t.Errorf("latest: %v (-want +got):\n%s", ok, diff)
	}
	b.after(Stale + time.Second)
	if _, ok := b.Latest("t1"); ok {
		t.Error("a sample that is stale is given out as the latest")
	}
}

func TestSubjects(t *testing.T) {
	b := newBench(t)
	other, foreign, early := sample("t2", 0, 0), sample("t3", 0, 0), sample("t4", 0, 0)
	other.Service, foreign.Service, early.Service = "other", "foreign", "early"
	b.owners["other"] = swarmobj.Owner{Tenant: "zeta", Name: "db", UID: "uid-db"}
	b.Add(b.report("a", sample("t1", 0, 0), other, foreign, early), 0)

	pods := func(o swarmobj.Owner) (names []string) {
		for _, s := range b.Subjects(o) {
			names = append(names, s.Pod)
		}

		return names
	}
	if diff := cmp.Diff([]string{"pod-t1"}, pods(web)); diff != "" {
		t.Errorf("pods of web (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pod-t1", "pod-t2"}, pods(swarmobj.Owner{})); diff != "" {
		t.Errorf("all pods, without those of services that are not ours or not known yet (-want +got):\n%s", diff)
	}
	if b.Window("t3", noon) != nil {
		t.Error("samples of a service that is not ours are kept")
	}

	b.after(Kept)
	if got := pods(web); len(got) != 1 {
		t.Errorf("pods that ended as long ago as samples are kept: got %v, want the one", got)
	}
	b.after(time.Second)
	if got := pods(web); len(got) != 0 {
		t.Errorf("pods that ended longer ago: got %v, want none", got)
	}
}

// TestStoreRefuses: what is not news, or cannot be true, changes nothing.
func TestStoreRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		dropped string
		tell    func(b *bench)
	}{
		"Twice": {"An answer that was lost is asked for again.", DropDuplicate, func(b *bench) {
			b.rounds["a"]--
			b.Add(b.report("a", sample("t1", 0, time.Hour)), 0)
		}},
		"Older": {"Reports overtake each other.", DropDuplicate, func(b *bench) {
			b.rounds["a"] -= 2
			b.Add(b.report("a", sample("t1", 0, time.Hour)), 0)
		}},
		"EarlierAgent": {"An agent that was replaced may still have told something.", DropDuplicate, func(b *bench) {
			b.Add(b.report("b"), 0)
			b.Add(b.report("a", sample("t1", 0, time.Hour)), 0)
		}},
		"EarlierLife": {"Counters of a life that is over are less than those that are known.", DropLate, func(b *bench) {
			b.Add(b.report("a", sample("t1", -time.Hour, time.Hour)), 0)
		}},
		"Future": {"Rates over a time that has not been yet are nonsense.", DropFuture, func(b *bench) {
			r := b.report("a", sample("t1", 0, time.Hour))
			r.Samples[0].At = b.clock.Add(time.Minute)
			b.Add(r, 0)
		}},
		"Elsewhere": {"An agent knows nothing of the tasks of other nodes, and must not be able to lie about them.", DropElsewhere, func(b *bench) {
			r := b.report("a", sample("t1", 0, time.Hour))
			r.Node = "n2"
			b.Add(r, 0)
		}},
		"Close": {"Who tells more often than agents sample takes more room than there is.", DropClose, func(b *bench) {
			r := b.report("a", sample("t1", 0, time.Hour))
			r.Samples[0].At = b.clock.Add(closest - time.Microsecond - Interval)
			b.Add(r, 0)
		}},
		"Old": {"What nobody keeps is not taken in for a minute.", DropOld, func(b *bench) {
			r := b.report("a", sample("t2", 0, time.Hour))
			r.Samples[0].At = b.clock.Add(-Kept - time.Second)
			b.Add(r, 0)
		}},
		"Malformed": {"IDs are kept, and an agent may make up long ones.", DropMalformed, func(b *bench) {
			b.Add(b.report("a", sample(strings.Repeat("t", maxID+1), 0, time.Hour)), 0)
		}},
		"MalformedAgent": {"So is the name of the agent.", DropMalformed, func(b *bench) {
			b.Add(b.report(strings.Repeat("a", maxID+1), sample("t1", 0, time.Hour)), 0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for i := range 3 {
				b.after(Interval)
				b.Add(b.report("a", sample("t1", 0, time.Duration(i)*time.Second)), 0)
			}
			before := b.Window("t1", noon)
			b.after(Interval)
			tc.tell(b)

			if diff := cmp.Diff(before, b.Window("t1", noon)); diff != "" {
				t.Errorf("samples have changed (-before +after): %s\n%s", tc.reason, diff)
			}
			b.cpu(2*time.Second, tc.reason)
			if got := b.Stats().Dropped[tc.dropped]; got != 1 {
				t.Errorf("dropped as %q: got %d, want 1", tc.dropped, got)
			}
		})
	}
}

// TestLiesComeToNothing: an agent that tells of a task of another node before anybody knows where it is does not keep the
// true one from telling.
func TestLiesComeToNothing(t *testing.T) {
	b := newBench(t)
	delete(b.owners, "web")
	lie := b.report("liar", sample("t1", time.Second, time.Hour))
	lie.Node = "n2"
	b.Add(lie, 0)
	b.owners["web"] = web
	b.after(Interval)
	b.Add(b.report("a", sample("t1", time.Second, 2*time.Second)), 0)

	b.cpu(2*time.Second, "What the other node said is forgotten.")
	if got := b.Window("t1", noon); len(got) != 1 {
		t.Errorf("samples: got %d, want the true one", len(got))
	}
}

func TestTotals(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		tell   func(b *bench)
		want   time.Duration
	}{
		"BeforeAnybodyCounted": {"What was used before the server was started is not known to be used since.", func(b *bench) {
			b.Add(b.report("a", sample("t1", -time.Hour, time.Minute)), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t1", -time.Hour, time.Minute+time.Second)), 0)
		}, time.Second},
		"ToldOfBefore": {"An agent tells a server that was started anew of the last two hours: they are no use of this moment.", func(b *bench) {
			for i := range 3 {
				r := b.report("a", sample("t1", -2*time.Hour, time.Duration(i)*time.Minute))
				r.Samples[0].At = b.clock.Add(time.Duration(i-10) * time.Minute)
				b.Add(r, 0)
			}
			b.after(Interval)
			b.Add(b.report("a", sample("t1", -2*time.Hour, 3*time.Minute)), 0)
		}, time.Minute},
		"StartedSince": {"A task may use most of what it uses before it is first looked at.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
		}, 3 * time.Second},
		"MissedReports": {"Counters go on while nobody looks.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(time.Hour)
			b.Add(b.report("a", sample("t1", time.Second, 30*time.Second)), 0)
		}, 30 * time.Second},
		"AgentRestart": {"Counters are the container's and not the agent's.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(Interval)
			b.Add(b.report("b", sample("t1", time.Second, 4*time.Second)), 0)
		}, 4 * time.Second},
		"ContainerRestart": {"Counters begin again, and the sum goes on.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t1", 10*time.Second, time.Second)), 0)
		}, 4 * time.Second},
		"TaskReplaced": {"A task that ended has used what it used.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t2", 10*time.Second, time.Second)), 0)
		}, 4 * time.Second},
		"CounterBackwards": {"Whatever makes a counter smaller, nothing was given back.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t1", time.Second, 2*time.Second)), 0)
		}, 3 * time.Second},
		"KnownLater": {"Samples may come before the list of tasks does.", func(b *bench) {
			delete(b.owners, "web")
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.owners["web"] = web
			b.after(Interval)
			b.Add(b.report("a", sample("t1", time.Second, 5*time.Second)), 0)
		}, 5 * time.Second},
		"Forgotten": {"What was counted before it was forgotten is not counted again when it comes back.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(Kept + time.Hour)
			b.Add(b.report("a"), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t1", time.Second, 9*time.Second)), 0)
			b.after(Interval)
			b.Add(b.report("a", sample("t1", time.Second, 10*time.Second)), 0)
		}, 4 * time.Second},
		"ClockSetBack": {"Times before and after do not compare, and counters do.", func(b *bench) {
			b.Add(b.report("a", sample("t1", time.Second, 3*time.Second)), 0)
			b.after(-time.Hour)
			b.Add(b.report("a", sample("t1", time.Second, 5*time.Second)), 0)
		}, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.after(Interval)
			tc.tell(b)
			b.cpu(tc.want, tc.reason)
		})
	}
}

// TestClockSetBack: after it, no window has times of before.
func TestClockSetBack(t *testing.T) {
	b := newBench(t)
	for i := range 4 {
		b.after(Interval)
		b.Add(b.report("a", sample("t1", 0, time.Duration(i)*time.Second)), 0)
	}
	b.after(-time.Hour)
	for i := range 2 {
		b.after(Interval)
		b.Add(b.report("a", sample("t1", 0, time.Duration(4+i)*15*time.Second)), 0)
	}

	got := b.Window("t1", b.clock.Add(-Kept))
	if len(got) != 2 {
		t.Fatalf("samples: got %d, want the 2 since the clock was set back", len(got))
	}
	if cores, ok := CPURate(got); !ok || cores != 1 {
		t.Errorf("cores: got %v, %v, want 1", cores, ok)
	}
}

// TestSkewIsTakenOut: a node whose clock is an hour ahead tells the same as one whose clock is right.
func TestSkewIsTakenOut(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			b := newBench(t)
			for i := range 3 {
				b.after(Interval)
				r := b.report("a", sample("t1", time.Second+skew, time.Duration(i+1)*15*time.Second))
				r.Began = r.Began.Add(skew)
				r.Samples[0].At = r.Samples[0].At.Add(skew)
				b.Add(r, skew)
			}

			latest, ok := b.Latest("t1")
			if !ok || !latest.At.Equal(b.clock) {
				t.Errorf("latest: got %v, %v, want that of now, %v", latest.At, ok, b.clock)
			}
			b.cpu(45*time.Second, "The container was started after the server, by whatever clock.")
			if m, cores, ok := b.Machine("n1"); !ok || cores != 2 || m.Cores != 4 {
				t.Errorf("machine: got %v busy of %d, %v, want 2 of 4", cores, m.Cores, ok)
			}
		})
	}
}

func TestMachine(t *testing.T) {
	b := newBench(t)
	if _, _, ok := b.Machine("n1"); ok {
		t.Error("a node that has told nothing has a machine")
	}
	b.Add(b.report("a"), 0)
	if _, cores, ok := b.Machine("n1"); !ok || cores != 0 {
		t.Errorf("after one report: got %v cores, %v, want none that can be told yet", cores, ok)
	}
	b.after(Interval)
	b.Add(b.report("a"), 0)
	if _, cores, _ := b.Machine("n1"); cores != 2 {
		t.Errorf("after two: got %v cores, want 2", cores)
	}

	b.after(Interval)
	rebooted := b.report("b")
	rebooted.Machine.CPU = time.Second
	b.Add(rebooted, 0)
	if _, cores, ok := b.Machine("n1"); !ok || cores != 0 {
		t.Errorf("after it was started anew: got %v cores, %v, want none that can be told", cores, ok)
	}
	b.after(Stale + time.Second)
	if _, _, ok := b.Machine("n1"); ok {
		t.Error("what a node told too long ago is given out")
	}
}

// TestOldSamplesAreThinned: of what is older than a quarter of an hour one a minute is kept, peaks among them; of what is
// older than two hours nothing.
func TestOldSamplesAreThinned(t *testing.T) {
	b := newBench(t)
	const peak = 777 << 20
	for i := range int(3 * time.Hour / Interval) {
		b.after(Interval)
		s := sample("t1", 0, time.Duration(i)*time.Second)
		if i == int(90*time.Minute/Interval)+1 {
			s.Memory.WorkingSet = peak
		}
		b.Add(b.report("a", s), 0)
	}

	got := b.Window("t1", noon)
	if age := b.clock.Sub(got[0].At); age > Kept || age < Kept-fine {
		t.Errorf("the oldest sample is %v old, want about %v", age, Kept)
	}
	recent := b.Window("t1", b.clock.Add(-fine))
	if want := int(fine/Interval) + 1; len(recent) != want {
		t.Errorf("samples of the last %v: got %d, want each of the %d", fine, len(recent), want)
	}
	if n := len(got); n > 240 {
		t.Errorf("samples of two hours: got %d, want one a minute but for the last half an hour at most", n)
	}
	if most, _ := PeakWorkingSet(got); most != peak {
		t.Errorf("peak: got %d, want %d", most, peak)
	}
	for i := 1; i < len(got); i++ {
		if gap := got[i].At.Sub(got[i-1].At); gap <= 0 || gap > 2*time.Minute {
			t.Fatalf("samples %d and %d are %v apart", i-1, i, gap)
		}
	}
	if cores, ok := CPURate(got); !ok || cores < 0.066 || cores > 0.067 {
		t.Errorf("cores over all of it: got %v, want 1/15 as ever", cores)
	}
}

// TestAccountsAreBounded: the ones that are quiet go first, and say that they begin again.
func TestAccountsAreBounded(t *testing.T) {
	b := newBench(t)
	for i := range maxAccounts {
		b.account(swarmobj.Owner{UID: fmt.Sprint(i)}).used = noon.Add(time.Duration(i))
	}
	b.after(time.Minute)
	b.Add(b.report("a", sample("t1", time.Second, time.Second)), 0)

	b.cpu(time.Second, "There is room for whoever is busy.")
	if _, since := b.Totals(web); !since.Equal(b.clock) {
		t.Errorf("it has been counted since %v, want %v", since, b.clock)
	}
	if len(b.accounts) > maxAccounts || b.accounts[swarmobj.Owner{UID: "0"}] != nil {
		t.Errorf("%d accounts, and the quietest is among them", len(b.accounts))
	}
}
