package gitsync

import (
	"slices"
	"strings"
)

// State is how a sync stands that others depend on.
type State struct {
	// Ready is its Ready condition, and Current whether that speaks of its latest spec.
	Ready, Current bool
	// Suspended is said to those who wait; it is no reason to wait by itself: what was ready before stays ready.
	Suspended bool
}

// WaitFor names the first of the dependencies that is not ready, and says why in a sentence. Both are empty when there is
// none. Dependencies are looked at in the order in which they were declared, so that the sentence stays the same while
// nothing changes. states has those that there are.
func WaitFor(dependsOn []string, states map[string]State) (name, why string) {
	for _, name := range dependsOn {
		s, found := states[name]

		switch {
		case !found:
			return name, "dependency \"" + name + "\" does not exist"
		case s.Ready && s.Current:
			continue
		case s.Suspended:
			return name, "dependency \"" + name + "\" is not ready, and is suspended"
		case !s.Current:
			return name, "dependency \"" + name + "\" has not been synced since it was changed"
		default:
			return name, "dependency \"" + name + "\" is not ready"
		}
	}

	return "", ""
}

// Cycle is the way from a sync back to itself, both ends included, or nil when there is none: of several one of the shortest,
// and always the same. Those that do not exist end a way.
func Cycle(from string, dependsOn map[string][]string) []string {
	// Breadth first: what is reached first is reached on one of the shortest ways.
	before := map[string]string{}
	queue := []string{from}

	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]

		for _, next := range slices.Sorted(slices.Values(dependsOn[at])) {
			if next == from {
				return way(from, at, before)
			}

			if _, seen := before[next]; !seen {
				before[next] = at
				queue = append(queue, next)
			}
		}
	}

	return nil
}

// way goes back from the last one, and closes the circle.
func way(from, last string, before map[string]string) []string {
	out := []string{from}
	for at := last; at != from; at = before[at] {
		out = append(out, at)
	}

	out = append(out, from)
	slices.Reverse(out)

	return out
}

// CycleText is a cycle as people read it: a → b → a.
func CycleText(cycle []string) string { return strings.Join(cycle, " → ") }
