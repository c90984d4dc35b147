package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// firstUnprivileged is the first port that needs no right to listen on.
const firstUnprivileged = 1024

// portChecks are about what of a container can be reached from outside.
var portChecks = []containerCheck{
	{
		id: "5.8", section: sectionContainers, title: "No privileged ports of the host are mapped", judge: highPorts,
		right: "ports of the node from 1024", field: "change spec.ports[].publish.port, or route to it",
		flag: "--publish-rm PORT --publish-add HIGHER-PORT:TARGET",
	},
	{
		id: "5.9", section: sectionContainers, title: "Only ports that were asked for are open", judge: askedPorts,
		right: "each published port asked for by its number",
		flag:  "publish each port by its number, and not all of the image (--publish-all) or one of the engine's choice",
	},
	{
		id: "5.14", section: sectionContainers, title: "Incoming traffic is bound to one host interface", judge: onePlace,
		right: "an address of the node with each port. Swarm has none for a service: what may reach its ports is the firewall's to say",
		field: "take the port off spec.ports[].publish, or let only those who need it through the nodes' firewall",
		flag:  "let only those who need it through the nodes' firewall, or make it a container with --publish ADDRESS:PORT:TARGET",
	},
}

func highPorts(c *Container, _ *Input) verdict {
	var low []Port
	for _, p := range c.Ports {
		if p.Published > 0 && p.Published < firstUnprivileged {
			low = append(low, p)
		}
	}

	return faultIf(len(low) > 0, SeverityMedium, "it has %s", portList(low))
}

func askedPorts(c *Container, _ *Input) verdict {
	if c.PublishAll {
		return fault(SeverityMedium, "every port that its image exposes is published")
	}

	chosen := slices.DeleteFunc(slices.Clone(c.Ports), func(p Port) bool { return p.Published != 0 })

	return faultIf(len(chosen) > 0, SeverityLow, "the engine chooses where it publishes %s", portList(chosen))
}

func onePlace(c *Container, _ *Input) verdict {
	if len(c.Ports) == 0 {
		return notApplicable("it publishes no port")
	}

	everywhere := slices.DeleteFunc(slices.Clone(c.Ports), func(p Port) bool {
		return p.Address != "" && p.Address != "0.0.0.0" && p.Address != "::"
	})

	return faultIf(len(everywhere) > 0, SeverityLow, "on every address of the node it has %s", portList(everywhere))
}

// portList names ports once each, in order.
func portList(ports []Port) string {
	slices.SortFunc(ports, func(x, y Port) int {
		return cmp.Or(cmp.Compare(x.Published, y.Published), cmp.Compare(x.Target, y.Target), cmp.Compare(x.Protocol, y.Protocol))
	})

	var words []string
	for _, p := range ports {
		word := fmt.Sprintf("port %d/%s", p.Published, p.Protocol)
		if p.Published == 0 {
			word = fmt.Sprintf("its port %d/%s", p.Target, p.Protocol)
		}
		words = append(words, word)
	}

	return strings.Join(slices.Compact(words), ", ")
}
