package compose

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	maxPorts = 64
	// lowestPort is the first on the nodes that a tenant may have (rule N3).
	lowestPort = 1024
)

// nodePorts are those that the nodes themselves need (rule N3).
var nodePorts = []int64{2375, 2376, 2377, 2379, 2380, 4789, 6443, 7946}

// protocols by what Compose calls them.
var protocols = map[string]string{"": "TCP", "tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}

// ports converts what is published, and what is only exposed.
func (s *service) ports() {
	for i, p := range s.Ports {
		s.port(index(s.path("ports"), i), p)
	}
	for i, text := range s.Expose {
		at := index(s.path("expose"), i)
		span, protocol, _ := strings.Cut(text, "/")
		first, last, isRange := strings.Cut(span, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || from == 0 || to < from || protocols[protocol] == "" {
			s.lost(at, text, "it is no port", "write it as 8080, 8080/udp or 8080-8090")
			continue
		}
		for port := from; port <= to; port++ {
			if s.open(at, int64(port), protocols[protocol]) == nil {
				break
			}
		}
	}
}

// open is the entry of a port of the container, made when there is none; nil when there is no room.
func (s *service) open(at string, port int64, protocol string) *v1alpha1.Port {
	for i, p := range s.spec.Ports {
		if int64(p.ContainerPort) == port && p.Protocol == protocol {
			return &s.spec.Ports[i]
		}
	}
	if len(s.spec.Ports) == maxPorts {
		s.lost(at, fmt.Sprint(port), fmt.Sprintf("a container has at most %d ports", maxPorts), "containers of the namespace reach it undeclared")
		return nil
	}
	s.spec.Ports = append(s.spec.Ports, v1alpha1.Port{ContainerPort: int32(port), Protocol: protocol})

	return &s.spec.Ports[len(s.spec.Ports)-1]
}

func (s *service) port(at string, p types.ServicePortConfig) {
	protocol := protocols[strings.ToLower(p.Protocol)]
	if p.Target == 0 || p.Target > 65535 || protocol == "" {
		s.lost(at, fmt.Sprintf("%d/%s", p.Target, p.Protocol), "it is no port from 1 to 65535 of tcp, udp or sctp", "")
		return
	}
	open := s.open(at, int64(p.Target), protocol)
	if open == nil {
		return
	}
	if p.Name != "" && open.Name == "" {
		taken := slices.ContainsFunc(s.spec.Ports, func(q v1alpha1.Port) bool { return q.Name == p.Name })
		if taken || len(p.Name) > 15 || !isLabel(p.Name) {
			s.lost(at+".name", p.Name, "names of ports are unique labels of at most 15 characters", "")
		} else {
			open.Name = p.Name
		}
	}
	s.publish(at, p, open)
}

// publish makes a port reachable from outside, where a tenant may.
func (s *service) publish(at string, p types.ServicePortConfig, open *v1alpha1.Port) {
	const within = "the port stays open within the namespace"
	value := fmt.Sprintf("%s:%d", p.Published, p.Target)
	port, err := strconv.ParseInt(p.Published, 10, 32)
	switch addr, _ := netip.ParseAddr(p.HostIP); {
	case p.Mode == "host":
		s.refused(at+".mode", p.Mode, "ports in mode host name a node by where a task runs (rule N3); "+within, "publish it in mode ingress")
	case p.HostIP != "" && !addr.IsUnspecified():
		s.lost(at+".host_ip", p.HostIP+":"+value, "a port is published on all addresses of the nodes or not at all; "+within,
			"leave the address out if everybody may reach it")
	case p.Published == "" || p.Published == "0":
		s.lost(at, fmt.Sprint(p.Target), "a port of the engine's choice is not published; "+within, "name the port to publish, from 1024")
	case err != nil:
		s.lost(at, value, "a range of ports is not published; "+within, "choose one port")
	case port < lowestPort || port > 65535 || slices.Contains(nodePorts, port):
		s.refused(at, value, fmt.Sprintf("port %d of the nodes is not for tenants (rule N3); %s", port, within), "publish it from 1024, apart from those that the nodes need")
	case open.Publish != nil && int64(open.Publish.Port) != port:
		s.lost(at, value, fmt.Sprintf("port %d of the container is published once, as %d", p.Target, open.Publish.Port), "")
	case s.published(port, open):
		s.lost(at, value, "another port of the container is published as that already; "+within, "choose another")
	default:
		open.Publish = &v1alpha1.PortPublication{Mode: v1alpha1.PublishIngress, Port: int32(port)}
	}
}

// published is true when another port with that protocol has it on the nodes.
func (s *service) published(port int64, but *v1alpha1.Port) bool {
	for i := range s.spec.Ports {
		p := &s.spec.Ports[i]
		if p != but && p.Publish != nil && int64(p.Publish.Port) == port && p.Protocol == but.Protocol {
			return true
		}
	}

	return false
}
