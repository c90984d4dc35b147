package workload

import (
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// lockDown decides whether processes of the container can gain no privileges, as the profile restricted wants it. What
// runs is not restarted for it: it comes with the first service and with the next rollout, and goes with one. An engine
// that cannot would drop it, and be told again for ever: so all of them must be able to.
func lockDown(restricted bool, w swarmobj.World, restarts func() bool) bool {
	now := lockedDown(w)
	want := restricted && (now || permit.AllLockDown(w.Nodes))

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

	return w.Service.Spec.Labels[v1alpha1.SwarmLabelPrivileges] == v1alpha1.PrivilegesNoNew && permit.AllLockDown(w.Nodes)
}
