package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const maxAliases = 16

// alias is a further name for a service, and the field that asks for it.
type alias struct{ path, name string }

// linksOf notes the names by which a service wants to reach others.
func (c *converter) linksOf(key string, s *types.ServiceConfig) {
	for i, link := range s.Links {
		target, name, named := strings.Cut(link, ":")
		at := index("services."+key+".links", i)
		if _, known := c.project.Services[target]; !known {
			c.lost(at, link, "there is no such service", "")
			continue
		}
		if named && name != target {
			c.aliases[target] = append(c.aliases[target], alias{at, name})
			c.changed(at, link, fmt.Sprintf("%q is a name of %q for the whole namespace, and not for one service only", name, target), "")
		}
	}
}

// namesInNetworks converts the further names of a service: all containers of a namespace share one network.
func (s *service) namesInNetworks() {
	if mode := s.NetworkMode; mode != "" {
		s.networkMode(mode)
	}
	if name := s.ContainerName; name != "" {
		s.alias(alias{s.path("container_name"), name})
	}
	for _, network := range sorted(s.Networks) {
		if n := s.Networks[network]; n != nil {
			for i, name := range n.Aliases {
				s.alias(alias{index(s.path("networks."+network+".aliases"), i), name})
			}
		}
	}
	for _, a := range s.aliases[s.key] {
		s.alias(a)
	}
}

func (s *service) networkMode(mode string) {
	at := s.path("network_mode")
	switch {
	case mode == "host":
		s.refused(at, mode, "no container is in the network of a node (rule N1)", "publish the ports that are to be reached")
	case mode == "none":
		s.lost(at, mode, "every container is in the network of its namespace", "")
	case mode == "bridge" || mode == "default":
		s.note(at, mode, "every container is in the network of its namespace", "")
	default:
		s.lost(at, mode, "containers do not share a network namespace", "reach each other by name, or put both programs into one image")
	}
}

func (s *service) alias(a alias) {
	name := v1alpha1.DNSLabel(a.name)
	switch {
	case a.name == s.names[s.key], slices.Contains(s.spec.DNSAliases, name):
	case !isLabel(a.name):
		s.lost(a.path, a.name, "names in the network are DNS labels", fmt.Sprintf("let the others reach it as %q", s.names[s.key]))
	case s.taken(a.name):
		s.lost(a.path, a.name, "another service of the project has that name", "")
	case len(s.spec.DNSAliases) == maxAliases:
		s.lost(a.path, a.name, fmt.Sprintf("a container has at most %d further names", maxAliases), "")
	default:
		s.spec.DNSAliases = append(s.spec.DNSAliases, name)
	}
}

// taken is true for the name of another container.
func (s *service) taken(name string) bool {
	for key, other := range s.names {
		if other == name && key != s.key {
			return true
		}
	}

	return false
}

// networks reports those of the project: what they kept apart is together now.
func (c *converter) networks() {
	used := map[string]bool{}
	for _, s := range c.project.Services {
		for name := range s.Networks {
			used[name] = true
		}
	}
	for _, name := range sorted(used) {
		n, at := c.project.Networks[name], "networks."+name
		switch {
		case bool(n.External):
			c.lost(at+".external", n.Name, "a namespace has a network of its own, and no other", "put what is to be reached into the same namespace, or publish it")
		case len(used) > 1:
			c.lost(at, "", "all containers of a namespace share one network, so it keeps nobody apart", "put who must not reach each other into namespaces of their own")
		}
		for _, field := range networkFields(n) {
			c.lost(at+"."+field, "", "the network of a namespace is made by the platform", "ask the operator of the platform for what it should be")
		}
	}
}

// networkFields are those of a network that say how it is made.
func networkFields(n types.NetworkConfig) []string {
	var out []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"attachable", n.Attachable}, {"driver", n.Driver != "" && n.Driver != "overlay" && n.Driver != "bridge"},
		{"driver_opts", len(n.DriverOpts) > 0}, {"enable_ipv4", n.EnableIPv4 != nil}, {"enable_ipv6", n.EnableIPv6 != nil},
		{"internal", n.Internal}, {"ipam", n.Ipam.Driver != "" || len(n.Ipam.Config) > 0 || len(n.Ipam.Options) > 0}, {"labels", len(n.Labels) > 0},
	} {
		if f.set {
			out = append(out, f.name)
		}
	}

	return out
}
