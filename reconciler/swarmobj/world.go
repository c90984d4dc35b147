package swarmobj

import (
	"net/netip"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/swarm"
)

// World is what the read cache knows of one owner. It is a snapshot: nobody changes what it points to.
type World struct {
	// Service of the owner, by UID; nil when Swarm has none.
	Service *swarm.Service
	// Uncertain is true after a write whose outcome is not known yet. Service then shows what was sent.
	Uncertain bool
	// Duplicates are further services with the owner's UID. There should be none.
	Duplicates []swarm.Service
	// Squatter has the name that the owner's service must have, and belongs to somebody else; nil when nobody does.
	Squatter *swarm.Service
	// Tasks of Service, newest first within a slot. Old tasks that the engine keeps as history are among them.
	Tasks []Task
	// TasksFresh is true when Tasks were listed after the last change of Service that the cache knows of: only then does
	// a task that is missing from them not exist.
	TasksFresh bool
	// Network of the namespace; nil when there is none of ours.
	Network *Network
	// NetworkSquatter is true when a network that is not ours has the name of the namespace's network.
	NetworkSquatter bool
	// Secrets and Configs of the namespace that are ours, by name.
	Secrets, Configs map[string]Content
	// Nodes of the swarm.
	Nodes []swarm.Node
	// At is when the engine was last asked about the service, by the cache's clock.
	At time.Time
}

// Task is what a controller needs to know of a task.
type Task struct {
	ID     string
	Slot   int
	NodeID string
	// Current is true when the task was made from the service's present template.
	Current bool
	// State it is in, and State it is meant to reach.
	State, Desired swarm.TaskState
	// Message and Err are the engine's own words.
	Message, Err string
	ExitCode     int
	// OOMKilled is true when the kernel killed it for using more memory than its limit. It is known only for
	// containers of engines that Dogker can ask.
	OOMKilled bool
	// Unhealthy is true when the engine stopped it because its health check failed. It is known only for containers of
	// engines that Dogker can ask. The task itself does not tell when it was still starting: it has then ended as its
	// process did, and a process that obeys the signal ends with exit code 0.
	Unhealthy bool
	// Since is when it entered State, Created when it was made; both by the swarm's clocks.
	Since, Created time.Time
}

// Running is true for a task that runs, is meant to, and is healthy: Swarm keeps a task in starting until its health
// check passes.
func (t Task) Running() bool {
	return t.State == swarm.TaskStateRunning && t.Desired == swarm.TaskStateRunning
}

// Ended is true for a task that will not run again and holds nothing on its node.
func (t Task) Ended() bool {
	switch t.State {
	case swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateShutdown,
		swarm.TaskStateRejected, swarm.TaskStateOrphaned, swarm.TaskStateRemove:
		return true
	default:
		return false
	}
}

// Network is the network of a namespace.
type Network struct {
	ID, Name string
	Labels   map[string]string
	// Subnets it has been given. Swarm takes a network whose subnet overlaps with that of another one, and never gives
	// it any.
	Subnets []netip.Prefix
	// Encrypted is true when nodes encrypt what its containers send each other.
	Encrypted bool
	Created   time.Time
}

// NetworkSpec is how the network of a tenant is made. None of it can be changed later.
type NetworkSpec struct {
	Subnet    netip.Prefix
	Encrypted bool
}

// NetworkView is what the read cache knows of the network of a tenant.
type NetworkView struct {
	// Network of the namespace; nil when there is none of ours.
	Network *Network
	// Squatter is true when a network that is not ours has the name of the namespace's network.
	Squatter bool
	// Used is how many of its addresses are in use: one for each task that has not ended, for each virtual IP, and for
	// each node with a task. Only the engines know those that they have lost.
	Used int
	// Nodes is how many nodes the swarm has.
	Nodes int
}

// Content is a Swarm secret or config.
type Content struct {
	ID, Name string
	Labels   map[string]string
	Created  time.Time
}

// LocalImage is an image that the engine holds.
type LocalImage struct {
	// ID is sha256:… of the image's configuration.
	ID string
	// Digests are the registries' digests it was pulled by, as repository@sha256:….
	Digests []string
}

// ResolvedImage is an image as its registry knows it.
type ResolvedImage struct {
	// Reference is repository[:tag]@sha256:….
	Reference string
	// Auth is what the engine needs as X-Registry-Auth to pull it; empty when the registry lets anybody.
	Auth string
}

// SameImage is true for two references to the same digest in the same repository, whatever their tags.
func SameImage(a, b string) bool {
	x, err := reference.ParseNormalizedNamed(a)
	if err != nil {
		return false
	}
	y, err := reference.ParseNormalizedNamed(b)
	if err != nil {
		return false
	}

	dx, pinned := x.(reference.Digested)
	dy, also := y.(reference.Digested)

	return pinned && also && x.Name() == y.Name() && dx.Digest() == dy.Digest()
}

// DigestOf returns ref with the registry's digest by which the engine pulled it, as repository[:tag]@sha256:…. It is
// false for an image that came from no registry, or from another repository.
func (i LocalImage) DigestOf(ref string) (string, bool) {
	asked, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", false
	}

	for _, d := range i.Digests {
		held, err := reference.ParseNormalizedNamed(d)
		if err != nil || held.Name() != asked.Name() {
			continue
		}
		if digested, ok := held.(reference.Digested); ok {
			full, err := reference.WithDigest(reference.TagNameOnly(asked), digested.Digest())

			return reference.FamiliarString(full), err == nil
		}
	}

	return "", false
}
