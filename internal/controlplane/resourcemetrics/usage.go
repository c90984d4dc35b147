package resourcemetrics

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// young is how long a container must have run for its time since the start to say something.
const young = 5 * time.Second

// maxCores is more than any machine has, and few enough to be counted in billionths.
const maxCores = 1e9

// usage is what something uses, and when.
type usage struct {
	at     time.Time
	window time.Duration
	cpu    float64 // cores
	memory uint64  // bytes
}

func (u usage) list() corev1.ResourceList {
	const nano = 1e9

	return corev1.ResourceList{
		// A node may say anything of itself: more than there can be is as much as there can be, and not less than nothing.
		corev1.ResourceCPU:    *resource.NewScaledQuantity(int64(math.Round(min(u.cpu, maxCores)*nano)), resource.Nano),
		corev1.ResourceMemory: *resource.NewQuantity(int64(min(u.memory, math.MaxInt64)), resource.BinarySI),
	}
}

// used is what a task uses by its samples, oldest first. It is false when they do not tell: there is none that is fresh, or
// only one of a container that was started before it was looked at. Of one that was started since, its start is the first
// sample, at which everything was 0.
func used(samples []telemetry.Sample, now time.Time) (usage, bool) {
	if len(samples) == 0 {
		return usage{}, false
	}
	last := samples[len(samples)-1]
	if now.Sub(last.At) > telemetry.Stale {
		return usage{}, false
	}

	before := telemetry.Sample{At: last.Started, Started: last.Started}
	if len(samples) > 1 && samples[len(samples)-2].Started.Equal(last.Started) {
		before = samples[len(samples)-2]
	} else if last.At.Sub(last.Started) > telemetry.Stale || last.At.Sub(last.Started) < young {
		return usage{}, false
	}
	window := last.At.Sub(before.At)
	if window <= 0 || last.CPU.Total < before.CPU.Total {
		return usage{}, false
	}

	return usage{
		at: last.At, window: window, memory: last.Memory.WorkingSet,
		cpu: (last.CPU.Total - before.CPU.Total).Seconds() / window.Seconds(),
	}, true
}

// usedBy is what a node uses. A node that was looked at once only does not tell: a rate takes two.
func usedBy(node string, s Samples, now time.Time) (usage, bool) {
	m, cores, ok := s.Machine(node)
	at := s.MachineAt(node)
	if !ok || cores <= 0 || at.IsZero() || now.Sub(at) > telemetry.Stale {
		return usage{}, false
	}

	return usage{at: at, window: telemetry.Interval, cpu: cores, memory: m.MemoryTotal - min(m.MemoryAvailable, m.MemoryTotal)}, true
}
