package agent

import (
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// unlimited is from where on a number says that there is no limit: kernels write the largest one they have, less the rest
// of a page.
const unlimited = 1 << 62

// Counters turns what the engine says of a container into a sample, which is without the names of the container then. The
// engine says it otherwise on machines with cgroups of version 1 and of version 2. memory is that of the machine: the engine
// gives it as the limit of containers that have none.
func Counters(s *container.StatsResponse, memory uint64) telemetry.Sample {
	return telemetry.Sample{
		At:       s.Read,
		CPU:      cpuOf(&s.CPUStats),
		Memory:   memoryOf(&s.MemoryStats, memory),
		Network:  networkOf(s.Networks),
		Disk:     diskOf(&s.BlkioStats),
		PIDs:     s.PidsStats.Current,
		PIDLimit: limit(s.PidsStats.Limit, unlimited),
	}
}

func cpuOf(s *container.CPUStats) telemetry.CPU {
	return telemetry.CPU{
		Total:            nanoseconds(s.CPUUsage.TotalUsage),
		User:             nanoseconds(s.CPUUsage.UsageInUsermode),
		System:           nanoseconds(s.CPUUsage.UsageInKernelmode),
		Periods:          s.ThrottlingData.Periods,
		ThrottledPeriods: s.ThrottlingData.ThrottledPeriods,
		Throttled:        nanoseconds(s.ThrottlingData.ThrottledTime),
	}
}

// nanoseconds is 292 years at most.
func nanoseconds(n uint64) time.Duration { return time.Duration(min(n, 1<<63-1)) } //nolint:gosec // within int64

// memoryOf: version 1 counts a group alone and, under names that begin with total_, with those below it. A container that
// makes groups of its own is to be counted as a whole. Version 2 always does so.
func memoryOf(s *container.MemoryStats, machine uint64) telemetry.Memory {
	first := func(names ...string) uint64 {
		for _, name := range names {
			if n, ok := s.Stats[name]; ok {
				return n
			}
		}

		return 0
	}

	m := telemetry.Memory{
		Usage:    s.Usage,
		RSS:      first("total_rss", "rss", "anon"),
		Cache:    first("total_cache", "cache", "file"),
		Limit:    limit(s.Limit, machine),
		Failures: s.Failcnt,
	}
	// The parts are not read at the same moment.
	m.WorkingSet = m.Usage - min(m.Usage, first("total_inactive_file", "inactive_file"))

	return m
}

// limit is 0 for a limit that does not limit anything.
func limit(n, none uint64) uint64 {
	if n >= unlimited || none > 0 && n >= none {
		return 0
	}

	return n
}

func networkOf(interfaces map[string]container.NetworkStats) telemetry.Network {
	var sum telemetry.Network

	for _, i := range interfaces {
		sum.ReceiveBytes += i.RxBytes
		sum.ReceivePackets += i.RxPackets
		sum.ReceiveErrors += i.RxErrors
		sum.ReceiveDropped += i.RxDropped
		sum.TransmitBytes += i.TxBytes
		sum.TransmitPackets += i.TxPackets
		sum.TransmitErrors += i.TxErrors
		sum.TransmitDropped += i.TxDropped
	}

	return sum
}

// diskOf adds up devices. Version 1 capitalises operations and has sums among them; version 2 counts no operations.
func diskOf(s *container.BlkioStats) telemetry.Disk {
	var d telemetry.Disk
	d.ReadBytes, d.WriteBytes = transfers(s.IoServiceBytesRecursive)
	d.Reads, d.Writes = transfers(s.IoServicedRecursive)

	return d
}

func transfers(entries []container.BlkioStatEntry) (reads, writes uint64) {
	for _, e := range entries {
		switch strings.ToLower(e.Op) {
		case "read":
			reads += e.Value
		case "write":
			writes += e.Value
		}
	}

	return reads, writes
}
