package inventory

import (
	"fmt"
	"slices"
)

// Situation is what Decide decides from.
type Situation struct {
	// Recorded is what the sync has applied, or was about to apply, before.
	Recorded []Object
	// Built is what the repository has now.
	Built []Object
	// Prune is whether what the repository has no more is to be deleted at all.
	Prune bool
	// AllowEmpty says that a build which loses everything is meant.
	AllowEmpty bool
}

// Decision is what becomes of each object of a Situation. Every slice is sorted.
type Decision struct {
	// Delete is recorded and not built. Whether an object has opted out is seen when it is looked at, right before.
	Delete []Object
	// Keep is recorded, not built, and stays where it is.
	Keep []Kept
	// Before is what must be on record before anything is written: all that was applied, and all that is about to be. A
	// process that dies in between leaves nothing that nobody answers for.
	Before []Object
	// Guard is empty, or says why nothing was deleted.
	Guard string
}

// Kept is an object that is not in the repository any more and stays all the same.
type Kept struct {
	Object

	// Why in a sentence that a condition can end with.
	Why string
}

// Reasons why something is kept.
const (
	// WhyNoPrune is said where a sync does not prune.
	WhyNoPrune = "pruning is off"
	// WhyHeld is said of what Decide has held back.
	WhyHeld = "it was held back from a build that lost everything"
	// WhyOptedOut is said of an object whose own metadata says that it stays.
	WhyOptedOut = "its own metadata says that it is not pruned"
	// WhyForeign is said of an object that does not carry the labels of the sync, or carries those of another one.
	WhyForeign = "it does not belong to this sync any more"
)

// Decide says which recorded objects go. It is pure, and total: there is no situation that it refuses.
func Decide(s Situation) Decision {
	recorded, built := normal(slices.Clone(s.Recorded)), normal(slices.Clone(s.Built))
	gone := Minus(recorded, built)

	d := Decision{Before: before(recorded, built)}
	if !s.Prune {
		for _, o := range gone {
			d.Keep = append(d.Keep, Kept{o, WhyNoPrune})
		}

		return d
	}

	if !s.AllowEmpty {
		d.Guard = guard(recorded, built, gone)
	}

	for _, o := range gone {
		if o.Held && s.AllowEmpty {
			o.Held = false
		}

		switch {
		case d.Guard != "", o.Held:
			o.Held = true
			d.Keep = append(d.Keep, Kept{o, WhyHeld})
		default:
			d.Delete = append(d.Delete, o)
		}
	}

	d.Before = hold(d.Before, d.Keep)

	return d
}

// guard says in a sentence why a build is taken for an accident; it is empty for all others. One object in the place of the
// only one is a new name, which is no accident.
func guard(recorded, built, gone []Object) string {
	lost := len(gone)

	switch {
	case lost == 0 || lost < len(recorded):
		return ""
	case len(built) == 0:
		return fmt.Sprintf("the build has no objects, and %s on record", count(lost))
	case lost > 1:
		return fmt.Sprintf("the build has none of the %d objects on record", lost)
	default:
		return ""
	}
}

func count(n int) string {
	if n == 1 {
		return "1 object is"
	}

	return fmt.Sprintf("%d objects are", n)
}

// before is what is recorded and what is built. What is built again is not held any more.
func before(recorded, built []Object) []Object {
	return normal(slices.Concat(built, recorded))
}

// hold marks those that are held back.
func hold(objects []Object, kept []Kept) []Object {
	for i, o := range objects {
		objects[i].Held = slices.ContainsFunc(kept, func(k Kept) bool { return k.ID == o.ID && k.Held })
	}

	return objects
}

// After is what is on record when all is done: what was built; what is held back; and what was to be deleted, but is not
// known to be gone. Only what somebody has taken out of the sync's hands is forgotten, and what a sync that does not prune
// leaves behind.
func (d Decision) After(built, undeleted []Object) []Object {
	out := slices.Concat(built, undeleted)

	for _, k := range d.Keep {
		if k.Held {
			out = append(out, k.Object)
		}
	}

	return normal(out)
}

// Minus is what a has and b has not, by ID. Both must be sorted, as Read returns them.
func Minus(a, b []Object) []Object {
	var out []Object

	for _, o := range a {
		if _, found := slices.BinarySearchFunc(b, o, func(x, y Object) int { return x.ID.Compare(y.ID) }); !found {
			out = append(out, o)
		}
	}

	return out
}
