package telemetry

import (
	"encoding/binary"
	"time"
)

// columns of a row.
const (
	colAt = iota // Microseconds since 1970, by the reader's clock.
	colState
	colCPUTotal
	colCPUUser
	colCPUSystem
	colPeriods
	colThrottledPeriods
	colThrottled
	colUsage
	colWorkingSet
	colRSS
	colCache
	colLimit
	colFailures
	colReceiveBytes
	colReceivePackets
	colReceiveErrors
	colReceiveDropped
	colTransmitBytes
	colTransmitPackets
	colTransmitErrors
	colTransmitDropped
	colReadBytes
	colReads
	colWriteBytes
	colWrites
	colPIDs
	colPIDLimit
	columns
)

// row is the numbers of a sample. What differs between two rows of an idle container is the time; of a busy one, half of
// the columns by a little: so a row is written as its differences from the one before.
//
// Unsigned numbers are kept by their bits. Differences wrap around, so that each comes back as it was.
type row [columns]int64

// states in the order of their numbers.
var states = [...]State{StateRunning, StatePaused, StateRestarting}

// rowOf takes the numbers of a sample, with its time by the reader's clock.
func rowOf(s *Sample, at time.Time) row {
	r := row{
		colAt:       at.UnixMicro(),
		colCPUTotal: int64(s.CPU.Total), colCPUUser: int64(s.CPU.User), colCPUSystem: int64(s.CPU.System),
		colPeriods: bits(s.CPU.Periods), colThrottledPeriods: bits(s.CPU.ThrottledPeriods), colThrottled: int64(s.CPU.Throttled),
		colUsage: bits(s.Memory.Usage), colWorkingSet: bits(s.Memory.WorkingSet), colRSS: bits(s.Memory.RSS),
		colCache: bits(s.Memory.Cache), colLimit: bits(s.Memory.Limit), colFailures: bits(s.Memory.Failures),
		colReceiveBytes: bits(s.Network.ReceiveBytes), colReceivePackets: bits(s.Network.ReceivePackets),
		colReceiveErrors: bits(s.Network.ReceiveErrors), colReceiveDropped: bits(s.Network.ReceiveDropped),
		colTransmitBytes: bits(s.Network.TransmitBytes), colTransmitPackets: bits(s.Network.TransmitPackets),
		colTransmitErrors: bits(s.Network.TransmitErrors), colTransmitDropped: bits(s.Network.TransmitDropped),
		colReadBytes: bits(s.Disk.ReadBytes), colReads: bits(s.Disk.Reads),
		colWriteBytes: bits(s.Disk.WriteBytes), colWrites: bits(s.Disk.Writes),
		colPIDs: bits(s.PIDs), colPIDLimit: bits(s.PIDLimit),
	}
	for i, state := range states {
		if s.State == state {
			r[colState] = int64(i)
		}
	}

	return r
}

// sample is the way back.
func (r *row) sample() Sample {
	u := func(column int) uint64 { return uint64(r[column]) } //nolint:gosec // The bits that were put in.

	return Sample{
		At:    r.at(),
		State: states[r[colState]],
		CPU: CPU{
			Total: time.Duration(r[colCPUTotal]), User: time.Duration(r[colCPUUser]), System: time.Duration(r[colCPUSystem]),
			Periods: u(colPeriods), ThrottledPeriods: u(colThrottledPeriods), Throttled: time.Duration(r[colThrottled]),
		},
		Memory: Memory{
			Usage: u(colUsage), WorkingSet: u(colWorkingSet), RSS: u(colRSS), Cache: u(colCache), Limit: u(colLimit), Failures: u(colFailures),
		},
		Network: Network{
			ReceiveBytes: u(colReceiveBytes), ReceivePackets: u(colReceivePackets),
			ReceiveErrors: u(colReceiveErrors), ReceiveDropped: u(colReceiveDropped),
			TransmitBytes: u(colTransmitBytes), TransmitPackets: u(colTransmitPackets),
			TransmitErrors: u(colTransmitErrors), TransmitDropped: u(colTransmitDropped),
		},
		Disk: Disk{ReadBytes: u(colReadBytes), Reads: u(colReads), WriteBytes: u(colWriteBytes), Writes: u(colWrites)},
		PIDs: u(colPIDs), PIDLimit: u(colPIDLimit),
	}
}

func (r *row) at() time.Time { return time.UnixMicro(r[colAt]) }

func bits(v uint64) int64 { return int64(v) } //nolint:gosec // It comes back as what it was.

// encode appends a row as its differences from the one before: which columns differ, and by how much.
func encode(to []byte, r, before *row) []byte {
	var changed uint64
	for i := range r {
		if r[i] != before[i] {
			changed |= 1 << i
		}
	}

	to = binary.AppendUvarint(to, changed)
	for i := range r {
		if r[i] != before[i] {
			to = binary.AppendVarint(to, r[i]-before[i])
		}
	}

	return to
}

// decode reads one row into the one before, and returns what is left.
func decode(from []byte, r *row) []byte {
	changed, n := binary.Uvarint(from)
	from = from[n:]
	for i := range r {
		if changed&(1<<i) == 0 {
			continue
		}
		d, n := binary.Varint(from)
		r[i] += d
		from = from[n:]
	}

	return from
}
