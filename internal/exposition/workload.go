package exposition

import (
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// containerLabels are those of everything that is said of a TenantContainer as a whole.
var containerLabels = []string{"container", "namespace"}

// The sums of what all tasks of a container have used, those that are gone among them.
var (
	workloadCPU = total("dogker_workload_cpu_seconds_total",
		"CPU time that all tasks of the container have used since this server began to count, those that are gone among them.")
	workloadPeriods = total("dogker_workload_cpu_periods_total",
		"Periods of the CPU limit in which tasks of the container wanted to run.")
	workloadThrottled = total("dogker_workload_cpu_throttled_periods_total",
		"Periods in which the CPU limit held tasks of the container up.")
	workloadReceive = total("dogker_workload_network_receive_bytes_total",
		"Bytes that all tasks of the container have received.")
	workloadTransmit = total("dogker_workload_network_transmit_bytes_total",
		"Bytes that all tasks of the container have sent.")
	workloadRead = total("dogker_workload_fs_read_bytes_total",
		"Bytes that all tasks of the container have read from block devices.")
	workloadWrite = total("dogker_workload_fs_write_bytes_total",
		"Bytes that all tasks of the container have written to block devices.")
	workloadEnded = &Metric{
		Name: "dogker_workload_tasks_ended_total", Kind: Counter, Labels: []string{"cause", "container", "namespace"},
		Help: "Tasks of the container that ended by themselves since this server began to count, by cause: Completed, Failed, " +
			"OOMKilled, Unhealthy or Rejected. Those that Swarm stopped, to scale or to roll out, are not among them.",
	}

	workloadMetrics = []*Metric{
		workloadCPU, workloadPeriods, workloadThrottled, workloadReceive, workloadTransmit, workloadRead, workloadWrite, workloadEnded,
	}
)

func total(name, help string) *Metric {
	return &Metric{Name: name, Kind: Counter, Help: help, Labels: containerLabels}
}

// workload shows the sums of a container.
func (s *Server) workload(p *page, o swarmobj.Owner) {
	t, _ := s.samples().Totals(o)

	p.add(workloadCPU, t.CPU.Seconds(), o.Name, o.Tenant)
	p.add(workloadPeriods, float64(t.Periods), o.Name, o.Tenant)
	p.add(workloadThrottled, float64(t.ThrottledPeriods), o.Name, o.Tenant)
	p.add(workloadReceive, float64(t.ReceiveBytes), o.Name, o.Tenant)
	p.add(workloadTransmit, float64(t.TransmitBytes), o.Name, o.Tenant)
	p.add(workloadRead, float64(t.ReadBytes), o.Name, o.Tenant)
	p.add(workloadWrite, float64(t.WriteBytes), o.Name, o.Tenant)

	counts := s.endings.of(o.UID)
	for _, c := range causes {
		p.add(workloadEnded, float64(counts[c]), string(c), o.Name, o.Tenant)
	}
}

// kindContainer is how labels of services name the kind.
const kindContainer = "TenantContainer"

// ownerOf is what owns the services of a container.
func ownerOf(tc *v1alpha1.TenantContainer) swarmobj.Owner {
	return swarmobj.Owner{Tenant: tc.Namespace, Kind: kindContainer, Name: tc.Name, UID: string(tc.UID)}
}
