package servicespec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// networks is the namespace's network and no other. The container answers to its own name and its aliases there.
func (b *builder) networks() []swarm.NetworkAttachmentConfig {
	aliases := append([]string{b.in.Owner.Name}, texts(b.t.DNSAliases)...)
	slices.Sort(aliases)

	return []swarm.NetworkAttachmentConfig{{Target: b.in.NetworkID, Aliases: slices.Compact(aliases)}}
}

// endpoint says what the name resolves to and which ports are published. A port without publish is for people and for
// other kinds: the engine needs no word of it, and would publish it if it got one. Neither does it get the ports' names:
// a new name alone must not restart tasks.
func (b *builder) endpoint() *swarm.EndpointSpec {
	out := &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR}
	ingress := false

	for _, p := range b.t.Ports {
		if p.Publish == nil {
			continue
		}

		mode := swarm.PortConfigPublishModeHost
		if p.Publish.Mode == v1alpha1.PublishIngress {
			mode, ingress = swarm.PortConfigPublishModeIngress, true
		}
		protocol := swarm.PortConfigProtocol(strings.ToLower(cmp.Or(p.Protocol, "TCP")))

		out.Ports = append(out.Ports, swarm.PortConfig{
			Protocol:      protocol,
			TargetPort:    uint32(p.ContainerPort),
			PublishedPort: uint32(p.Publish.Port),
			PublishMode:   mode,
		})
	}
	slices.SortFunc(out.Ports, comparePorts)

	if b.t.EndpointMode == v1alpha1.EndpointVIP || b.t.EndpointMode == "" && ingress {
		out.Mode = swarm.ResolutionModeVIP
	}
	if out.Mode == swarm.ResolutionModeDNSRR && ingress {
		b.refuse("spec.endpointMode", "must be VIP when a port is published in mode Ingress")
	}

	return out
}

// publishesOnNode is true when a port of a node is bound by the task itself.
func (b *builder) publishesOnNode() bool {
	return slices.ContainsFunc(b.t.Ports, func(p v1alpha1.Port) bool {
		return p.Publish != nil && p.Publish.Mode == v1alpha1.PublishHost
	})
}

func comparePorts(x, y swarm.PortConfig) int {
	return cmp.Or(
		cmp.Compare(x.PublishedPort, y.PublishedPort),
		cmp.Compare(x.TargetPort, y.TargetPort),
		cmp.Compare(x.Protocol, y.Protocol),
		cmp.Compare(x.PublishMode, y.PublishMode),
	)
}
