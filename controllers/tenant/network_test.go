package tenant

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestDecideNetwork(t *testing.T) {
	first, second := netip.MustParsePrefix("10.64.0.0/24"), netip.MustParsePrefix("10.64.1.0/24")
	claimed := func(p netip.Prefix) *v1alpha1.TenantNetwork {
		return &v1alpha1.TenantNetwork{Name: "acme_default", Subnet: p.String()}
	}

	cases := map[string]struct {
		reason  string
		network network
		steps   []string
		status  *v1alpha1.TenantNetwork
		wait    string
	}{
		"Complete": {
			reason:  "What Swarm has, stands in the status, whatever was claimed.",
			network: network{view: view("10.0.7.0/24"), claim: first, at: epoch},
			status: &v1alpha1.TenantNetwork{
				Name: "acme_default", ID: "net-1", Subnet: "10.0.7.0/24", Addresses: "0/253", AddressesTotal: 253,
			},
		},
		"Claim": {
			reason:  "A subnet is claimed before anything is made of it.",
			network: network{fresh: first, found: true},
			status:  claimed(first), wait: v1alpha1.ReasonProvisioning,
		},
		"Make": {
			reason:  "A claim that nobody contests is made a network of.",
			network: network{claim: first},
			steps:   []string{`create network "acme_default" with subnet 10.64.0.0/24`}, status: claimed(first), wait: v1alpha1.ReasonProvisioning,
		},
		"MakeEncrypted": {
			reason:  "What the plan asks for is decided when the network is made.",
			network: network{claim: first, encrypted: true},
			steps:   []string{`create encrypted network "acme_default" with subnet 10.64.0.0/24`}, status: claimed(first), wait: v1alpha1.ReasonProvisioning,
		},
		"Contested": {
			reason:  "Who sees somebody else's claim gives way.",
			network: network{claim: first, contested: true, fresh: second, found: true},
			status:  claimed(second), wait: v1alpha1.ReasonProvisioning,
		},
		"Unaddressed": {
			reason:  "Swarm takes a moment to give addresses.",
			network: network{view: view(), claim: first, contested: true, at: epoch.Add(time.Second)},
			status:  &v1alpha1.TenantNetwork{Name: "acme_default", ID: "net-1", Subnet: "10.64.0.0/24"}, wait: v1alpha1.ReasonProvisioning,
		},
		"SlowSwarm": {
			reason:  "A swarm that gives nobody the addresses is waited for, however long.",
			network: network{view: view(), claim: first, at: epoch.Add(time.Hour)},
			status:  &v1alpha1.TenantNetwork{Name: "acme_default", ID: "net-1", Subnet: "10.64.0.0/24"}, wait: v1alpha1.ReasonProvisioning,
		},
		"TakenBySomebody": {
			reason:  "A network whose subnet another one has will never get any address.",
			network: network{view: view(), claim: first, contested: true, fresh: second, found: true, at: epoch.Add(time.Minute)},
			steps:   []string{`remove network "acme_default", whose subnet 10.64.0.0/24 is taken`}, status: claimed(second), wait: v1alpha1.ReasonProvisioning,
		},
		"Squatter": {
			reason:  "A network that is not ours is not touched, and the claim is kept.",
			network: network{view: squatted(), claim: first},
			status:  claimed(first), wait: v1alpha1.ReasonNetworkConflict,
		},
		"Exhausted": {
			reason:  "Without a subnet there is no network.",
			network: network{}, wait: v1alpha1.ReasonPoolExhausted,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			steps, status, err := tc.network.decide(ownerOf(acme()))

			if diff := cmp.Diff(tc.steps, texts(steps)); diff != "" {
				t.Errorf("%s\nsteps (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.status, status); diff != "" {
				t.Errorf("%s\nstatus (-want +got):\n%s", tc.reason, diff)
			}
			if got := waitReason(err); got != tc.wait {
				t.Errorf("%s\nwait %q, want %q", tc.reason, got, tc.wait)
			}
		})
	}
}

func squatted() (v swarmobj.NetworkView) {
	v.Squatter = true

	return v
}

func TestClaimsKeepPassesApart(t *testing.T) {
	pool, err := addresses.ParsePool("10.64.0.0/20")
	if err != nil {
		t.Fatal(err)
	}

	c := newClaims(pool)

	a, _ := c.choose("a", 24, nil)
	b, _ := c.choose("b", 24, nil)

	if a.Overlaps(b) {
		t.Errorf("two passes that see nothing of each other chose %s and %s", a, b)
	}

	again, _ := c.choose("a", 24, nil)
	if again == a {
		t.Errorf("who gives way gets the same subnet %s again", again)
	}

	c.release("b")

	for range 16 {
		last, ok := c.choose("c", 24, nil)
		if !ok {
			t.Fatal("a subnet that was given back is not to be had")
		}
		if last == b {
			return
		}
	}

	t.Errorf("%s never comes back", b)
}
