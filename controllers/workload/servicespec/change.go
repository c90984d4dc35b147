package servicespec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Impact is how hard a change hits, from nothing that runs to everything that does.
type Impact int

// The impacts, in rising order.
const (
	// ImpactPolicy changes how Swarm goes about things from now on, or what we noted; nothing restarts.
	ImpactPolicy Impact = iota
	// ImpactScale starts or stops tasks; those that stay are left alone.
	ImpactScale
	// ImpactTemplate replaces the tasks, as the update config says.
	ImpactTemplate
	// ImpactRecreate cannot be made in place: Swarm answers such an update with 501.
	ImpactRecreate
)

// String implements fmt.Stringer.
func (i Impact) String() string {
	return [...]string{"policy", "scale", "template", "recreate"}[i]
}

// Change is one difference between two specs.
type Change struct {
	// Field that differs, such as image or env[PASSWORD].
	Field string
	// From and To are its values as people read them, cut when they are long; empty when there is none. Values that
	// nobody should see in an event are not in them.
	From, To string
	// Impact on what runs.
	Impact Impact

	verb string
}

// String implements fmt.Stringer.
func (c Change) String() string {
	if c.verb != "" {
		return c.Field + " " + c.verb
	}

	return fmt.Sprintf("%s %s → %s", c.Field, orNone(c.From), orNone(c.To))
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}

	return value
}

// newChange describes one difference. before and after say whether the field was and will be there at all.
func newChange(path string, from, to string, before, after bool) Change {
	c := Change{Field: name(path), From: shorten(from), To: shorten(to), Impact: impact(path)}
	if !hidden(path) {
		return c
	}

	c.From, c.To = "", ""
	switch {
	case !before:
		c.verb = "(added)"
	case !after:
		c.verb = "(removed)"
	default:
		c.verb = "(changed)"
	}

	return c
}

// impact is decided by where in the spec the field stands. Swarm replaces a task when its template or the endpoint
// differs in any way, except for placement constraints that its node still satisfies: those count as template too,
// because they may take tasks away.
func impact(path string) Impact {
	switch {
	case path == pathName, path == pathMode:
		return ImpactRecreate
	case path == pathReplicas:
		return ImpactScale
	case strings.HasPrefix(path, "taskTemplate."), strings.HasPrefix(path, "endpointSpec."), strings.HasPrefix(path, "networks["):
		return ImpactTemplate
	default:
		return ImpactPolicy
	}
}

// hidden is true for fields whose value nobody should see: any variable may hold a password, and so may the options of a
// volume's driver, which are the platform's and not the tenant's; the digest of the credentials says nothing to anybody.
func hidden(path string) bool {
	return strings.HasPrefix(path, pathEnv+"[") || path == "labels["+v1alpha1.SwarmLabelRegistryAuth+"]" ||
		strings.HasPrefix(path, pathMounts+"[") && strings.Contains(path, ".driverConfig.options[")
}

// Changes are the differences between two specs, hardest first. None means that nothing has to be written.
type Changes []Change

// maxChangesText keeps the text of changes within what an Event can hold.
const maxChangesText = 900

// String implements fmt.Stringer: what changes, for events and logs, such as
// image nginx:1@sha256:… → nginx:2@sha256:…, replicas 2 → 3. What Dogker notes on the service for itself is left out,
// unless nothing else changes.
func (c Changes) String() string {
	told := slices.DeleteFunc(slices.Clone(c), func(change Change) bool { return strings.HasPrefix(change.Field, "labels[io.dogker.") })
	if len(told) > 0 {
		c = told
	}

	var out strings.Builder
	for i, change := range c {
		text := change.String()
		if i > 0 {
			text = ", " + text
		}
		if out.Len()+len(text) > maxChangesText {
			fmt.Fprintf(&out, " and %d more", len(c)-i)

			break
		}
		out.WriteString(text)
	}

	return out.String()
}

// Impact is that of the hardest change, and ImpactPolicy when there is none.
func (c Changes) Impact() Impact {
	most := ImpactPolicy
	for _, change := range c {
		most = max(most, change.Impact)
	}

	return most
}
