package telemetry

import "time"

// add adds what was used between two rows of one life of a container. A counter that is smaller than before, such as those
// of the network when an interface was taken away, has counted nothing.
func (t *Totals) add(before, after *row) {
	t.CPU += time.Duration(grown(before, after, colCPUTotal))
	t.Periods += grown(before, after, colPeriods)
	t.ThrottledPeriods += grown(before, after, colThrottledPeriods)
	t.ReceiveBytes += grown(before, after, colReceiveBytes)
	t.TransmitBytes += grown(before, after, colTransmitBytes)
	t.ReadBytes += grown(before, after, colReadBytes)
	t.WriteBytes += grown(before, after, colWriteBytes)
}

// plus adds other totals.
func (t *Totals) plus(o Totals) {
	t.CPU += o.CPU
	t.Periods += o.Periods
	t.ThrottledPeriods += o.ThrottledPeriods
	t.ReceiveBytes += o.ReceiveBytes
	t.TransmitBytes += o.TransmitBytes
	t.ReadBytes += o.ReadBytes
	t.WriteBytes += o.WriteBytes
}

// grown is by how much a counter has grown.
func grown(before, after *row, column int) uint64 {
	a, b := uint64(after[column]), uint64(before[column]) //nolint:gosec // The bits that were put in.

	return a - min(a, b)
}

// account is what the tasks of one workload have used.
type account struct {
	totals Totals
	since  time.Time
	// used is when it last grew; accounts are given up in that order when there are too many.
	used time.Time
}
