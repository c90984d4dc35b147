package swarm_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestEncryptedNetwork: the engine is told of encryption only where it is asked for, and what it says of it is shown.
func TestEncryptedNetwork(t *testing.T) {
	for _, encrypted := range []bool{true, false} {
		inBubble(t, func(b *bubble) {
			o := newOwner(b.T)
			id, err := b.engine.CreateTenantNetwork(b.Context(), o, swarmobj.NetworkSpec{
				Subnet: netip.MustParsePrefix("10.64.0.0/24"), Encrypted: encrypted,
			})
			if err != nil {
				b.Fatal(err)
			}

			made, err := b.admin.NetworkInspect(b.Context(), id, network.InspectOptions{})
			if err != nil {
				b.Fatal(err)
			}
			if _, has := made.Options["encrypted"]; has != encrypted {
				b.Errorf("the engine was told %v, want encryption %v", made.Options, encrypted)
			}

			for _, when := range []time.Duration{0, time.Minute} {
				b.after(when)
				view, err := b.engine.LookNetwork(b.Context(), o)
				if err != nil || view.Network == nil || view.Network.Encrypted != encrypted {
					b.Errorf("after %v: %+v and %v, want encryption %v", when, view.Network, err, encrypted)
				}
			}
		})
	}
}
