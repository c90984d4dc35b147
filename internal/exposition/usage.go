package exposition

import (
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// row is a metric of a task that is sampled.
type row struct {
	Metric

	// value is what to show; false when there is nothing to say.
	value func(s *telemetry.Sample, b bounds) (float64, bool)
}

// taskLabels are those of everything that is said of a task.
var taskLabels = []string{"container", "image", "namespace", "node", "pod"}

// cfsPeriod is the length of the periods in which the kernel holds a limit of CPU, in microseconds.
const cfsPeriod = 100_000

// usage is what is shown of a task, under the names that cAdvisor has given it, so that dashboards and rules which others
// have written for those hold here.
var usage = []row{
	counter("container_cpu_usage_seconds_total", "CPU time used, on all cores together.",
		func(s *telemetry.Sample) float64 { return s.CPU.Total.Seconds() }),
	counter("container_cpu_user_seconds_total", "CPU time used by the processes themselves.",
		func(s *telemetry.Sample) float64 { return s.CPU.User.Seconds() }),
	counter("container_cpu_system_seconds_total", "CPU time used by the kernel for them.",
		func(s *telemetry.Sample) float64 { return s.CPU.System.Seconds() }),
	limited("container_cpu_cfs_periods_total", "Periods of the CPU limit in which the container wanted to run.",
		func(s *telemetry.Sample) float64 { return float64(s.CPU.Periods) }),
	limited("container_cpu_cfs_throttled_periods_total", "Periods in which the CPU limit held the container up.",
		func(s *telemetry.Sample) float64 { return float64(s.CPU.ThrottledPeriods) }),
	limited("container_cpu_cfs_throttled_seconds_total", "Time for which the CPU limit has held the container up.",
		func(s *telemetry.Sample) float64 { return s.CPU.Throttled.Seconds() }),

	gauge("container_memory_usage_bytes", "Memory in use, with what the kernel could take back.",
		func(s *telemetry.Sample) float64 { return float64(s.Memory.Usage) }),
	gauge("container_memory_working_set_bytes", "Memory in use that cannot be taken back without harm.",
		func(s *telemetry.Sample) float64 { return float64(s.Memory.WorkingSet) }),
	gauge("container_memory_rss", "Memory of the processes' own, in bytes.",
		func(s *telemetry.Sample) float64 { return float64(s.Memory.RSS) }),
	gauge("container_memory_cache", "Files that are kept in memory, in bytes.",
		func(s *telemetry.Sample) float64 { return float64(s.Memory.Cache) }),
	counter("container_memory_failcnt", "How often the memory limit was hit.",
		func(s *telemetry.Sample) float64 { return float64(s.Memory.Failures) }),

	counter("container_network_receive_bytes_total", "Bytes received, on all interfaces together.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.ReceiveBytes) }),
	counter("container_network_receive_packets_total", "Packets received.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.ReceivePackets) }),
	counter("container_network_receive_errors_total", "Packets received with an error.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.ReceiveErrors) }),
	counter("container_network_receive_packets_dropped_total", "Packets dropped when they were received.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.ReceiveDropped) }),
	counter("container_network_transmit_bytes_total", "Bytes sent, on all interfaces together.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.TransmitBytes) }),
	counter("container_network_transmit_packets_total", "Packets sent.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.TransmitPackets) }),
	counter("container_network_transmit_errors_total", "Packets that could not be sent.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.TransmitErrors) }),
	counter("container_network_transmit_packets_dropped_total", "Packets dropped instead of sent.",
		func(s *telemetry.Sample) float64 { return float64(s.Network.TransmitDropped) }),

	counter("container_fs_reads_bytes_total", "Bytes read from block devices.",
		func(s *telemetry.Sample) float64 { return float64(s.Disk.ReadBytes) }),
	counter("container_fs_reads_total", "Reads from block devices.",
		func(s *telemetry.Sample) float64 { return float64(s.Disk.Reads) }),
	counter("container_fs_writes_bytes_total", "Bytes written to block devices.",
		func(s *telemetry.Sample) float64 { return float64(s.Disk.WriteBytes) }),
	counter("container_fs_writes_total", "Writes to block devices.",
		func(s *telemetry.Sample) float64 { return float64(s.Disk.Writes) }),

	gauge("container_threads", "Processes and threads, as the limit of them counts.",
		func(s *telemetry.Sample) float64 { return float64(s.PIDs) }),
	optional("container_threads_max", "Most processes and threads that there may be; left out where there is no limit.",
		func(s *telemetry.Sample, _ bounds) float64 { return float64(s.PIDLimit) }),
	gauge("container_start_time_seconds", "When the container was started, in Unix time.",
		func(s *telemetry.Sample) float64 { return seconds(s.Started) }),
	gauge("container_last_seen", "When the container was last looked at, in Unix time: the time of all its other series.",
		func(s *telemetry.Sample) float64 { return seconds(s.At) }),

	optional("container_spec_memory_limit_bytes", "Memory limit; left out where there is none.",
		func(_ *telemetry.Sample, b bounds) float64 { return float64(b.memory) }),
	optional("container_spec_memory_reservation_limit_bytes", "Memory that is kept for the container; left out where none is.",
		func(_ *telemetry.Sample, b bounds) float64 { return float64(b.memoryKept) }),
	optional("container_spec_cpu_quota", "CPU time that the container may use in each period, in microseconds; left out where there is no limit.",
		func(_ *telemetry.Sample, b bounds) float64 { return float64(b.cpu) / 1e9 * cfsPeriod }),
	optional("container_spec_cpu_period", "Length of the periods of the CPU limit, in microseconds; left out where there is none.",
		func(_ *telemetry.Sample, b bounds) float64 {
			if b.cpu == 0 {
				return 0
			}

			return cfsPeriod
		}),
}

func counter(name, help string, value func(*telemetry.Sample) float64) row {
	return always(name, Counter, help, value)
}

func gauge(name, help string, value func(*telemetry.Sample) float64) row {
	return always(name, Gauge, help, value)
}

func always(name string, kind Kind, help string, value func(*telemetry.Sample) float64) row {
	return row{
		Metric: Metric{Name: name, Kind: kind, Help: help, Labels: taskLabels},
		value:  func(s *telemetry.Sample, _ bounds) (float64, bool) { return value(s), true },
	}
}

// limited is a counter of the CPU limit, which says nothing where there never was one.
func limited(name, help string, value func(*telemetry.Sample) float64) row {
	return row{
		Metric: Metric{Name: name, Kind: Counter, Help: help, Labels: taskLabels},
		value: func(s *telemetry.Sample, b bounds) (float64, bool) {
			return value(s), b.cpu > 0 || s.CPU.Periods > 0
		},
	}
}

// optional is a gauge that is left out when it is 0.
func optional(name, help string, value func(*telemetry.Sample, bounds) float64) row {
	return row{
		Metric: Metric{Name: name, Kind: Gauge, Help: help, Labels: taskLabels},
		value: func(s *telemetry.Sample, b bounds) (float64, bool) {
			v := value(s, b)

			return v, v != 0
		},
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// sampled is a task with what was last seen of it.
type sampled struct {
	sample telemetry.Sample
	bounds bounds
	labels []*dto.LabelPair
}

// usageOf shows tasks. The values are allocated together: at some thousand tasks there are a hundred thousand of them.
func usageOf(tasks []sampled) gathered {
	out := make(gathered, 0, len(usage))

	for i := range usage {
		if f := usage[i].of(tasks); len(f.Metric) > 0 {
			out = append(out, f)
		}
	}

	return out
}

func (r *row) of(tasks []sampled) *dto.MetricFamily {
	f := r.family()
	f.Metric = make([]*dto.Metric, 0, len(tasks))
	series, values := make([]dto.Metric, len(tasks)), make([]float64, len(tasks))
	var gauges []dto.Gauge
	var counters []dto.Counter
	if r.Kind == Counter {
		counters = make([]dto.Counter, len(tasks))
	} else {
		gauges = make([]dto.Gauge, len(tasks))
	}

	for i := range tasks {
		v, ok := r.value(&tasks[i].sample, tasks[i].bounds)
		if !ok {
			continue
		}
		values[i] = v
		series[i].Label = tasks[i].labels
		if r.Kind == Counter {
			counters[i].Value = &values[i]
			series[i].Counter = &counters[i]
		} else {
			gauges[i].Value = &values[i]
			series[i].Gauge = &gauges[i]
		}
		f.Metric = append(f.Metric, &series[i])
	}

	return f
}
