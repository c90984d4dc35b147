package usage

import (
	"cmp"
	"math/bits"
)

// Meter is what is counted. The names are stored and must not change.
type Meter string

// The meters, each with the unit of an Amount.
const (
	MeterCPU     Meter = "cpu"     // nano-CPUs that a task reserves
	MeterMemory  Meter = "memory"  // bytes that a task reserves
	MeterReplica Meter = "replica" // tasks: 1
	MeterStorage Meter = "storage" // bytes that a volume is declared with
)

// Workload is the API object that something is used for.
type Workload struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	UID  string `json:"uid"`
}

func (w Workload) compare(o Workload) int {
	return cmp.Or(cmp.Compare(w.Kind, o.Kind), cmp.Compare(w.Name, o.Name), cmp.Compare(w.UID, o.UID))
}

// Shape is what one task or volume uses of each meter while it is charged. It does not change: what has another shape is
// another run.
type Shape struct {
	NanoCPUs     int64 `json:"nanoCPUs,omitempty"`
	MemoryBytes  int64 `json:"memoryBytes,omitempty"`
	Replicas     int64 `json:"replicas,omitempty"`
	StorageBytes int64 `json:"storageBytes,omitempty"`
}

func (s Shape) compare(o Shape) int {
	return cmp.Or(
		cmp.Compare(s.NanoCPUs, o.NanoCPUs), cmp.Compare(s.MemoryBytes, o.MemoryBytes),
		cmp.Compare(s.Replicas, o.Replicas), cmp.Compare(s.StorageBytes, o.StorageBytes),
	)
}

// amounts lists what is used of each meter, in the order of the meters' names.
func (s Shape) amounts() [4]amount {
	return [...]amount{
		{MeterCPU, s.NanoCPUs}, {MeterMemory, s.MemoryBytes}, {MeterReplica, s.Replicas}, {MeterStorage, s.StorageBytes},
	}
}

type amount struct {
	meter Meter
	each  int64
}

// Line is what one workload used of one meter.
type Line struct {
	Workload Workload
	Meter    Meter
	// Amount is what each task or volume used while it was charged, in the unit of the meter.
	Amount int64
	// Seconds for which it was used, all tasks together.
	Seconds int64
}

// Quantity is Amount times Seconds in 128 bits, which nothing that can be reserved overflows.
func (l Line) Quantity() (high, low uint64) {
	return bits.Mul64(uint64(l.Amount), uint64(l.Seconds))
}

func (l Line) compare(o Line) int {
	return cmp.Or(l.Workload.compare(o.Workload), cmp.Compare(l.Meter, o.Meter), cmp.Compare(l.Amount, o.Amount))
}
