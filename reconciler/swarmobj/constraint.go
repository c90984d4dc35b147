package swarmobj

import (
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// Constraint is one placement constraint, such as node.labels.zone == a.
type Constraint struct {
	key, value string
	equal      bool
}

// The grammar of a constraint is a key, an operator and a value. A value may hold what would be a pattern elsewhere; to
// Swarm it is text like any other.
var (
	constraintKey   = regexp.MustCompile(`^(?i)[a-z_][a-z0-9_.-]+$`)
	constraintValue = regexp.MustCompile(`^(?i)[a-z0-9:_\s.*()?+\[\]\\^$|/-]+$`)
)

// ParseConstraint reads a constraint as Swarm does. It says nothing about whether Swarm knows the key: one that it does
// not know is no error there, and is fulfilled by no node.
func ParseConstraint(text string) (Constraint, error) {
	// Swarm looks for one operator after the other, so == wins wherever it stands.
	for _, operator := range []string{"==", "!="} {
		key, value, found := strings.Cut(text, operator)
		if !found {
			continue
		}

		c := Constraint{key: strings.TrimSpace(key), value: strings.TrimSpace(value), equal: operator == "=="}
		if !constraintKey.MatchString(c.key) {
			return Constraint{}, fmt.Errorf("parse constraint %q: key %q must be a letter and then letters, digits, _, . or -", text, c.key)
		}
		if !constraintValue.MatchString(c.value) {
			return Constraint{}, fmt.Errorf("parse constraint %q: value %q must not be empty and holds a character that is not allowed", text, c.value)
		}

		return c, nil
	}

	return Constraint{}, fmt.Errorf("parse constraint %q: it must have one of the operators == and !=", text)
}

// FulfilledBy tells whether the node is what the constraint asks for.
func (c Constraint) FulfilledBy(n swarm.Node) bool {
	if strings.EqualFold(c.key, "node.ip") {
		inside, valid := within(n.Status.Addr, c.value)

		return valid && inside == c.equal
	}

	have, known := property(n, c.key)

	return known && strings.EqualFold(have, c.value) == c.equal
}

// Satisfies tells whether the node fulfils all the constraints, by the rules of Swarm's scheduler: keys and values compare
// without regard to case, only names of labels do not; a label that the node lacks is empty; an address that is none is
// fulfilled by no node, whatever the operator. If one of the constraints cannot be parsed, Swarm heeds none of them. Its
// API refuses such a list, so that it is met only where an API with another grammar took it.
func Satisfies(n swarm.Node, constraints []string) bool {
	satisfied := true

	for _, text := range constraints {
		c, err := ParseConstraint(text)
		if err != nil {
			return true
		}

		satisfied = satisfied && c.FulfilledBy(n)
	}

	return satisfied
}

// property is what a constraint calls a property of a node. It is false for a key that Swarm does not know.
func property(n swarm.Node, key string) (string, bool) {
	if label, ok := labelOf(key, "node.labels."); ok {
		return n.Spec.Labels[label], true
	}
	if label, ok := labelOf(key, "engine.labels."); ok {
		return n.Description.Engine.Labels[label], true
	}

	switch {
	case strings.EqualFold(key, "node.id"):
		return n.ID, true
	case strings.EqualFold(key, "node.hostname"):
		return n.Description.Hostname, true
	case strings.EqualFold(key, "node.role"):
		return string(n.Spec.Role), true
	case strings.EqualFold(key, "node.platform.os"):
		return n.Description.Platform.OS, true
	case strings.EqualFold(key, "node.platform.arch"):
		return n.Description.Platform.Architecture, true
	default:
		return "", false
	}
}

// labelOf cuts the prefix off a key. A prefix with nothing behind it names no label.
func labelOf(key, prefix string) (string, bool) {
	if len(key) <= len(prefix) || !strings.EqualFold(key[:len(prefix)], prefix) {
		return "", false
	}

	return key[len(prefix):], true
}

// within tells whether the address is the wanted one or lies in the wanted subnet, and whether what is wanted is either.
func within(address, wanted string) (inside, valid bool) {
	ip := net.ParseIP(address)
	if one := net.ParseIP(wanted); one != nil {
		return one.Equal(ip), true
	}

	_, subnet, err := net.ParseCIDR(wanted)

	return err == nil && subnet.Contains(ip), err == nil
}
