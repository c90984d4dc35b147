package agents

import (
	"cmp"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/podview"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// patience is how long an agent may take to run before it is called failing: an image has to be pulled, and what fails once
// is tried again.
const patience = time.Minute

// Reasons of events on nodes.
const (
	ReasonFailing = "AgentFailing"
	ReasonRunning = "AgentRunning"
)

// state of the agent of a node.
type state string

const (
	stateRunning  state = "Running"
	stateStarting state = "Starting"
	stateFailing  state = "Failing"
)

// nodes is what was seen of the agent of each node, by ID.
type nodes map[string]*seen

// seen is one of them.
type seen struct {
	// since when it has not been running; the zero time while it is.
	since time.Time
	// told is true once its failing has been told.
	told bool
}

// standing is how the agent of a node stands now.
type standing struct {
	node  swarm.Node
	state state
	why   string
}

// report tells what has changed, and counts.
func (c *Controller) report(world swarmobj.World, except string, now time.Time) {
	counts := map[state]int{}

	if world.Service != nil {
		names := podview.Names(world.Nodes)
		for _, s := range c.nodes.look(world, except, now) {
			counts[s.state]++
			c.tell(s, names[s.node.ID])
		}
	} else {
		clear(c.nodes)
	}
	c.metrics.count(counts)
}

// look judges the agents of all nodes that are to have one, and forgets nodes that are gone.
func (n nodes) look(world swarmobj.World, except string, now time.Time) []standing {
	var out []standing
	current := map[string]bool{}

	for _, node := range world.Nodes {
		if !eligible(node, except) {
			continue
		}
		current[node.ID] = true
		s := standing{node: node, state: stateRunning}

		task := newest(world.Tasks, node.ID)
		if task == nil || !task.Running() {
			s.state, s.why = stateStarting, wordsOf(task)
		}
		out = append(out, n.judge(s, now))
	}
	for id := range n {
		if !current[id] {
			delete(n, id)
		}
	}

	return out
}

func (n nodes) judge(s standing, now time.Time) standing {
	before := n[s.node.ID]
	if before == nil {
		before = &seen{}
		n[s.node.ID] = before
	}

	switch {
	case s.state == stateRunning:
		before.since = time.Time{}
	case before.since.IsZero():
		before.since = now
	case now.Sub(before.since) >= patience:
		s.state = stateFailing
	}

	return s
}

// eligible: one that is away has an agent that nobody can reach, and one that is drained has none.
func eligible(n swarm.Node, except string) bool {
	return n.ID != except && n.Status.State == swarm.NodeStateReady && n.Spec.Availability != swarm.NodeAvailabilityDrain &&
		n.Description.Platform.OS == "linux"
}

func newest(tasks []swarmobj.Task, node string) *swarmobj.Task {
	var found *swarmobj.Task
	for i := range tasks {
		if t := &tasks[i]; t.NodeID == node && (found == nil || t.Created.After(found.Created)) {
			found = t
		}
	}

	return found
}

// wordsOf are the engine's own.
func wordsOf(t *swarmobj.Task) string {
	if t == nil {
		return "Swarm has not given it one"
	}

	return cmp.Or(t.Err, t.Message, string(t.State))
}

// tell makes an event when an agent begins to fail, and when it is well again.
func (c *Controller) tell(s standing, name string) {
	before := c.nodes[s.node.ID]

	switch {
	case s.state == stateFailing && !before.told:
		before.told = true
		c.recorder.Eventf(nodeOf(name), corev1.EventTypeWarning, ReasonFailing, "The agent does not run: %s", s.why)
		c.log.Warn("Agent does not run", logkey.Node, name, logkey.Reason, s.why)
	case s.state == stateRunning && before.told:
		before.told = false
		c.recorder.Eventf(nodeOf(name), corev1.EventTypeNormal, ReasonRunning, "The agent runs")
	}
}

// nodeOf is the node that an event is about. Who describes a node looks for events by its name in place of a UID, too.
func nodeOf(name string) *corev1.Node {
	return &corev1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
	}
}
