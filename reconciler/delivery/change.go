package delivery

import (
	"fmt"
	"strings"

	"github.com/dogker/dogker/reconciler/inventory"
)

// Action is what becomes of an object. The words are Flux'.
type Action string

// Actions.
const (
	// Created did not exist.
	Created Action = "created"
	// Configured was changed.
	Configured Action = "configured"
	// Recreated was deleted and created again, because it could not be changed.
	Recreated Action = "recreated"
	// Unchanged is as it should be.
	Unchanged Action = "unchanged"
	// Skipped is left alone, because it says so itself.
	Skipped Action = "skipped"
	// Deleted is in the repository no more.
	Deleted Action = "deleted"
	// Kept is in the repository no more, and stays.
	Kept Action = "kept"
)

// Change is what becomes, or became, of one object.
type Change struct {
	ID     inventory.ID
	Action Action
	// Diff is what differs between what is there and what should be.
	Diff []Difference
	// Why is said of what was kept.
	Why string
}

// Writes is whether the action changes anything.
func (a Action) Writes() bool {
	return a == Created || a == Configured || a == Recreated || a == Deleted
}

// String is the change in a line: TenantContainer/web configured (spec.image: "web:1" → "web:2").
func (c Change) String() string {
	text := c.ID.Subject() + " " + string(c.Action)

	if c.Why != "" {
		return text + " (" + c.Why + ")"
	}

	if len(c.Diff) == 0 {
		return text
	}

	parts := make([]string, 0, len(c.Diff))
	for _, d := range c.Diff {
		parts = append(parts, d.String())
	}

	return text + " (" + strings.Join(parts, ", ") + ")"
}

// Changes are what becomes of all objects, in the order in which it happens.
type Changes []Change

// Written are those that change something.
func (c Changes) Written() Changes {
	var out Changes

	for _, change := range c {
		if change.Action.Writes() {
			out = append(out, change)
		}
	}

	return out
}

// Count is how many have the action.
func (c Changes) Count(a Action) int {
	n := 0

	for _, change := range c {
		if change.Action == a {
			n++
		}
	}

	return n
}

// String is one line for each object.
func (c Changes) String() string {
	var b strings.Builder
	for _, change := range c {
		fmt.Fprintln(&b, change)
	}

	return b.String()
}

// Difference is one field that is not as it should be.
type Difference struct {
	// Path as kubectl explain has it, with the names of list items that have one: spec.env[LOG_LEVEL].value.
	Path string
	// From and To are the values as JSON, shortened; empty for none, and *** for what may be secret.
	From, To string
}

// String is the difference as people read it.
func (d Difference) String() string {
	switch {
	case d.From == "" && d.To == "":
		return d.Path
	case d.From == "":
		return d.Path + ": + " + d.To
	case d.To == "":
		return d.Path + ": - " + d.From
	default:
		return d.Path + ": " + d.From + " → " + d.To
	}
}
