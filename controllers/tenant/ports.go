package tenant

import (
	"context"
	"net/netip"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the part of Docker Swarm that this controller uses. Errors belong to the classes of swarmobj. Calls block for
// as long as the engine does, at most until the context ends.
type Swarm interface {
	// LookNetwork shows what is known of the network of an owner's namespace, from the read cache. It fails while nothing
	// is known.
	LookNetwork(ctx context.Context, o swarmobj.Owner) (swarmobj.NetworkView, error)
	// Network is a network that is not ours, from the read cache; false when there is none.
	Network(id string) (swarmobj.Network, bool)
	// Subnets are those of all networks there are, but the one with the ID except, from the read cache.
	Subnets(ctx context.Context, except string) ([]netip.Prefix, error)
	// CreateTenantNetwork creates the network of the owner's namespace, as the spec says, and returns its ID. It fails with ErrExists when
	// the name is taken. A network whose subnet overlaps with another's is made and gets no addresses.
	CreateTenantNetwork(ctx context.Context, o swarmobj.Owner, spec swarmobj.NetworkSpec) (id string, err error)
	// RemoveNetwork removes the network of the namespace if it is ours. It fails with ErrInUse while a service or a task
	// refers to it, and it is no error when there is none.
	RemoveNetwork(ctx context.Context, namespace string) error
}
