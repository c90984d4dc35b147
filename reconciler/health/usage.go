package health

import (
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	// seenEnough is how much of a task's life a recommendation needs. A day's peak it does not know: two hours are kept.
	seenEnough = time.Hour
	// step is what rates of CPU are averaged over.
	step = time.Minute
	// percentile of the rates that is meant to fit, and the margins on top.
	percentile           = 0.95
	cpuMargin, memMargin = 1.15, 1.20
	// leastCPU and leastMemory are the least that is recommended, in millicores and MiB, and what amounts are rounded up to.
	leastCPU, cpuUnit       = 10, 10
	leastMemory, memoryUnit = 8, 8
	// moved is how much a recommendation has to differ from the one before to take its place.
	moved = 0.15
	// wasteful is how many times what is recommended has to be requested to be too much, and thrifty when that is over.
	wasteful, thrifty = 3.0, 2.0
	// What is not worth a word, in cores and bytes.
	smallCPU    = 0.05
	smallMemory = 32 << 20
	// maxMessage is what the schema allows.
	maxMessage = 1024
)

// throttled holds the worst task against the limit.
func throttled(o *Observation, was bool, _ *Verdict) finding {
	worst, known := 0.0, false
	for _, samples := range o.Windows {
		if ratio, ok := telemetry.ThrottledRatio(lately(samples, o.Now)); ok {
			worst, known = max(worst, ratio), true
		}
	}

	return above(worst, known, was, throttledFrom, throttledUntil, func() string {
		return fmt.Sprintf("limits.cpu holds a task up in %d%% of the periods in which it has something to do", percent(worst))
	})
}

// under holds what is used against what is requested of CPU, and against the limit of memory.
func under(o *Observation, was bool, _ *Verdict) finding {
	full, fullKnown := 0.0, false
	busy, busyKnown := 0.0, false
	for _, samples := range o.Windows {
		recent := lately(samples, o.Now)
		if len(recent) > 0 {
			if last := recent[len(recent)-1].Memory; last.Limit > 0 {
				full, fullKnown = max(full, float64(last.WorkingSet)/float64(last.Limit)), true
			}
		}
		if cores, ok := telemetry.CPURate(recent); ok && o.CPURequest > 0 {
			busy, busyKnown = max(busy, cores/o.CPURequest), true
		}
	}

	memory := above(full, fullKnown, was, memoryFrom, memoryUntil, func() string {
		return fmt.Sprintf("a task uses %d%% of limits.memory; at the limit it is killed", percent(full))
	})
	if memory.holds {
		return memory
	}
	cpu := above(busy, busyKnown, was, cpuFrom, cpuUntil, func() string {
		return fmt.Sprintf("a task uses %d%% of requests.cpu; the node may not have that much for it at other times", percent(busy))
	})
	if cpu.holds || memory.unsure && cpu.unsure {
		return cpu
	}

	return finding{}
}

// over holds what is requested against what is recommended.
func over(o *Observation, was bool, v *Verdict) finding {
	r := v.Recommended
	if r == nil || r.CPU == nil || r.Memory == nil {
		return unsure
	}
	bound := wasteful
	if was {
		bound = thrifty
	}
	cpu, memory := r.CPU.AsApproximateFloat64(), r.Memory.AsApproximateFloat64()

	switch {
	case o.CPURequest > bound*cpu && o.CPURequest-cpu > smallCPU:
		return found("requests.cpu is much more than a task uses; %s would do", r.CPU)
	case float64(o.MemoryRequest) > bound*memory && float64(o.MemoryRequest)-memory > smallMemory:
		return found("requests.memory is much more than a task uses; %s would do", r.Memory)
	default:
		return finding{}
	}
}

// above is a check with two thresholds, so that a value between them changes nothing.
func above(value float64, known, was bool, from, until float64, evidence func() string) finding {
	switch {
	case !known:
		return unsure
	case value >= from, was && value >= until:
		return finding{holds: true, evidence: evidence()}
	default:
		return finding{}
	}
}

// recommend says what one task needs by what the neediest has used. Without enough to go by, and when it would hardly differ,
// the one before stays.
func recommend(o *Observation, before *v1alpha1.RecommendedRequests) *v1alpha1.RecommendedRequests {
	var cores float64
	var bytes uint64
	known := false
	for _, samples := range o.Windows {
		if _, length, ok := telemetry.Span(samples); !ok || length < seenEnough {
			continue
		}
		rates := ratesOf(samples)
		peak, ok := telemetry.PeakWorkingSet(samples)
		if len(rates) == 0 || !ok {
			continue
		}
		slices.Sort(rates)
		cores = max(cores, rates[int(percentile*float64(len(rates)-1))])
		bytes, known = max(bytes, peak), true
	}
	if !known {
		return before
	}

	cpu := roundUp(cores*cpuMargin*1000, cpuUnit, leastCPU)
	memory := roundUp(float64(bytes)*memMargin/(1<<20), memoryUnit, leastMemory)
	now := &v1alpha1.RecommendedRequests{
		CPU: resource.NewMilliQuantity(cpu, resource.DecimalSI), Memory: resource.NewQuantity(memory<<20, resource.BinarySI),
	}
	if before != nil && alike(before.CPU, now.CPU, cpuUnit/1000.0) && alike(before.Memory, now.Memory, memoryUnit<<20) {
		return before
	}

	return now
}

// ratesOf are the rates of CPU of one task, minute by minute.
func ratesOf(samples []telemetry.Sample) []float64 {
	var rates []float64
	for first := 0; first < len(samples)-1; {
		last := first + 1
		for last < len(samples)-1 && samples[last].At.Sub(samples[first].At) < step {
			last++
		}
		if cores, ok := telemetry.CPURate(samples[first : last+1]); ok {
			rates = append(rates, cores)
		}
		first = last
	}

	return rates
}

// alike is true for amounts that hardly differ: by a small part of them, or by what they are rounded to.
func alike(a, b *resource.Quantity, unit float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := a.AsApproximateFloat64(), b.AsApproximateFloat64()

	return math.Abs(x-y) <= max(moved*max(x, y), unit*1.001)
}

func roundUp(v float64, unit, least int64) int64 {
	return max(least, int64(math.Ceil(v/float64(unit)))*unit)
}

// lately is the end of a window that rates are judged by; empty when nothing was sampled lately.
func lately(samples []telemetry.Sample, now time.Time) []telemetry.Sample {
	if len(samples) == 0 || now.Sub(samples[len(samples)-1].At) > telemetry.Stale {
		return nil
	}
	i := len(samples) - 1
	for i > 0 && now.Sub(samples[i-1].At) <= usageWindow {
		i--
	}
	if now.Sub(samples[i].At) < usageWindow/2 {
		return nil // A start is busier than what comes after.
	}

	return samples[i:]
}

func percent(ratio float64) int { return int(math.Round(100 * ratio)) }

// seconds is a time as the API keeps it.
func seconds(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second).UTC()) }

func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}

	return s[:end] + "…"
}
