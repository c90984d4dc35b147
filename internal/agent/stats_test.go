package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// machineMemory is that of the machine on which the answers in testdata were given.
const machineMemory = 24684096 << 10

func answer(t *testing.T, name string) *container.StatsResponse {
	t.Helper()

	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var s container.StatsResponse
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}

	return &s
}

// TestCounters reads whole answers: two that an engine 20.10 gave on cgroups of version 1, and one as engines write them on
// version 2.
func TestCounters(t *testing.T) {
	cases := map[string]struct {
		reason string
		file   string
		want   telemetry.Sample
	}{
		"Version1WithoutLimits": {
			reason: "The engine says the machine's memory for no limit.",
			file:   "stats-v1.json",
			want: telemetry.Sample{
				At:      time.Date(2026, 11, 23, 1, 58, 22, 146141450, time.UTC),
				CPU:     telemetry.CPU{Total: 45585511, User: 20000000, System: 20000000},
				Memory:  telemetry.Memory{Usage: 1449984, WorkingSet: 1449984, RSS: 921600, Cache: 32768},
				Network: telemetry.Network{ReceiveBytes: 796, ReceivePackets: 10},
				PIDs:    7,
			},
		},
		"Version2": {
			reason: "Names are others, operations are lower case and not counted, and no limit is the largest number.",
			file:   "stats-v2.json",
			want: telemetry.Sample{
				At: time.Date(2026, 11, 20, 9, 12, 44, 512903211, time.UTC),
				CPU: telemetry.CPU{
					Total: 731462000, User: 526951000, System: 204511000,
					Periods: 412, ThrottledPeriods: 37, Throttled: 1845219000,
				},
				Memory: telemetry.Memory{Usage: 27811840, WorkingSet: 27811840 - 9764864, RSS: 11694080, Cache: 12468224, Limit: 128 << 20},
				Network: telemetry.Network{
					ReceiveBytes: 19000, ReceivePackets: 150, ReceiveErrors: 2, ReceiveDropped: 1,
					TransmitBytes: 9200, TransmitPackets: 89, TransmitDropped: 3,
				},
				Disk: telemetry.Disk{ReadBytes: 8147968, WriteBytes: 6144},
				PIDs: 12,
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Counters(answer(t, tc.file), machineMemory)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCountersOfALimitedContainer reads what an engine said of an agent.
func TestCountersOfALimitedContainer(t *testing.T) {
	raw := answer(t, "stats-v1-limited.json")
	got := Counters(raw, machineMemory)

	if got.Memory.Limit != 192<<20 || got.PIDLimit != 128 || got.PIDs == 0 {
		t.Errorf("limits: got %d bytes and %d of %d processes, want 192 MiB and 128", got.Memory.Limit, got.PIDs, got.PIDLimit)
	}
	if want := raw.MemoryStats.Usage - raw.MemoryStats.Stats["total_inactive_file"]; got.Memory.WorkingSet != want || want == got.Memory.Usage {
		t.Errorf("working set: got %d, want %d of %d", got.Memory.WorkingSet, want, got.Memory.Usage)
	}
	if got.CPU.Periods == 0 || got.CPU.Total != got.CPU.Total.Abs() {
		t.Errorf("CPU: got %+v, want periods", got.CPU)
	}
	if got.Disk.ReadBytes != reads(raw) {
		t.Errorf("disk: got %d bytes read, want %d", got.Disk.ReadBytes, reads(raw))
	}
}

// reads adds up by another hand.
func reads(s *container.StatsResponse) (sum uint64) {
	for _, e := range s.BlkioStats.IoServiceBytesRecursive {
		if e.Op == "Read" {
			sum += e.Value
		}
	}

	return sum
}

func TestCountersOfOddAnswers(t *testing.T) {
	cases := map[string]struct {
		reason string
		given  container.StatsResponse
		want   telemetry.Sample
	}{
		"CacheAboveUsage": {
			reason: "The parts are not read at one moment: nothing becomes negative.",
			given:  container.StatsResponse{MemoryStats: container.MemoryStats{Usage: 10, Stats: map[string]uint64{"inactive_file": 20}}},
			want:   telemetry.Sample{Memory: telemetry.Memory{Usage: 10}},
		},
		"GroupsBelow": {
			reason: "What a container has in groups of its own is its own as well.",
			given: container.StatsResponse{MemoryStats: container.MemoryStats{Usage: 100, Failcnt: 3, Stats: map[string]uint64{
				"inactive_file": 1, "total_inactive_file": 30, "rss": 2, "total_rss": 40, "cache": 3, "total_cache": 50,
			}}},
			want: telemetry.Sample{Memory: telemetry.Memory{Usage: 100, WorkingSet: 70, RSS: 40, Cache: 50, Failures: 3}},
		},
		"SumsAmongOperations": {
			reason: "Version 1 has Total, Sync and Async beside Read and Write.",
			given: container.StatsResponse{BlkioStats: container.BlkioStats{
				IoServiceBytesRecursive: []container.BlkioStatEntry{{Op: "Read", Value: 1}, {Op: "Write", Value: 2}, {Op: "Sync", Value: 3}, {Op: "Total", Value: 3}, {Op: "Read", Value: 10}},
				IoServicedRecursive:     []container.BlkioStatEntry{{Op: "Read", Value: 4}, {Op: "Write", Value: 5}, {Op: "Discard", Value: 6}},
			}},
			want: telemetry.Sample{Disk: telemetry.Disk{ReadBytes: 11, WriteBytes: 2, Reads: 4, Writes: 5}},
		},
		"NoLimitOfVersion1": {
			reason: "A kernel writes the largest number that it has, less a page.",
			given:  container.StatsResponse{MemoryStats: container.MemoryStats{Limit: 9223372036854771712}},
			want:   telemetry.Sample{},
		},
		"Nothing": {
			reason: "An answer about a container that has just ended is empty.",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Counters(&tc.given, 0)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
