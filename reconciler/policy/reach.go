package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// maxLabelKey, maxLabelBytes bound what is written into every service and every task of it.
	maxLabelKey   = 63
	maxLabelBytes = 32 << 10
	// lowestPort is the first that needs no privilege on the nodes.
	lowestPort = 1024
)

// ofTheNodes are the ports that the nodes themselves need: Docker's API, Swarm's management, gossip and overlay, etcd and
// the API of Kubernetes and ours.
var ofTheNodes = []int32{2375, 2376, 2377, 2379, 2380, 4789, 6443, 7946}

// leasedPorts: those of the tenant's range, and none without one.
func leasedPorts(c *check) {
	if c.ports != nil {
		portsOfTenant(c)

		return
	}
	for i, p := range c.spec.Ports {
		if p.Publish != nil {
			c.refuse(root.Child("ports").Index(i).Child("publish", "port"), p.Publish.Port,
				"none, because tenant %q has no spec.portRange; containers of the tenant reach the port without publish", c.tenant)
		}
	}
}

// highPorts: those of the tenant's range; without one any that is nobody's, through the routing mesh only. A port in
// mode Host names a node by where its task runs, and needs the grant that a range is.
func highPorts(c *check) {
	if c.ports != nil {
		portsOfTenant(c)

		return
	}
	for i, p := range c.spec.Ports {
		if p.Publish == nil {
			continue
		}
		at := root.Child("ports").Index(i).Child("publish")
		if p.Publish.Port < lowestPort || slices.Contains(ofTheNodes, p.Publish.Port) {
			c.refuse(at.Child("port"), p.Publish.Port, "a port from %d to 65535 other than %s, which the nodes need", lowestPort, list(ofTheNodes))
		}
		if p.Publish.Mode == v1alpha1.PublishHost {
			c.refuse(at.Child("mode"), string(p.Publish.Mode), "%s, because tenant %q has no spec.portRange", v1alpha1.PublishIngress, c.tenant)
		}
	}
}

func portsOfTenant(c *check) {
	if c.ports == nil {
		return
	}
	for i, p := range c.spec.Ports {
		if p.Publish == nil {
			continue
		}
		at := root.Child("ports").Index(i).Child("publish", "port")
		switch {
		case p.Publish.Port < c.ports.From || p.Publish.Port > c.ports.To:
			c.refuse(at, p.Publish.Port, "a port from %d to %d, the spec.portRange of tenant %q", c.ports.From, c.ports.To, c.tenant)
		case slices.Contains(ofTheNodes, p.Publish.Port):
			c.refuse(at, p.Publish.Port, "a port other than %s, which the nodes need", list(ofTheNodes))
		}
	}
}

func noHosts(c *check) {
	for i, h := range c.spec.ExtraHosts {
		c.refuse(root.Child("extraHosts").Index(i), h.IP, "none: names are the engine's and the DNS server's to resolve")
	}
}

// offRole are the constraints on the role that a tenant may name: those that keep off the managers.
var offRole = []string{"node.role==worker", "node.role!=manager"}

// publicKeys are labels of nodes that say where a node is, and not whose.
var publicKeys = []string{"node.labels.zone", "node.labels.region"}

const publicPrefix = "node.labels.public."

func publicPlaces(c *check) {
	const allowed = "node.labels.zone, node.labels.region, node.labels.public.*, node.platform.os, node.platform.arch and node.role == worker"
	places(c, allowed, func(key string) bool {
		return slices.Contains(publicKeys, key) || strings.HasPrefix(key, publicPrefix)
	})
}

func anyLabel(c *check) {
	const allowed = "node.labels.*, node.platform.os, node.platform.arch and node.role == worker"
	places(c, allowed, func(key string) bool { return strings.HasPrefix(key, "node.labels.") })
}

func places(c *check, allowed string, label func(string) bool) {
	p := c.spec.Placement
	if p == nil {
		return
	}

	for i, constraint := range p.Constraints {
		plain := strings.Join(strings.Fields(constraint), "")
		key, _, _ := strings.Cut(strings.ReplaceAll(plain, "!=", "=="), "==")
		if !label(key) && !slices.Contains(offRole, plain) && key != "node.platform.os" && key != "node.platform.arch" {
			c.refuse(root.Child("placement", "constraints").Index(i), constraint, "%s", allowed)
		}
	}
	for i, key := range p.Spread {
		if !label(key) {
			c.refuse(root.Child("placement", "spread").Index(i), key, "%s", allowed)
		}
	}
}

func replicated(c *check) {
	if c.spec.Mode == v1alpha1.ModeGlobal {
		c.refuse(root.Child("mode"), string(c.spec.Mode), "%s: a task on every node is the platform's to have", v1alpha1.ModeReplicated)
	}
}

// reservedLabels begin labels by which software beside the engine is told what to do with a container: routers and
// monitoring obey whoever can write them. Those of the engine and ours are refused by the schema already, and here again.
var reservedLabels = []string{"com.docker.", "io.docker.", "io.dogker.", "dogker.", "org.opencontainers.", "traefik.", "prometheus.", "caddy", "com.github.containrrr.", "com.centurylinklabs."}

func plainLabels(c *check) {
	total := 0
	for _, key := range sorted(c.spec.Labels) {
		at := root.Child("labels").Key(key)
		total += len(key) + len(c.spec.Labels[key])

		switch lower := strings.ToLower(key); {
		case slices.ContainsFunc(reservedLabels, func(p string) bool { return strings.HasPrefix(lower, p) }):
			c.refuse(at, key, "a key that does not begin with %s", strings.Join(reservedLabels, ", "))
		case len(key) > maxLabelKey:
			c.refuse(at, key, "a key of at most %d characters", maxLabelKey)
		}
	}
	if total > maxLabelBytes {
		c.refuse(root.Child("labels"), fmt.Sprintf("%d bytes", total), "at most %d bytes of keys and values together", maxLabelBytes)
	}
}

func list(ports []int32) string {
	words := make([]string, len(ports))
	for i, p := range ports {
		words[i] = fmt.Sprint(p)
	}

	return strings.Join(words, ", ")
}
