package usage

import (
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Sample is what runs, as one look at the swarm found it.
type Sample struct {
	// Tasks of ours, in whatever state, history included.
	Tasks []Task
	// Nodes of the swarm, by ID.
	Nodes map[string]Node
	// Volumes that are declared.
	Volumes []Volume
	// Clocks are what the managers that could be asked say what time it is.
	Clocks []time.Time
}

// Task is what metering needs to know of a task.
type Task struct {
	ID, NodeID string
	// Owner of the task's service. It is zero when the service is gone; a run that has begun then goes on for whom it
	// began.
	Owner swarmobj.Owner
	State swarm.TaskState
	// Since is when it entered State by the clock of its node, Created and Updated when the managers made and last changed
	// it by theirs.
	Since, Created, Updated time.Time
	// NanoCPUs and MemoryBytes are what it reserves.
	NanoCPUs, MemoryBytes int64
}

// Node is what metering needs to know of a node.
type Node struct {
	State swarm.NodeState
	// Updated is when the managers last changed anything about it, by their clock: that it went, that it came back.
	Updated time.Time
}

// Volume is what metering needs to know of a volume.
type Volume struct {
	Owner   swarmobj.Owner
	Bytes   int64
	Created time.Time
}

// NodeSilence is how long the managers take a node for ready that does not answer any more, in seconds: three heartbeats
// of at most 5.5 seconds. A window is closed that long after its end and not before.
const NodeSilence = 17

// phase is what a sample says of a run. The zero phase is that of one that is not in the sample, or in a state that says
// nothing.
type phase int

const (
	// running: it is charged.
	running phase = iota + 1
	// doubtful: it would be running if its node were known to be ready.
	doubtful
	// lost: it would be running if its node were ready.
	lost
	// over: it ran and has ended.
	over
)

// subject is a task or a volume in a frame.
type subject struct {
	id, node string
	workload Workload
	shape    Shape
	phase    phase
	// began and ended are Unix seconds; each is meaningful in the phase that it belongs to.
	began, ended int64
}

// Skip is time of the clock that did not pass, or passed unseen.
type Skip struct {
	Cause Cause
	// From and To are Unix times. What lies between is not charged.
	From, To int64
	// Seconds that passed without the clock moving on, for CauseClockBackward.
	Seconds int64
}

// FrameOptions say when a sample was taken.
type FrameOptions struct {
	// Begun and Done are our clock before and after. What the sample shows was so at some moment between the two.
	Begun, Done time.Time
	// MaxCatchUp is how much is charged at most of the time before in which nobody looked. 0 means all of it.
	MaxCatchUp time.Duration
	// Skips since the last sample, in order.
	Skips []Skip
}

// Frame is a sample in order: made once, looked at for every tenant.
type Frame struct {
	begun, done int64
	catchUp     int64
	skips       []Skip
	nodes       map[string]Node
	subjects    map[string]*subject
	tenants     map[string][]*subject
}

// NewFrame puts a sample in order.
func NewFrame(s Sample, o FrameOptions) *Frame {
	f := &Frame{
		begun: o.Begun.Unix(), done: ceil(o.Done), catchUp: int64(o.MaxCatchUp / time.Second), skips: o.Skips,
		nodes:    s.Nodes,
		subjects: make(map[string]*subject, len(s.Tasks)+len(s.Volumes)),
		tenants:  map[string][]*subject{},
	}
	for i := range s.Tasks {
		f.add(s.Tasks[i].Owner.Tenant, f.task(&s.Tasks[i]))
	}
	for i := range s.Volumes {
		if v := &s.Volumes[i]; v.Bytes > 0 {
			f.add(v.Owner.Tenant, &subject{
				id: volumePrefix + v.Owner.UID, workload: workloadOf(v.Owner), shape: Shape{StorageBytes: v.Bytes},
				phase: running, began: ceil(v.Created),
			})
		}
	}

	return f
}

// volumePrefix keeps the IDs of volumes apart from those of tasks, which hold no slash.
const volumePrefix = "volume/"

// At is when the sample was taken, in Unix time.
func (f *Frame) At() int64 { return f.begun }

// Tenants calls yield with every tenant that something runs for.
func (f *Frame) Tenants(yield func(tenant string) bool) {
	for tenant := range f.tenants {
		if !yield(tenant) {
			return
		}
	}
}

func (f *Frame) add(tenant string, s *subject) {
	f.subjects[s.id] = s
	if tenant != "" && s.phase == running {
		f.tenants[tenant] = append(f.tenants[tenant], s)
	}
}

func (f *Frame) task(t *Task) *subject {
	s := &subject{
		id: t.ID, node: t.NodeID, workload: workloadOf(t.Owner),
		shape: Shape{NanoCPUs: max(t.NanoCPUs, 0), MemoryBytes: max(t.MemoryBytes, 0), Replicas: 1},
	}
	switch t.State {
	case swarm.TaskStateRunning:
		s.phase = f.onNode(t.NodeID)
		// A task does not run before it was made. This keeps a node whose clock is behind from charging for longer.
		s.began = ceil(later(t.Since, t.Created))
	case swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateShutdown, swarm.TaskStateRejected:
		s.phase = over
		// Nor does it end after its end was told. This does the same for a node whose clock is ahead.
		s.ended = earlier(t.Since, t.Updated).Unix()
	}

	return s
}

// onNode is what becomes of a task that its node was last heard to run.
func (f *Frame) onNode(id string) phase {
	switch f.nodes[id].State {
	case swarm.NodeStateReady:
		return running
	case swarm.NodeStateUnknown:
		return doubtful
	default:
		return lost
	}
}

// steady is true when a node is ready and was not away since: what it last ran it has gone on running, and what it says
// about the end of a task is when that ended. A node that was away says when it came back.
func (f *Frame) steady(id string, since int64) bool {
	return id == "" || f.onNode(id) == running && f.nodes[id].Updated.Unix() < since
}

// fresh tells whether a node has just come back, so that what the managers have of its tasks may be from before.
func (f *Frame) fresh(id string) bool {
	updated := f.nodes[id].Updated.Unix()

	return id != "" && updated > f.begun-NodeSilence && updated <= f.done
}

func workloadOf(o swarmobj.Owner) Workload { return Workload{Kind: o.Kind, Name: o.Name, UID: o.UID} }

// ceil is the first whole second that has not begun before t.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}

	return t.Unix()
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}

	return a
}

// earlier ignores a time that is not known.
func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}

	return a
}
