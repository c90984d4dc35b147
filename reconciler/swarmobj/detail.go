package swarmobj

import (
	"net/netip"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// TaskDetail is all that is known of a task: what a controller needs, and what people are shown.
type TaskDetail struct {
	Task

	// Version counts the changes of the task in Swarm.
	Version uint64
	// Container is the engine's ID of its container; empty while there is none.
	Container string
	// Address it has in the network of its tenant; the zero address while it has none.
	Address netip.Addr
	// Updated is when the task last changed, by the swarm's clocks: of one that is being shut down, when that was asked for.
	Updated time.Time
	// Spec it was made from. Tasks share it, and nobody changes it.
	Spec *swarm.TaskSpec
}

// ServiceTasks is a service of ours with its tasks.
type ServiceTasks struct {
	Owner Owner
	// Service as the engine last showed it, or as it was sent. Nobody changes it.
	Service *swarm.Service
	// Tasks that the engine knows, those of its history among them, in no order.
	Tasks []TaskDetail
}
