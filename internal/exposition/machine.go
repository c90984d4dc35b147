package exposition

import (
	"github.com/docker/docker/api/types/swarm"
)

// The metrics of machines: cAdvisor's names where it has one, and the kubelet's for what a machine uses.
var (
	machineCores = &Metric{
		Name: "machine_cpu_cores", Kind: Gauge, Help: "CPU cores of the node.", Labels: []string{"node"},
	}
	machineMemory = &Metric{
		Name: "machine_memory_bytes", Kind: Gauge, Help: "Memory of the node.", Labels: []string{"node"},
	}
	machineCPU = &Metric{
		Name: "node_cpu_usage_seconds_total", Kind: Counter, Labels: []string{"node"},
		Help: "CPU time used by everything on the node, on all cores together.",
	}
	machineWorkingSet = &Metric{
		Name: "node_memory_working_set_bytes", Kind: Gauge, Labels: []string{"node"},
		Help: "Memory of the node that cannot be taken back without harm: all but what the kernel calls available.",
	}
	machineBoot = &Metric{
		Name: "dogker_node_boot_time_seconds", Kind: Gauge, Help: "When the node was started, in Unix time.", Labels: []string{"node"},
	}

	machineMetrics = []*Metric{machineCores, machineMemory, machineCPU, machineWorkingSet, machineBoot}
)

// The metrics of nodes as the swarm sees them.
var (
	nodeReady = &Metric{
		Name: "dogker_node_ready", Kind: Gauge, Labels: []string{"node"},
		Help: "1 while the managers of the swarm hear from the node.",
	}
	nodeSchedulable = &Metric{
		Name: "dogker_node_schedulable", Kind: Gauge, Labels: []string{"node"},
		Help: "1 while the node takes new tasks: it is not drained and not paused.",
	}
	nodeInfo = &Metric{
		Name: "dogker_node_info", Kind: Gauge, Labels: []string{"node", "node_id", "role", "version"},
		Help: "1 for each node, with its ID and its role in the swarm, and the version of its engine.",
	}

	nodeMetrics = []*Metric{nodeReady, nodeSchedulable, nodeInfo}
)

// machine shows a node itself; nothing while it is not known.
func (s *Server) machine(p *page, id, name string) {
	m, _, ok := s.samples().Machine(id)
	if !ok {
		return
	}

	p.add(machineCores, float64(m.Cores), name)
	p.add(machineMemory, float64(m.MemoryTotal), name)
	p.add(machineCPU, m.CPU.Seconds(), name)
	p.add(machineWorkingSet, float64(m.MemoryTotal-min(m.MemoryAvailable, m.MemoryTotal)), name)
	if !m.Booted.IsZero() {
		p.add(machineBoot, seconds(m.Booted), name)
	}
}

// nodes shows all nodes of the swarm. How their agents stand is on the page of the server, which has the connections.
func (s *Server) nodes(p *page) {
	nodes := s.o.Swarm.Nodes()
	names := s.o.NodeNames(nodes)

	for i := range nodes {
		n := &nodes[i]
		p.add(nodeReady, truth(n.Status.State == swarm.NodeStateReady), names[n.ID])
		p.add(nodeSchedulable, truth(n.Spec.Availability == swarm.NodeAvailabilityActive), names[n.ID])
		p.add(nodeInfo, 1, names[n.ID], n.ID, string(n.Spec.Role), n.Description.Engine.EngineVersion)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}

	return 0
}
