package swarmobj

// KindAgents is the kind of the owner of what Dogker runs on nodes for itself. No object of the API is of that kind: what is
// wanted is said by flags of the server. It is charged to nobody.
const KindAgents = "Agents"

// agentsName is the name of that owner, and begins the names of the agents' tasks.
const agentsName = "agent"

// Agents is the owner of the agents. The UID is that of Dogker's own namespace, which tells one cluster from another that
// uses the same swarm.
func Agents(namespace, uid string) Owner {
	return Owner{Tenant: namespace, Kind: KindAgents, Name: agentsName, UID: uid}
}
