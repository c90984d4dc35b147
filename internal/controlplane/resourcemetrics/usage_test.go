package resourcemetrics

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/telemetry"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// sampled is a sample so many seconds ago of a container that has run for so long.
func sampled(ago, age, cpu time.Duration) telemetry.Sample {
	return telemetry.Sample{
		At: now.Add(-ago), Started: now.Add(-ago - age),
		CPU: telemetry.CPU{Total: cpu}, Memory: telemetry.Memory{Usage: 99, WorkingSet: 64 << 20},
	}
}

func TestUsed(t *testing.T) {
	const s = time.Second
	later := func(age, cpu time.Duration) telemetry.Sample { return sampled(0, age, cpu) }

	for name, tc := range map[string]struct {
		reason  string
		samples []telemetry.Sample
		want    usage
		ok      bool
	}{
		"Nothing": {reason: "A pod without samples is left out."},
		"Stale":   {reason: "What was is not what is.", samples: []telemetry.Sample{sampled(61*s, 100*s, 0), sampled(46*s, 115*s, 15*s)}},
		"TwoSamples": {
			reason:  "CPU is the average between the last two, and memory is the working set.",
			samples: []telemetry.Sample{sampled(30*s, 100*s, 0), sampled(15*s, 115*s, 4*s), later(130*s, 7*s)},
			want:    usage{at: now, window: 15 * s, cpu: 0.2, memory: 64 << 20}, ok: true,
		},
		"StartedLately": {
			reason:  "Of a container that has just been started, everything is since its start.",
			samples: []telemetry.Sample{later(10*s, 5*s)},
			want:    usage{at: now, window: 10 * s, cpu: 0.5, memory: 64 << 20}, ok: true,
		},
		"Restarted": {
			reason:  "Samples of two lives of a container are not compared.",
			samples: []telemetry.Sample{sampled(15*s, 1000*s, 900*s), later(10*s, s)},
			want:    usage{at: now, window: 10 * s, cpu: 0.1, memory: 64 << 20}, ok: true,
		},
		"SeenOnce":   {reason: "An old container that was seen once does not tell what it does now.", samples: []telemetry.Sample{later(1000*s, 900*s)}},
		"TooYoung":   {reason: "The first moments of a container are its start, and nothing else.", samples: []telemetry.Sample{later(2*s, 2*s)}},
		"RunsBack":   {reason: "A counter that runs back is none.", samples: []telemetry.Sample{sampled(15*s, 100*s, 9*s), later(115*s, 4*s)}},
		"NoDistance": {reason: "Nothing is divided by no time.", samples: []telemetry.Sample{later(115*s, 4*s), later(115*s, 4*s)}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := used(tc.samples, now)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(usage{})); diff != "" || ok != tc.ok {
				t.Errorf("%s: ok is %t (-want +got):\n%s", tc.reason, ok, diff)
			}
		})
	}
}

func TestUsageAsQuantities(t *testing.T) {
	got := usage{cpu: 0.1234567891, memory: 1<<20 + 1}.list()
	if got.Cpu().String() != "123456789n" || got.Cpu().MilliValue() != 124 || got.Memory().Value() != 1<<20+1 {
		t.Errorf("got %s and %s", got.Cpu(), got.Memory())
	}
}

// TestAbsurd: whatever a node says of itself, it does not use less than nothing.
func TestAbsurd(t *testing.T) {
	for _, cpu := range []float64{1e12, math.MaxFloat64, math.Inf(1)} {
		list := usage{cpu: cpu, memory: math.MaxUint64}.list()
		if c, m := list.Cpu(), list.Memory(); c.Sign() <= 0 || m.Sign() <= 0 {
			t.Errorf("%v cores: shown as %s, and memory as %s", cpu, c, m)
		}
	}
}
