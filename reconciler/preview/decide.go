package preview

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/source"
)

// Existing is a preview that there is.
type Existing struct {
	// Tenant is its name.
	Tenant string
	// Ref that it follows, the Commit that was seen there last, and since when. They may be lost; the name tells then.
	Ref    string
	Commit string
	Since  time.Time
	// Deleting is true for one that is going. It has its room until it is gone.
	Deleting bool
}

// GivenUp is a commit that had its time.
type GivenUp struct{ Ref, Commit string }

// Input is all that a decision depends on.
type Input struct {
	// Parent is the tenant whose previews these are.
	Parent string
	// Refs are those that match, with their commits; nil while nobody knows. Cut are patterns whose lists have an end that is
	// not theirs.
	Refs map[string]string
	Cut  []source.RefPattern
	// Asked is true once the server was asked, whatever it has answered. Before that nothing's time is over: a commit may have
	// come while nobody looked.
	Asked bool
	// Existing are the previews that there are, and Taken tells of a name whether somebody else has it.
	Existing []Existing
	Taken    func(tenant string) bool
	// GivenUp are commits that had their time, the oldest first. Queue are references that wait, the first first.
	GivenUp []GivenUp
	Queue   []string
	// Now, how long a preview lasts after a commit, and how many more there may be.
	Now  time.Time
	TTL  time.Duration
	Room int
}

// Kept is a preview that stays.
type Kept struct {
	Existing
	// Expires is when its time is over; zero for one that is going.
	Expires time.Time
}

// Why a preview goes.
type Why string

// The reasons.
const (
	Gone    Why = "its reference is gone, or matches no longer"
	Expired Why = "there was no commit for as long as it may last without"
)

// Dropped is a preview that goes.
type Dropped struct {
	Existing
	Why Why
}

// Decision says what to do. Everything in it is in an order that depends on nothing but the input.
type Decision struct {
	Keep []Kept
	Drop []Dropped
	// Make are references that get a preview now, and Wait those that get none for want of room. Blocked are those whose name
	// somebody else has: they take nobody's room.
	Make, Wait, Blocked []source.Tip
	// GivenUp are commits that had their time, from now on.
	GivenUp []GivenUp
	// Next is when the next preview's time is over; zero for none.
	Next time.Time
}

// maxGivenUp is how many commits are remembered that had their time.
const maxGivenUp = 256

// Decide says which previews stay, go and come.
func Decide(in Input) Decision {
	d := Decision{GivenUp: stillThere(in)}
	have := map[string]bool{}

	for _, e := range slices.SortedFunc(slices.Values(in.Existing), func(a, b Existing) int { return strings.Compare(a.Tenant, b.Tenant) }) {
		e = in.restored(e)
		have[e.Ref] = true
		d.settle(in, e)
	}

	d.admit(in, have)

	if n := len(d.GivenUp); n > maxGivenUp {
		d.GivenUp = d.GivenUp[n-maxGivenUp:]
	}

	return d
}

// settle decides about one that there is.
func (d *Decision) settle(in Input, e Existing) {
	commit, found := in.Refs[e.Ref]

	switch {
	case e.Deleting:
		d.Keep = append(d.Keep, Kept{Existing: e})

		return
	case in.Refs != nil && !found && !in.cut(e.Ref):
		d.Drop = append(d.Drop, Dropped{e, Gone})

		return
	}

	if found && commit != e.Commit || e.Since.IsZero() || e.Since.After(in.Now) {
		e.Commit, e.Since = cmp.Or(commit, e.Commit), in.Now
	}

	expires := e.Since.Add(in.TTL)
	if in.Asked && !in.Now.Before(expires) {
		d.Drop = append(d.Drop, Dropped{e, Expired})

		if g := (GivenUp{e.Ref, e.Commit}); !slices.Contains(d.GivenUp, g) {
			d.GivenUp = append(d.GivenUp, g)
		}

		return
	}

	d.Keep = append(d.Keep, Kept{e, expires})

	if d.Next.IsZero() || expires.Before(d.Next) {
		d.Next = expires
	}
}

// admit decides about references that have no preview.
func (d *Decision) admit(in Input, have map[string]bool) {
	names := map[string]bool{}
	for _, e := range in.Existing {
		names[e.Tenant] = true
	}

	room := in.Room

	for _, t := range in.candidates(have, d.GivenUp) {
		name := Name(in.Parent, t.Name)

		switch {
		case names[name] || in.Taken != nil && in.Taken(name):
			d.Blocked = append(d.Blocked, t)
		case room > 0:
			room--
			names[name] = true
			d.Make = append(d.Make, t)
		default:
			d.Wait = append(d.Wait, t)
		}
	}
}

// candidates are references that might get one, those first that have waited before, then pull requests, the newest first,
// and branches by name.
func (in Input) candidates(have map[string]bool, givenUp []GivenUp) []source.Tip {
	over := map[GivenUp]bool{}
	for _, g := range givenUp {
		over[g] = true
	}

	place := map[string]int{}
	for i, ref := range in.Queue {
		place[ref] = i + 1
	}

	var out []source.Tip

	for ref, commit := range in.Refs {
		if !have[ref] && !over[GivenUp{ref, commit}] {
			out = append(out, source.Tip{Name: ref, Commit: commit})
		}
	}

	last := len(in.Queue) + 1
	order := func(ref string) int { return cmp.Or(place[ref], last) }

	slices.SortFunc(out, func(a, b source.Tip) int {
		m, _, _ := number(a.Name)
		n, _, _ := number(b.Name)

		return cmp.Or(cmp.Compare(order(a.Name), order(b.Name)), cmp.Compare(n, m), strings.Compare(a.Name, b.Name))
	})

	return out
}

// stillThere are the commits that had their time and that a reference still leads to, as far as is known.
func stillThere(in Input) []GivenUp {
	var out []GivenUp

	for _, g := range in.GivenUp {
		commit, found := in.Refs[g.Ref]
		if in.Refs == nil || found && commit == g.Commit || !found && in.cut(g.Ref) {
			out = append(out, g)
		}
	}

	return out
}

// restored is a preview that still knows its reference, or one whose name tells it.
func (in Input) restored(e Existing) Existing {
	if e.Ref != "" && Name(in.Parent, e.Ref) == e.Tenant {
		return e
	}

	for _, ref := range slices.Sorted(maps.Keys(in.Refs)) {
		if Name(in.Parent, ref) == e.Tenant {
			e.Ref, e.Commit = ref, ""

			return e
		}
	}

	return e
}

// cut is true for a reference that may be there although it is not in the list.
func (in Input) cut(ref string) bool {
	return slices.ContainsFunc(in.Cut, func(p source.RefPattern) bool {
		_, ok := p.Match(ref)

		return ok
	})
}
