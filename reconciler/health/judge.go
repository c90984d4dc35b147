package health

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// How much of what makes a finding.
const (
	// crashes of one slot within crashWindow are a crash loop. Swarm keeps five tasks of a slot, so more could not be seen.
	crashes     = 3
	crashWindow = 10 * time.Minute
	// oomWindow is how long after the last one a kill for memory is held against a container.
	oomWindow = 10 * time.Minute
	// flaps are tasks of a slot that were replaced for their health check, within flapWindow.
	flaps      = 3
	flapWindow = 30 * time.Minute
	// unplaced is how long a task may have no node, or no address, and no reason for it.
	unplaced = 2 * time.Minute
	// unstarted is how long a task may take from its node to running. Large images take long to pull.
	unstarted = 15 * time.Minute
	// paused is how long a container may be paused: backups pause for seconds.
	paused = time.Minute
	// usageWindow is what rates are judged by.
	usageWindow = 5 * time.Minute
	// A container is throttled from throttledFrom of its periods on, until it is below throttledUntil.
	throttledFrom, throttledUntil = 0.25, 0.10
	// A container is short of memory from memoryFrom of its limit on, until it is below memoryUntil; of CPU from cpuFrom times
	// its request on, until it is below cpuUntil.
	memoryFrom, memoryUntil = 0.90, 0.80
	cpuFrom, cpuUntil       = 1.50, 1.10
)

// Observation is what is known of a container at one time.
type Observation struct {
	Now time.Time
	// Tasks of its service, newest first within a slot, ended ones among them.
	Tasks []swarmobj.Task
	// Windows are samples of tasks that run, oldest first, by task ID. Tasks that are not in it have not been sampled.
	Windows map[string][]telemetry.Sample
	// Requests and limits of one task; zero for none. CPU is in cores, memory in bytes.
	CPURequest    float64
	MemoryRequest uint64
	// Idle is true when it is to have no tasks: nothing is wrong with what is not meant to run.
	Idle bool
}

// Verdict is what is wrong.
type Verdict struct {
	// Findings, the worst first.
	Findings []v1alpha1.HealthFinding
	// Recommended is nil before enough has been seen.
	Recommended *v1alpha1.RecommendedRequests
	// Stuck are the tasks that have a container which neither runs nor fails, by ID. To stop one starts another.
	Stuck []swarmobj.Task
}

// Worst is what is annotated: the worst of the findings that are wrong with the container; empty when none is.
func (v Verdict) Worst() v1alpha1.HealthState {
	if len(v.Findings) == 0 || v.Findings[0].State == v1alpha1.HealthOverprovisioned {
		return ""
	}

	return v.Findings[0].State
}

// order of states, the worst first.
var order = []v1alpha1.HealthState{
	v1alpha1.HealthCrashLooping, v1alpha1.HealthOOMKilled, v1alpha1.HealthStuck, v1alpha1.HealthFlapping,
	v1alpha1.HealthThrottled, v1alpha1.HealthUnderprovisioned, v1alpha1.HealthOverprovisioned,
}

// finding is what one check says: whether its state holds, and the evidence. Unsure leaves it as it was.
type finding struct {
	holds    bool
	evidence string
	unsure   bool
}

var unsure = finding{unsure: true}

func found(format string, args ...any) finding {
	return finding{holds: true, evidence: fmt.Sprintf(format, args...)}
}

// checks by their states. was tells a check whether its state held before: it takes less to go on than to begin.
var checks = map[v1alpha1.HealthState]func(o *Observation, was bool, v *Verdict) finding{
	v1alpha1.HealthCrashLooping:     crashLoop,
	v1alpha1.HealthOOMKilled:        oomKilled,
	v1alpha1.HealthStuck:            stuck,
	v1alpha1.HealthFlapping:         flapping,
	v1alpha1.HealthThrottled:        throttled,
	v1alpha1.HealthUnderprovisioned: under,
	v1alpha1.HealthOverprovisioned:  over,
}

// Judge makes a verdict from what is known now and what was found before; before may be nil.
func Judge(o Observation, before *v1alpha1.HealthStatus) Verdict {
	var v Verdict
	if before == nil {
		before = &v1alpha1.HealthStatus{}
	}
	v.Recommended = recommend(&o, before.RecommendedRequests)
	if o.Idle {
		return v
	}

	for _, state := range order {
		i := slices.IndexFunc(before.Findings, func(f v1alpha1.HealthFinding) bool { return f.State == state })
		was := i >= 0
		switch f := checks[state](&o, was, &v); {
		case was && (f.holds || f.unsure):
			v.Findings = append(v.Findings, before.Findings[i])
		case f.holds:
			v.Findings = append(v.Findings, v1alpha1.HealthFinding{State: state, Since: seconds(o.Now), Message: clip(f.evidence)})
		}
	}

	return v
}

// crashLoop looks for a slot whose tasks failed again and again. While one runs, the last crash has to be recent for it to go on.
func crashLoop(o *Observation, _ bool, _ *Verdict) finding {
	for _, tasks := range bySlot(o.Tasks) {
		var failed []swarmobj.Task
		for _, t := range tasks {
			if crashed(t) && o.Now.Sub(t.Since) < crashWindow {
				failed = append(failed, t)
			}
		}
		if len(failed) >= crashes {
			return found("%d tasks of %s have failed within %d minutes, the last one with %s", len(failed), place(failed[0]), int(crashWindow.Minutes()), words(failed[0]))
		}
	}

	return finding{}
}

func crashed(t swarmobj.Task) bool {
	return (t.State == swarm.TaskStateFailed || t.State == swarm.TaskStateRejected) && !t.Unhealthy
}

func oomKilled(o *Observation, _ bool, _ *Verdict) finding {
	for _, t := range o.Tasks {
		if t.OOMKilled && o.Now.Sub(t.Since) < oomWindow {
			return found("a task of %s was killed for using more memory than limits.memory", place(t))
		}
	}

	return finding{}
}

// flapping looks for a slot whose tasks were replaced for their health check, again and again.
func flapping(o *Observation, _ bool, _ *Verdict) finding {
	for _, tasks := range bySlot(o.Tasks) {
		n := 0
		for _, t := range tasks {
			if t.Unhealthy && t.Ended() && o.Now.Sub(t.Since) < flapWindow {
				n++
			}
		}
		if n >= flaps {
			return found("%d tasks of %s have failed their health check and were replaced within %d minutes", n, place(tasks[0]), int(flapWindow.Minutes()))
		}
	}

	return finding{}
}

// stuck looks for tasks that neither run nor fail. What Swarm gives a reason for is no riddle: the condition Ready has it.
func stuck(o *Observation, _ bool, v *Verdict) finding {
	var first finding
	for _, t := range o.Tasks {
		f, container := stuckTask(o, t)
		if f.holds && container {
			v.Stuck = append(v.Stuck, t)
		}
		if f.holds && !first.holds {
			first = f
		}
	}

	return first
}

func stuckTask(o *Observation, t swarmobj.Task) (f finding, container bool) {
	if t.Desired != swarm.TaskStateRunning || t.Ended() {
		return finding{}, false
	}
	age := o.Now.Sub(t.Since)

	switch t.State {
	case swarm.TaskStateNew, swarm.TaskStateAllocated:
		if age > unplaced && t.Err == "" {
			return found("a task of %s has had no address for %s: the engine's allocator does not answer, or the network has none left", place(t), minutes(unplaced)), false
		}
	case swarm.TaskStatePending:
		if age > unplaced && t.Err == "" {
			return found("a task of %s has had no node for %s, and the scheduler gives no reason", place(t), minutes(unplaced)), false
		}
	case swarm.TaskStateAssigned, swarm.TaskStateAccepted, swarm.TaskStatePreparing, swarm.TaskStateReady:
		if age > unstarted {
			return found("a task of %s has been %s for %s", place(t), t.State, minutes(unstarted)), false
		}
	case swarm.TaskStateStarting:
		if age > unstarted {
			return found("a task of %s has been starting for %s: its health check neither passes nor fails", place(t), minutes(unstarted)), true
		}
	case swarm.TaskStateRunning:
		if pausedFor(o.Windows[t.ID]) >= paused {
			return found("the container of a task of %s is paused", place(t)), true
		}
	}

	return finding{}, false
}

// pausedFor is for how long the container has been seen paused without a break, up to the last sample.
func pausedFor(samples []telemetry.Sample) time.Duration {
	i := len(samples)
	for i > 0 && samples[i-1].State == telemetry.StatePaused {
		i--
	}
	if i == len(samples) {
		return 0
	}

	return samples[len(samples)-1].At.Sub(samples[i].At)
}

// bySlot groups tasks by their slot, or by their node where there are no slots, in the order of the slots.
func bySlot(tasks []swarmobj.Task) [][]swarmobj.Task {
	type key struct {
		slot int
		node string
	}
	groups := map[key][]swarmobj.Task{}
	for _, t := range tasks {
		k := key{slot: t.Slot}
		if t.Slot == 0 {
			k.node = t.NodeID
		}
		groups[k] = append(groups[k], t)
	}

	keys := make([]key, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(a.slot-b.slot, cmp.Compare(a.node, b.node)) })
	out := make([][]swarmobj.Task, 0, len(groups))
	for _, k := range keys {
		out = append(out, groups[k])
	}

	return out
}

func place(t swarmobj.Task) string {
	if t.Slot == 0 {
		return fmt.Sprintf("node %q", t.NodeID)
	}

	return fmt.Sprintf("slot %d", t.Slot)
}

// words are the engine's on how a task ended.
func words(t swarmobj.Task) string {
	if t.Err != "" {
		return fmt.Sprintf("%q", t.Err)
	}

	return fmt.Sprintf("exit code %d", t.ExitCode)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%d minutes", int(d.Minutes())) }
