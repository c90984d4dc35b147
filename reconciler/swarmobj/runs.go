package swarmobj

import "github.com/docker/docker/api/types/swarm"

// RunServiceName is the name in Swarm of the service of a run. Names of containers hold no underscore, so none of theirs is like it.
func RunServiceName(namespace, run string) string { return ServiceName(namespace, "job_"+run) }

// KindJob is the kind of owners that have a service for each run, and no other.
const KindJob = "TenantJob"

// JobWorld is everything the controller of jobs looks at for one owner, as the read cache last saw it. It points to objects in the
// cache: nobody changes them.
type JobWorld struct {
	// Services of the owner by their names in Swarm, each for one run.
	Services map[string]JobService
	// Network of the namespace; nil when there is none of ours.
	Network *Network
	// NetworkSquatter is true when a network that is not ours has the name of the namespace's network.
	NetworkSquatter bool
	// Secrets and Configs of the namespace that are ours, by name.
	Secrets, Configs map[string]Content
	// Nodes of the swarm.
	Nodes []swarm.Node
}

// JobService is the service of one run, with its tasks.
type JobService struct {
	Service *swarm.Service
	// Uncertain is true after a write whose outcome is not known yet. Service then shows what was sent.
	Uncertain bool
	// Tasks of Service, the newest first within a slot.
	Tasks []Task
	// TasksFresh is true when Tasks were listed after the last change of Service that the cache knows of.
	TasksFresh bool
}
