package workload

import (
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// firstThatCan is the major version of the engines that first took no-new-privileges from a service (API 1.44). Older ones
// take the field, and drop it.
const firstThatCan = 25

// lockDown decides whether processes of the container can gain no privileges, as the profile restricted wants it. What
// runs is not restarted for it: it comes with the first service and with the next rollout, and goes with one. An engine
// that cannot would drop it, and be told again for ever: so all of them must be able to.
func lockDown(restricted bool, w swarmobj.World, restarts func() bool) bool {
	now := lockedDown(w)
	want := restricted && (now || allCan(w.Nodes))

	if w.Service == nil || want == now || restarts() {
		return want
	}

	return now
}

// lockedDown is true for a service whose processes can gain no privileges, or that has been told so and from which
// somebody has taken it.
func lockedDown(w swarmobj.World) bool {
	if w.Service == nil {
		return false
	}
	if c := w.Service.Spec.TaskTemplate.ContainerSpec; c != nil && c.Privileges != nil && c.Privileges.NoNewPrivileges {
		return true
	}

	return w.Service.Spec.Labels[v1alpha1.SwarmLabelPrivileges] == v1alpha1.PrivilegesNoNew && allCan(w.Nodes)
}

// allCan is true when every node of the swarm has an engine that can. Of no nodes nothing is known.
func allCan(nodes []swarm.Node) bool {
	return len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n swarm.Node) bool {
		major, _, _ := strings.Cut(n.Description.Engine.EngineVersion, ".")
		v, err := strconv.Atoi(major)

		return err != nil || v < firstThatCan
	})
}
