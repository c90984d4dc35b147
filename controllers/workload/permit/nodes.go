package permit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// IsWorker is true for a node that is no manager.
func IsWorker(n swarm.Node) bool { return n.Spec.Role == swarm.NodeRoleWorker }

// TakesTenants is true for a worker that is there to run tasks. Whether it is up at the moment does not matter: while all
// workers are down, tenants wait for them.
func TakesTenants(n swarm.Node) bool {
	return IsWorker(n) && cmp.Or(n.Spec.Availability, swarm.NodeAvailabilityActive) == swarm.NodeAvailabilityActive
}

// OffManagers is true when what a confined tenant starts anew keeps off the managers of the swarm (rule P1): when there are workers.
// A list without a single node tells nothing, and not to know is no leave.
func OffManagers(nodes []swarm.Node) bool {
	return len(nodes) == 0 || slices.ContainsFunc(nodes, TakesTenants)
}

// firstThatCan is the major version of the engines that first took no-new-privileges from a service (API 1.44). Older ones
// take the field, and drop it.
const firstThatCan = 25

// AllLockDown is true when every node of the swarm has an engine that can keep processes from gaining privileges. Of no nodes
// nothing is known.
func AllLockDown(nodes []swarm.Node) bool {
	return len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n swarm.Node) bool {
		major, _, _ := strings.Cut(n.Description.Engine.EngineVersion, ".")
		v, err := strconv.Atoi(major)

		return err != nil || v < firstThatCan
	})
}
