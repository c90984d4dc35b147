package tenant

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// atOnce is when a pass that has claimed a subnet is followed by the one that makes the network of it: as soon as the
	// claim can be seen by everybody.
	atOnce = time.Millisecond
	// addressTime is how long the swarm may take to give a network its addresses before it is asked whether it ever will.
	addressTime = 5 * time.Second
	// lookAgain is when a pass that waits for Swarm looks again, for what no event tells.
	lookAgain = time.Second
)

// network is what is known about the tenant's network and its subnet.
type network struct {
	view swarmobj.NetworkView
	// encrypted is true when the plan asks for encryption between the nodes.
	encrypted bool
	// claim is the subnet that the status of the tenant says it is to have; the zero Prefix when it says nothing.
	claim netip.Prefix
	// contested is true when somebody else has a part of the claim.
	contested bool
	// fresh is the subnet to claim when there is no claim that holds; it is there when found is true.
	fresh netip.Prefix
	found bool
	// blind is why nothing is known of it, when nothing is.
	blind error
	at    time.Time
}

// decide returns what has to be done about the network, what is to be said about it in the status, and what the tenant has
// to wait for. It is pure.
//
//	no claim ──► claim in the status ──► held against all others ──► network made ──► it has addresses
//	    ▲                                       │ contested              │ it has none, and somebody else has them
//	    └───────────────────────────────────────┴────────────────────────┴── network removed
func (n network) decide(o swarmobj.Owner) (steps []step, status *v1alpha1.TenantNetwork, wait error) {
	name := swarmobj.NetworkName(o.Tenant)
	made := n.view.Network

	switch {
	case made != nil && len(made.Subnets) > 0:
		return nil, statusOf(made, n.view.Used), nil
	case made != nil && n.contested && n.unanswered():
		return []step{removeNetwork{o.Tenant, n.claim}}, n.status(name), provisioning("The subnet of the network is taken; it is made anew with another one", lookAgain)
	case made != nil:
		status := &v1alpha1.TenantNetwork{Name: name, ID: made.ID, Subnet: prefixText(n.claim)}

		return nil, status, provisioning("Waiting until Swarm has given the network its addresses", lookAgain)
	case n.view.Squatter:
		return nil, n.kept(name), &outcome.Wait{
			Reason:  v1alpha1.ReasonNetworkConflict,
			Message: fmt.Sprintf("Swarm has a network %q that Dogker did not make; remove it", name),
		}
	case n.claim.IsValid() && !n.contested:
		return []step{createNetwork{o, swarmobj.NetworkSpec{Subnet: n.claim, Encrypted: n.encrypted}}}, n.kept(name), provisioning("The network is being made", lookAgain)
	case n.found:
		return nil, n.status(name), provisioning("A subnet is being claimed", atOnce)
	default:
		return nil, nil, &outcome.Wait{
			Reason: v1alpha1.ReasonPoolExhausted,
			Message: "The address pool has no subnet left that is large enough for the quota; " +
				"delete tenants, or start dogker server with a larger --tenant-address-pool",
		}
	}
}

// unanswered is true when the network has had the time to get addresses, and has none.
func (n network) unanswered() bool { return n.at.Sub(n.view.Network.Created) > addressTime }

// kept is the status of a network that is yet to be made, with the claim it has.
func (n network) kept(name string) *v1alpha1.TenantNetwork {
	if !n.claim.IsValid() {
		return nil
	}

	return &v1alpha1.TenantNetwork{Name: name, Subnet: n.claim.String()}
}

// status is that of a network that is yet to be made, with a new claim.
func (n network) status(name string) *v1alpha1.TenantNetwork {
	if !n.found {
		return nil
	}

	return &v1alpha1.TenantNetwork{Name: name, Subnet: n.fresh.String()}
}

func statusOf(made *swarmobj.Network, used int) *v1alpha1.TenantNetwork {
	total := addresses.Usable(made.Subnets[0])

	return &v1alpha1.TenantNetwork{
		Name: made.Name, ID: made.ID, Subnet: made.Subnets[0].String(),
		Encrypted:     made.Encrypted,
		Addresses:     fmt.Sprintf("%d/%d", used, total),
		AddressesUsed: int32(used), AddressesTotal: int32(total), //nolint:gosec // addresses of a subnet
	}
}

// outdated says in what the network that there is differs from what the plan asks for; nothing when it does not. Swarm
// cannot change it.
func (n network) outdated() string {
	made := n.view.Network

	switch {
	case made == nil || len(made.Subnets) == 0 || made.Encrypted == n.encrypted:
		return ""
	case n.encrypted:
		return "The plan asks for an encrypted network, and the tenant's was made without encryption"
	default:
		return "The tenant's network is encrypted, and the plan does not ask for it any more"
	}
}

func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}

	return p.String()
}

func provisioning(message string, after time.Duration) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonProvisioning, Message: message, After: after}
}
