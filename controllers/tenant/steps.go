package tenant

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// step is one write. Its text is for people: logs and tests print it. apply.go carries it out.
type step interface {
	fmt.Stringer
}

type createObject struct{ object client.Object }

func (s createObject) String() string { return "create " + keyOf(s.object) }

// updateObject holds the object as it is to be, with the version that was read.
type updateObject struct{ object client.Object }

func (s updateObject) String() string { return "update " + keyOf(s.object) }

type removeObject struct{ object client.Object }

func (s removeObject) String() string { return "remove " + keyOf(s.object) }

type createNetwork struct {
	owner swarmobj.Owner
	spec  swarmobj.NetworkSpec
}

func (s createNetwork) String() string {
	kind := "network"
	if s.spec.Encrypted {
		kind = "encrypted network"
	}

	return fmt.Sprintf("create %s %q with subnet %s", kind, swarmobj.NetworkName(s.owner.Tenant), s.spec.Subnet)
}

// removeNetwork takes away a network that Swarm gave no addresses, because its subnet is somebody else's.
type removeNetwork struct {
	tenant string
	subnet netip.Prefix
}

func (s removeNetwork) String() string {
	return fmt.Sprintf("remove network %q, whose subnet %s is taken", swarmobj.NetworkName(s.tenant), s.subnet)
}

// keyOf names an object for people, and tells it from all others of a tenant.
func keyOf(o client.Object) string {
	kind := "object"

	switch o.(type) {
	case *corev1.Namespace:
		kind = "Namespace"
	case *corev1.ResourceQuota:
		kind = "ResourceQuota"
	case *corev1.ServiceAccount:
		kind = "ServiceAccount"
	case *rbacv1.RoleBinding:
		kind = "RoleBinding"
	case *rbacv1.ClusterRole:
		kind = "ClusterRole"
	case *rbacv1.ClusterRoleBinding:
		kind = "ClusterRoleBinding"
	}

	return fmt.Sprintf("%s %q", kind, o.GetName())
}
