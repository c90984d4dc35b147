package swarm

import (
	"net"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// satisfies tells whether a node fulfils all placement constraints, by SwarmKit's rules: keys and values compare without
// regard to case, and a label that a node lacks equals nothing. A constraint that cannot be read fits no node.
func satisfies(n swarm.Node, constraints []string) bool {
	for _, c := range constraints {
		if !fulfils(n, c) {
			return false
		}
	}

	return true
}

func fulfils(n swarm.Node, constraint string) bool {
	key, value, equal := strings.Cut(constraint, "==")
	if !equal {
		var differs bool
		if key, value, differs = strings.Cut(constraint, "!="); !differs {
			return false
		}
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)

	if strings.EqualFold(key, "node.ip") {
		return inNetwork(n.Status.Addr, value) == equal
	}

	have, known := property(n, key)

	return known && strings.EqualFold(have, value) == equal
}

func property(n swarm.Node, key string) (string, bool) {
	lower := strings.ToLower(key)

	switch {
	case lower == "node.id":
		return n.ID, true
	case lower == "node.hostname":
		return n.Description.Hostname, true
	case lower == "node.role":
		return string(n.Spec.Role), true
	case lower == "node.platform.os":
		return n.Description.Platform.OS, true
	case lower == "node.platform.arch":
		return n.Description.Platform.Architecture, true
	case strings.HasPrefix(lower, "node.labels."):
		return n.Spec.Labels[key[len("node.labels."):]], true
	case strings.HasPrefix(lower, "engine.labels."):
		return n.Description.Engine.Labels[key[len("engine.labels."):]], true
	default:
		return "", false
	}
}

// inNetwork is true when the address is the given one, or lies in the given subnet.
func inNetwork(address, value string) bool {
	ip := net.ParseIP(address)
	if ip == nil {
		return false
	}
	if want := net.ParseIP(value); want != nil {
		return ip.Equal(want)
	}

	_, subnet, err := net.ParseCIDR(value)

	return err == nil && subnet.Contains(ip)
}
