package health_test

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/health"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type change func(*swarmobj.Task)

// task of slot 1 that has been in a state for a while, and is meant to run unless it has ended.
func task(id string, state swarm.TaskState, since time.Duration, changes ...change) swarmobj.Task {
	t := swarmobj.Task{ID: id, Slot: 1, NodeID: "n1", State: state, Desired: swarm.TaskStateRunning, Since: now.Add(-since)}
	if t.Ended() {
		t.Desired = swarm.TaskStateShutdown
	}
	for _, c := range changes {
		c(&t)
	}

	return t
}

func failed(since time.Duration, changes ...change) swarmobj.Task {
	return task("f"+since.String(), swarm.TaskStateFailed, since, append([]change{func(t *swarmobj.Task) { t.ExitCode = 1 }}, changes...)...)
}

func slot(n int) change               { return func(t *swarmobj.Task) { t.Slot = n } }
func unhealthy(t *swarmobj.Task)      { t.Unhealthy = true }
func oom(t *swarmobj.Task)            { t.OOMKilled = true }
func says(words string) change        { return func(t *swarmobj.Task) { t.Err = words } }
func unwanted(t *swarmobj.Task)       { t.Desired = swarm.TaskStateShutdown }
func running(id string) swarmobj.Task { return task(id, swarm.TaskStateRunning, time.Hour) }

// load is what a container does all the time.
type load struct {
	cores, throttled float64
	memory, limit    uint64
	state            telemetry.State
	// over is for how long it has been seen, up to now less age.
	over, age time.Duration
}

// window samples a load.
func window(l load) []telemetry.Sample {
	var out []telemetry.Sample
	started := now.Add(-l.age - l.over)
	for at := started; !at.After(now.Add(-l.age)); at = at.Add(telemetry.Interval) {
		life := at.Sub(started)
		periods := uint64(life / (100 * time.Millisecond))
		s := telemetry.Sample{At: at, Container: "c", Task: "t", Started: started, State: telemetry.StateRunning}
		if l.state != "" {
			s.State = l.state
		}
		s.CPU = telemetry.CPU{Total: time.Duration(l.cores * float64(life)), Periods: periods, ThrottledPeriods: uint64(l.throttled * float64(periods))}
		s.Memory = telemetry.Memory{WorkingSet: l.memory, Limit: l.limit}
		out = append(out, s)
	}

	return out
}

func of(loads ...load) map[string][]telemetry.Sample {
	windows := map[string][]telemetry.Sample{}
	for i, l := range loads {
		windows[string(rune('a'+i))] = window(l)
	}

	return windows
}

func before(states ...v1alpha1.HealthState) *v1alpha1.HealthStatus {
	s := &v1alpha1.HealthStatus{}
	for _, state := range states {
		s.Findings = append(s.Findings, v1alpha1.HealthFinding{State: state, Since: metav1.NewTime(now.Add(-time.Hour)), Message: "as it was"})
	}

	return s
}

const mib = 1 << 20

func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		o      health.Observation
		before *v1alpha1.HealthStatus
		want   string // states, the worst first
		words  string // in the first message
		reason string
	}{
		"all is well": {
			o: health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{cores: 0.1, over: 10 * time.Minute})},
		},
		"three crashes": {
			o:    health.Observation{Tasks: []swarmobj.Task{failed(time.Minute), failed(2 * time.Minute), failed(3 * time.Minute)}},
			want: "CrashLooping", words: "3 tasks of slot 1 have failed within 10 minutes, the last one with exit code 1",
		},
		"three crashes of three slots": {
			o:      health.Observation{Tasks: []swarmobj.Task{failed(time.Minute), failed(2*time.Minute, slot(2)), failed(3*time.Minute, slot(3))}},
			reason: "each may have had a reason of its own",
		},
		"crashes of long ago": {
			o:      health.Observation{Tasks: []swarmobj.Task{running("a"), failed(11 * time.Minute), failed(12 * time.Minute), failed(13 * time.Minute)}},
			before: before(v1alpha1.HealthCrashLooping),
			reason: "it runs by now",
		},
		"the engine's words": {
			o: health.Observation{Tasks: []swarmobj.Task{
				failed(time.Minute, says("task: non-zero exit (3)")), failed(2 * time.Minute), failed(3 * time.Minute),
			}},
			want: "CrashLooping", words: `with "task: non-zero exit (3)"`,
		},
		"killed for memory": {
			o:    health.Observation{Tasks: []swarmobj.Task{running("a"), failed(9*time.Minute, oom)}},
			want: "OOMKilled", words: "limits.memory",
		},
		"killed for memory a while ago": {
			o: health.Observation{Tasks: []swarmobj.Task{running("a"), failed(10*time.Minute, oom)}}, before: before(v1alpha1.HealthOOMKilled),
		},
		"killed for memory again and again": {
			o:      health.Observation{Tasks: []swarmobj.Task{failed(time.Minute, oom), failed(2*time.Minute, oom), failed(3*time.Minute, oom)}},
			want:   "CrashLooping OOMKilled",
			reason: "both are true, and the loop is what hurts",
		},
		"health checks": {
			o: health.Observation{Tasks: []swarmobj.Task{
				running("a"), failed(time.Minute, unhealthy), failed(10*time.Minute, unhealthy), failed(20*time.Minute, unhealthy),
			}},
			want: "Flapping", words: "3 tasks of slot 1",
		},
		"no address": {
			o:    health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStateNew, 3*time.Minute)}},
			want: "Stuck", words: "no address",
		},
		"no address for a moment": {
			o: health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStateNew, time.Minute)}},
		},
		"no node, and a reason": {
			o:      health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStatePending, time.Hour, says("no suitable node"))}},
			reason: "the condition Ready says so already",
		},
		"no node, and no reason": {
			o:    health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStatePending, 3*time.Minute)}},
			want: "Stuck", words: "the scheduler gives no reason",
		},
		"long pull": {
			o: health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStatePreparing, 14*time.Minute)}},
		},
		"endless pull": {
			o:    health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStatePreparing, 16*time.Minute)}},
			want: "Stuck", words: "has been preparing for 15 minutes",
		},
		"one that is on its way out": {
			o: health.Observation{Tasks: []swarmobj.Task{task("a", swarm.TaskStatePreparing, 16*time.Minute, unwanted)}},
		},
		"paused": {
			o: health.Observation{
				Tasks: []swarmobj.Task{running("a")}, Windows: of(load{state: telemetry.StatePaused, over: 75 * time.Second}),
			},
			want: "Stuck", words: "paused",
		},
		"paused for a backup": {
			o: health.Observation{
				Tasks: []swarmobj.Task{running("a")}, Windows: of(load{state: telemetry.StatePaused, over: 45 * time.Second}),
			},
		},
		"throttled": {
			o:    health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{}, load{throttled: 0.4, over: 10 * time.Minute})},
			want: "Throttled", words: "40%",
		},
		"between the thresholds, from below": {
			o: health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{throttled: 0.2, over: 10 * time.Minute})},
		},
		"between the thresholds, from above": {
			o:      health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{throttled: 0.2, over: 10 * time.Minute})},
			before: before(v1alpha1.HealthThrottled),
			want:   "Throttled", words: "as it was",
		},
		"throttled at its start": {
			o:      health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{throttled: 0.9, over: time.Minute})},
			reason: "a start is busier than what comes after",
		},
		"samples that are too old": {
			o:      health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{throttled: 0, over: 10 * time.Minute, age: 2 * time.Minute})},
			before: before(v1alpha1.HealthThrottled),
			want:   "Throttled", words: "as it was",
			reason: "an agent that is silent proves nothing",
		},
		"memory almost full": {
			o:    health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{memory: 95 * mib, limit: 100 * mib, over: 10 * time.Minute})},
			want: "Underprovisioned", words: "95% of limits.memory",
		},
		"more CPU than requested": {
			o:    health.Observation{CPURequest: 0.1, Tasks: []swarmobj.Task{running("a")}, Windows: of(load{cores: 0.3, over: 10 * time.Minute})},
			want: "Underprovisioned", words: "300% of requests.cpu",
		},
		"CPU without a request": {
			o: health.Observation{Tasks: []swarmobj.Task{running("a")}, Windows: of(load{cores: 0.3, over: 10 * time.Minute})},
		},
		"requests for a giant": {
			o: health.Observation{
				CPURequest: 2, Tasks: []swarmobj.Task{running("a")}, Windows: of(load{cores: 0.1, memory: 50 * mib, over: 90 * time.Minute}),
			},
			want: "Overprovisioned", words: "120m would do",
		},
		"what is not meant to run": {
			o:      health.Observation{Idle: true, Tasks: []swarmobj.Task{failed(time.Minute), failed(2 * time.Minute), failed(3 * time.Minute)}},
			before: before(v1alpha1.HealthCrashLooping),
			reason: "a wanted stop is no trouble",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Now = now
			got := health.Judge(c.o, c.before)
			states := make([]string, 0, len(got.Findings))
			for _, f := range got.Findings {
				states = append(states, string(f.State))
			}
			if joined := strings.Join(states, " "); joined != c.want {
				t.Errorf("got %q, want %q: %s", joined, c.want, c.reason)
			}
			if len(got.Findings) > 0 && !strings.Contains(got.Findings[0].Message, c.words) {
				t.Errorf("message %q, want %q in it", got.Findings[0].Message, c.words)
			}
		})
	}
}

// TestStuckTasksThatCanBeStopped: only one with a container can.
func TestStuckTasksThatCanBeStopped(t *testing.T) {
	got := health.Judge(health.Observation{
		Now: now,
		Tasks: []swarmobj.Task{
			running("a"), task("b", swarm.TaskStateNew, time.Hour, slot(2)), task("c", swarm.TaskStateStarting, time.Hour, slot(3)),
		},
		Windows: of(load{state: telemetry.StatePaused, over: 5 * time.Minute}),
	}, nil)
	var ids []string
	for _, s := range got.Stuck {
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]string{"a", "c"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestRecommendation(t *testing.T) {
	for name, c := range map[string]struct {
		loads  []load
		before *v1alpha1.HealthStatus
		want   string
		reason string
	}{
		"too little seen":      {loads: []load{{cores: 1, over: 50 * time.Minute}}, want: "none"},
		"one task":             {loads: []load{{cores: 0.2, memory: 100 * mib, over: 90 * time.Minute}}, want: "230m 120Mi"},
		"the neediest decides": {loads: []load{{cores: 0.2, memory: 10 * mib, over: 90 * time.Minute}, {memory: 100 * mib, over: 90 * time.Minute}}, want: "230m 120Mi"},
		"idle":                 {loads: []load{{over: 90 * time.Minute}}, want: "10m 8Mi", reason: "nothing at all is not recommended"},
	} {
		t.Run(name, func(t *testing.T) {
			got := "none"
			if r := health.Judge(health.Observation{Now: now, Windows: of(c.loads...)}, c.before).Recommended; r != nil {
				got = r.CPU.String() + " " + r.Memory.String()
			}
			if got != c.want {
				t.Errorf("got %s, want %s: %s", got, c.want, c.reason)
			}
		})
	}
}

// TestQuiet: judging once more changes nothing, and little noise changes nothing either. Otherwise every look would be a write.
func TestQuiet(t *testing.T) {
	states := rapid.SampledFrom([]swarm.TaskState{
		swarm.TaskStateNew, swarm.TaskStatePending, swarm.TaskStatePreparing, swarm.TaskStateStarting, swarm.TaskStateRunning,
		swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateComplete, swarm.TaskStateShutdown,
	})
	rapid.Check(t, func(r *rapid.T) {
		o := health.Observation{
			Now: now, CPURequest: rapid.Float64Range(0, 4).Draw(r, "request"), MemoryRequest: rapid.Uint64Range(0, 1<<32).Draw(r, "memory"),
			Idle: rapid.Bool().Draw(r, "idle"),
		}
		for i := range rapid.IntRange(0, 8).Draw(r, "tasks") {
			o.Tasks = append(o.Tasks, task(string(rune('a'+i)), states.Draw(r, "state"), time.Duration(rapid.IntRange(0, 3600).Draw(r, "age"))*time.Second,
				slot(rapid.IntRange(0, 2).Draw(r, "slot")), func(t *swarmobj.Task) {
					t.OOMKilled, t.Unhealthy = rapid.Bool().Draw(r, "oom"), rapid.Bool().Draw(r, "unhealthy")
				}))
		}
		l := load{
			cores: rapid.Float64Range(0, 4).Draw(r, "cores"), throttled: rapid.Float64Range(0, 1).Draw(r, "throttled"),
			memory: rapid.Uint64Range(0, 1<<30).Draw(r, "used"), limit: rapid.SampledFrom([]uint64{0, 1 << 30}).Draw(r, "limit"),
			over: time.Duration(rapid.IntRange(0, 7000).Draw(r, "over")) * time.Second,
		}
		o.Windows = of(l)
		first := health.Judge(o, nil)

		l.cores *= rapid.Float64Range(0.99, 1.01).Draw(r, "noise")
		again := o
		again.Now, again.Windows = now.Add(time.Second), of(l)
		status := &v1alpha1.HealthStatus{Findings: first.Findings, RecommendedRequests: first.Recommended}
		for _, next := range []health.Observation{o, again} {
			second := health.Judge(next, status)
			for _, f := range second.Findings {
				for _, was := range first.Findings {
					if was.State == f.State && was != f {
						r.Errorf("%s was told anew: %+v, was %+v", f.State, f, was)
					}
				}
			}
			if first.Recommended != nil && second.Recommended != first.Recommended {
				r.Errorf("the recommendation moved: %v, was %v", second.Recommended, first.Recommended)
			}
		}
		if second := health.Judge(o, status); !cmp.Equal(second.Findings, first.Findings) {
			r.Errorf("the same observation says something else: %+v, said %+v", second.Findings, first.Findings)
		}
	})
}
