package swarm

import (
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// portKey is what two services cannot both have.
type portKey struct {
	protocol swarm.PortConfigProtocol
	port     uint32
}

// portIndex knows who has published what, of all services in the swarm.
type portIndex map[portKey][]*service

func (p portIndex) add(s *service) {
	for _, port := range publishedPorts(s.shown) {
		key := keyOfPort(port)
		p[key] = append(p[key], s)
	}
}

func (p portIndex) remove(s *service) {
	for _, port := range publishedPorts(s.shown) {
		key := keyOfPort(port)

		left := slices.DeleteFunc(slices.Clone(p[key]), func(o *service) bool { return o == s })
		if len(left) == 0 {
			delete(p, key)
			continue
		}
		p[key] = left
	}
}

// holder finds a service that stands in the way of publishing a port.
func (p portIndex) holder(port swarm.PortConfig, except string) (swarmobj.Owner, bool) {
	if port.PublishedPort == 0 {
		return swarmobj.Owner{}, false
	}

	for _, s := range p[keyOfPort(port)] {
		if s.shown.ID != except {
			return s.owner, true
		}
	}

	return swarmobj.Owner{}, false
}

// publishedPorts are the ports that a service asks for, and those that Swarm has chosen for it.
func publishedPorts(s *swarm.Service) []swarm.PortConfig {
	var ports []swarm.PortConfig

	if s.Spec.EndpointSpec != nil {
		ports = append(ports, s.Spec.EndpointSpec.Ports...)
	}
	for _, chosen := range s.Endpoint.Ports {
		if !hasPort(ports, chosen) {
			ports = append(ports, chosen)
		}
	}

	published := ports[:0:0]
	for _, port := range ports {
		if port.PublishedPort != 0 {
			published = append(published, port)
		}
	}

	return published
}

func hasPort(ports []swarm.PortConfig, p swarm.PortConfig) bool {
	for _, have := range ports {
		if keyOfPort(have) == keyOfPort(p) {
			return true
		}
	}

	return false
}

func keyOfPort(p swarm.PortConfig) portKey {
	protocol := p.Protocol
	if protocol == "" {
		protocol = swarm.PortConfigProtocolTCP
	}

	return portKey{protocol: protocol, port: p.PublishedPort}
}
