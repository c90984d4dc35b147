package telemetry

import (
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// State is what the engine says of a container.
type State string

// The states of containers that are sampled. One that has ended is not.
const (
	StateRunning    State = "running"
	StatePaused     State = "paused"
	StateRestarting State = "restarting"
)

// Sample is what a container has used since it was started, and what it holds now.
type Sample struct {
	// At is when it was looked at, by the clock of its node.
	At time.Time `json:"at"`
	// Container, Task and Service are the engine's IDs.
	Container string `json:"container"`
	Task      string `json:"task"`
	Service   string `json:"service"`
	// Started is when the container was started. Counters begin there: two samples that differ in it are not to be compared.
	Started time.Time `json:"started"`
	// State it is in.
	State State `json:"state"`

	CPU     CPU     `json:"cpu"`
	Memory  Memory  `json:"memory"`
	Network Network `json:"network"`
	Disk    Disk    `json:"disk"`
	// PIDs are its processes and threads; PIDLimit is 0 where there is none.
	PIDs     uint64 `json:"pids"`
	PIDLimit uint64 `json:"pidLimit,omitempty"`
}

// CPU is time used on all cores together, and how often the limit held it up.
type CPU struct {
	Total  time.Duration `json:"total"`
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	// Periods in which it wanted to run, those among them in which it was held up, and for how long in all.
	Periods          uint64        `json:"periods"`
	ThrottledPeriods uint64        `json:"throttledPeriods"`
	Throttled        time.Duration `json:"throttled"`
}

// Memory is in bytes.
type Memory struct {
	Usage uint64 `json:"usage"`
	// WorkingSet is what cannot be taken away without harm: usage without inactive file pages, as the kubelet counts it.
	WorkingSet uint64 `json:"workingSet"`
	RSS        uint64 `json:"rss"`
	Cache      uint64 `json:"cache"`
	// Limit is 0 where there is none.
	Limit uint64 `json:"limit,omitempty"`
	// Failures are how often the limit was hit.
	Failures uint64 `json:"failures"`
}

// Network counts all interfaces of the container together.
type Network struct {
	ReceiveBytes    uint64 `json:"receiveBytes"`
	ReceivePackets  uint64 `json:"receivePackets"`
	ReceiveErrors   uint64 `json:"receiveErrors"`
	ReceiveDropped  uint64 `json:"receiveDropped"`
	TransmitBytes   uint64 `json:"transmitBytes"`
	TransmitPackets uint64 `json:"transmitPackets"`
	TransmitErrors  uint64 `json:"transmitErrors"`
	TransmitDropped uint64 `json:"transmitDropped"`
}

// Disk counts what went to and came from block devices.
type Disk struct {
	ReadBytes  uint64 `json:"readBytes"`
	Reads      uint64 `json:"reads"`
	WriteBytes uint64 `json:"writeBytes"`
	Writes     uint64 `json:"writes"`
}

// Report is what an agent has seen in one round.
type Report struct {
	// Node is the ID of its node in the swarm.
	Node string `json:"node"`
	// Round counts from 1 since the agent was started, and Agent tells one start from the next.
	Round int64  `json:"round"`
	Agent string `json:"agent"`
	// Began and Ended are when the round began and ended, by the clock of the node.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Machine is the node itself.
	Machine Machine `json:"machine"`
	// Samples of all containers of tasks that run, by container ID.
	Samples Samples `json:"samples"`
}

// Machine is what a node as a whole uses.
type Machine struct {
	Cores int `json:"cores"`
	// CPU time used by everything on all cores since the machine was started.
	CPU time.Duration `json:"cpu"`
	// MemoryTotal and MemoryAvailable are in bytes, as the kernel says them.
	MemoryTotal     uint64 `json:"memoryTotal"`
	MemoryAvailable uint64 `json:"memoryAvailable"`
	// Booted is when the machine was started.
	Booted time.Time `json:"booted"`
}

// Subject is whose task it is that is sampled.
type Subject struct {
	// Owner of the service: namespace, kind, name and UID.
	Owner swarmobj.Owner
	// Pod is the name by which people know the task: swarmobj.PodName.
	Pod string
	// Task, Service and Node are the engine's IDs. Slot is 0 for a task of a global service.
	Task, Service, Node string
	Slot                int
}
