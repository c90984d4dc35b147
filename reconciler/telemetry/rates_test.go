package telemetry

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// history is a window of one life of a container that uses at most four cores.
func history(t *rapid.T) []Sample {
	n := rapid.IntRange(2, 30).Draw(t, "samples")
	out := make([]Sample, n)
	s := sample("t1", 0, 0)
	s.At = noon
	for i := range out {
		gap := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Minute)).Draw(t, "gap"))
		s.At = s.At.Add(gap)
		s.CPU.Total += time.Duration(rapid.Int64Range(0, 4*int64(gap)).Draw(t, "cpu"))
		periods := rapid.Uint64Range(0, 600).Draw(t, "periods")
		s.CPU.Periods += periods
		s.CPU.ThrottledPeriods += rapid.Uint64Range(0, periods).Draw(t, "throttled")
		s.Network.ReceiveBytes += rapid.Uint64Range(0, 1<<30).Draw(t, "received")
		s.Memory.WorkingSet = rapid.Uint64Range(0, 1<<40).Draw(t, "working set")
		out[i] = s
	}

	return out
}

// TestRatesAreWithinBounds: no rate is negative, or more than was possible.
func TestRatesAreWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(t)
		if cores, ok := CPURate(h); !ok || cores < 0 || cores > 4 {
			t.Errorf("cores: %v, %v", cores, ok)
		}
		if ratio, ok := ThrottledRatio(h); ok && (ratio < 0 || ratio > 1) {
			t.Errorf("throttled: %v", ratio)
		}
		if f, ok := NetworkRate(h); !ok || f.In < 0 || f.Out != 0 {
			t.Errorf("network: %v, %v", f, ok)
		}
		peak, _ := PeakWorkingSet(h)
		if last, ok := WorkingSet(h); !ok || last > peak {
			t.Errorf("working set %d, %v is more than the peak %d", last, ok, peak)
		}
	})
}

// TestRateOfWholeIsMeanOfParts: it does not matter where a window is cut.
func TestRateOfWholeIsMeanOfParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(t)
		if len(h) < 3 {
			return
		}
		cut := rapid.IntRange(1, len(h)-2).Draw(t, "cut")
		whole, _ := CPURate(h)
		a, _ := CPURate(h[:cut+1])
		b, _ := CPURate(h[cut:])
		_, la, _ := Span(h[:cut+1])
		_, lb, _ := Span(h[cut:])
		mean := (a*la.Seconds() + b*lb.Seconds()) / (la + lb).Seconds()
		if d := whole - mean; d > 1e-9 || d < -1e-9 {
			t.Errorf("cores of the whole: %v, of the parts: %v", whole, mean)
		}
	})
}

// TestEarlierLifeDoesNotCount: what stands before a restart changes no rate.
func TestEarlierLifeDoesNotCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := history(t), history(t)
		for i := range after {
			after[i].Started = after[i].Started.Add(time.Hour)
			after[i].At = after[i].At.Add(time.Hour)
		}
		both := append(before, after...)

		want, _ := CPURate(after)
		if got, ok := CPURate(both); !ok || got != want {
			t.Errorf("cores: got %v, %v, want %v", got, ok, want)
		}
		wantPeak, _ := PeakWorkingSet(after)
		if got, _ := PeakWorkingSet(both); got != wantPeak {
			t.Errorf("peak: got %v, want %v", got, wantPeak)
		}
	})
}

// TestNothingIsSaidOfTooLittle: a single sample, or two of one moment, have no rate.
func TestNothingIsSaidOfTooLittle(t *testing.T) {
	s := sample("t1", 0, time.Second)
	s.At = noon
	restarted := s
	restarted.At, restarted.Started = noon.Add(Interval), noon.Add(time.Second)

	for name, h := range map[string][]Sample{"None": nil, "One": {s}, "OneMoment": {s, s}, "OneOfThisLife": {s, restarted}} {
		t.Run(name, func(t *testing.T) {
			if cores, ok := CPURate(h); ok {
				t.Errorf("cores: %v", cores)
			}
			if f, ok := NetworkRate(h); ok {
				t.Errorf("network: %v", f)
			}
			if f, ok := DiskRate(h); ok {
				t.Errorf("disk: %v", f)
			}
			if r, ok := ThrottledRatio(h); ok {
				t.Errorf("throttled: %v", r)
			}
			if _, _, ok := Span(h); ok {
				t.Error("it has a span")
			}
		})
	}
}
