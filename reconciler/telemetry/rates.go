package telemetry

import "time"

// The functions in this file say what samples of one task mean: those of a Window, oldest first. Each looks only at the
// last life of the container among them, so that counters that begin again are never compared with older ones, and says
// false when the samples do not tell.

// CPURate is how many cores were busy on average between the first sample and the last.
func CPURate(samples []Sample) (cores float64, ok bool) {
	first, last, ok := ends(samples)
	if !ok || last.CPU.Total < first.CPU.Total {
		return 0, false
	}

	return (last.CPU.Total - first.CPU.Total).Seconds() / last.At.Sub(first.At).Seconds(), true
}

// ThrottledRatio is in how much of the periods in which the task wanted to run its limit held it up, from 0 to 1. It is
// false when there were none: a task that does nothing, or has no limit, is not throttled, and is no proof either.
func ThrottledRatio(samples []Sample) (ratio float64, ok bool) {
	first, last, ok := ends(samples)
	if !ok || last.CPU.Periods <= first.CPU.Periods || last.CPU.ThrottledPeriods < first.CPU.ThrottledPeriods {
		return 0, false
	}
	held := last.CPU.ThrottledPeriods - first.CPU.ThrottledPeriods

	return min(1, float64(held)/float64(last.CPU.Periods-first.CPU.Periods)), true
}

// WorkingSet is the memory that the task last held and that cannot be taken away, in bytes.
func WorkingSet(samples []Sample) (bytes uint64, ok bool) {
	if len(samples) == 0 {
		return 0, false
	}

	return samples[len(samples)-1].Memory.WorkingSet, true
}

// PeakWorkingSet is the largest WorkingSet among the samples of this life of the container.
func PeakWorkingSet(samples []Sample) (bytes uint64, ok bool) {
	for _, s := range lastLife(samples) {
		bytes = max(bytes, s.Memory.WorkingSet)
	}

	return bytes, len(samples) > 0
}

// Flow is bytes per second.
type Flow struct{ In, Out float64 }

// NetworkRate is what was received and sent per second between the first sample and the last.
func NetworkRate(samples []Sample) (Flow, bool) {
	return flow(samples, func(s *Sample) (in, out uint64) { return s.Network.ReceiveBytes, s.Network.TransmitBytes })
}

// DiskRate is what was read and written per second between the first sample and the last.
func DiskRate(samples []Sample) (Flow, bool) {
	return flow(samples, func(s *Sample) (in, out uint64) { return s.Disk.ReadBytes, s.Disk.WriteBytes })
}

// Span is when the rates of the samples end, and the time that they are averages of.
func Span(samples []Sample) (end time.Time, length time.Duration, ok bool) {
	first, last, ok := ends(samples)
	if !ok {
		return time.Time{}, 0, false
	}

	return last.At, last.At.Sub(first.At), true
}

// flow is the rate of two counters. An interface that was taken away takes its counts with it: that is no flow backwards.
func flow(samples []Sample, counters func(*Sample) (in, out uint64)) (Flow, bool) {
	first, last, ok := ends(samples)
	if !ok {
		return Flow{}, false
	}

	in0, out0 := counters(&first)
	in1, out1 := counters(&last)
	if in1 < in0 || out1 < out0 {
		return Flow{}, false
	}
	seconds := last.At.Sub(first.At).Seconds()

	return Flow{In: float64(in1-in0) / seconds, Out: float64(out1-out0) / seconds}, true
}

// ends are the first and the last sample of the last life of the container, when time has passed between them.
func ends(samples []Sample) (first, last Sample, ok bool) {
	life := lastLife(samples)
	if len(life) < 2 {
		return Sample{}, Sample{}, false
	}
	first, last = life[0], life[len(life)-1]

	return first, last, last.At.After(first.At)
}

// lastLife leaves out what belongs to an earlier life of the container than the last sample.
func lastLife(samples []Sample) []Sample {
	i := len(samples) - 1
	for i > 0 && SameLife(samples[i-1], samples[i]) {
		i--
	}

	return samples[max(i, 0):]
}

// SameLife tells whether the counters of two samples can be compared.
func SameLife(a, b Sample) bool {
	return a.Container == b.Container && a.Started.Equal(b.Started)
}
