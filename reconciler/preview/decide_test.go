package preview_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/preview"
	"github.com/dogker/dogker/reconciler/source"
)

var epoch = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// have is the preview of a branch that has been there for a while.
func have(branch, commit string, age time.Duration) preview.Existing {
	ref := "refs/heads/" + branch

	return preview.Existing{Tenant: preview.Name("acme", ref), Ref: ref, Commit: commit, Since: epoch.Add(-age)}
}

// summary is a decision in lines.
func summary(d preview.Decision) []string {
	out := []string{}

	for _, k := range d.Keep {
		line := "keep " + k.Tenant + " " + k.Commit
		if !k.Expires.IsZero() {
			line += " " + k.Expires.Sub(epoch).String()
		}

		out = append(out, line)
	}

	for _, x := range d.Drop {
		out = append(out, "drop "+x.Tenant+": "+map[preview.Why]string{preview.Gone: "gone", preview.Expired: "expired"}[x.Why])
	}

	for verb, tips := range map[string][]source.Tip{"make": d.Make, "wait": d.Wait, "blocked": d.Blocked} {
		for _, t := range tips {
			out = append(out, verb+" "+t.Name)
		}
	}

	for _, g := range d.GivenUp {
		out = append(out, "given "+g.Ref+" "+g.Commit)
	}

	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0]) })

	return out
}

func TestDecide(t *testing.T) {
	deleting := have("a", "1", 0)
	deleting.Deleting = true
	lost := have("a", "", 0)
	lost.Ref, lost.Since = "", time.Time{}

	for name, tc := range map[string]struct {
		reason string
		in     preview.Input
		want   []string
	}{
		"New":       {"A branch gets a preview.", preview.Input{Refs: refs("a", "1"), Room: 1}, []string{"make refs/heads/a"}},
		"Kept":      {"It lasts for as long as it may after its commit.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{have("a", "1", time.Minute)}}, []string{"keep acme-a 1 59m0s"}},
		"Pushed":    {"A commit begins its time anew.", preview.Input{Refs: refs("a", "2"), Existing: []preview.Existing{have("a", "1", time.Minute)}}, []string{"keep acme-a 2 1h0m0s"}},
		"JustThen":  {"Also in the moment in which its time is over.", preview.Input{Refs: refs("a", "2"), Existing: []preview.Existing{have("a", "1", time.Hour)}}, []string{"keep acme-a 2 1h0m0s"}},
		"Gone":      {"With its branch it goes.", preview.Input{Refs: refs(), Existing: []preview.Existing{have("a", "1", 0)}}, []string{"drop acme-a: gone"}},
		"Unknown":   {"Not when nobody knows.", preview.Input{Existing: []preview.Existing{have("a", "1", 0)}}, []string{"keep acme-a 1 1h0m0s"}},
		"Cut":       {"Nor when the list has an end that is not its own.", preview.Input{Refs: refs("b", "1"), Cut: []source.RefPattern{"refs/heads/*"}, Existing: []preview.Existing{have("a", "1", 0)}, Room: 0}, []string{"keep acme-a 1 1h0m0s", "wait refs/heads/b"}},
		"CutOther":  {"What was not cut is whole.", preview.Input{Refs: refs(), Cut: []source.RefPattern{"refs/pull/*/head"}, Existing: []preview.Existing{have("a", "1", 0)}}, []string{"drop acme-a: gone"}},
		"Expired":   {"Its time ends, and is remembered.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{have("a", "1", time.Hour)}}, []string{"drop acme-a: expired", "given refs/heads/a 1"}},
		"StaysAway": {"What had its time does not come back by itself.", preview.Input{Refs: refs("a", "1"), GivenUp: []preview.GivenUp{{Ref: "refs/heads/a", Commit: "1"}}, Room: 1}, []string{"given refs/heads/a 1"}},
		"ComesBack": {"With another commit it does.", preview.Input{Refs: refs("a", "2"), GivenUp: []preview.GivenUp{{Ref: "refs/heads/a", Commit: "1"}}, Room: 1}, []string{"make refs/heads/a"}},
		"Forgotten": {"What is gone need not be remembered.", preview.Input{Refs: refs(), GivenUp: []preview.GivenUp{{Ref: "refs/heads/a", Commit: "1"}}}, []string{}},
		"Full":      {"What there is stays, and others wait.", preview.Input{Refs: refs("a", "1", "b", "1", "c", "1"), Existing: []preview.Existing{have("c", "1", 0)}, Room: 1}, []string{"keep acme-c 1 1h0m0s", "make refs/heads/a", "wait refs/heads/b"}},
		"Queue":     {"Who has waited longer is first.", preview.Input{Refs: refs("a", "1", "b", "1", "c", "1"), Queue: []string{"refs/heads/c", "refs/heads/gone", "refs/heads/b"}, Room: 1}, []string{"make refs/heads/c", "wait refs/heads/b", "wait refs/heads/a"}},
		"Newest":    {"Of pull requests the newest is first, and branches come after them.", preview.Input{Refs: map[string]string{"refs/pull/9/head": "1", "refs/pull/10/head": "1", "refs/heads/a": "1"}, Room: 1}, []string{"make refs/pull/10/head", "wait refs/pull/9/head", "wait refs/heads/a"}},
		"Over":      {"Fewer than there are takes nothing away.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{have("a", "1", 0)}, Room: -3}, []string{"keep acme-a 1 1h0m0s"}},
		"Taken":     {"A name that somebody else has takes nobody's room.", preview.Input{Refs: refs("a", "1", "b", "1"), Room: 1, Taken: func(name string) bool { return name == "acme-a" }}, []string{"blocked refs/heads/a", "make refs/heads/b"}},
		"Deleting":  {"What is going is waited for, also when its branch is back.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{deleting}, Room: 1}, []string{"keep acme-a 1"}},
		"Lost":      {"What has lost its annotations is known by its name.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{lost}}, []string{"keep acme-a 1 1h0m0s"}},
		"Ahead":     {"A clock that was ahead gives nobody a month.", preview.Input{Refs: refs("a", "1"), Existing: []preview.Existing{have("a", "1", -30*24*time.Hour)}}, []string{"keep acme-a 1 1h0m0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.Parent, tc.in.Asked, tc.in.Now, tc.in.TTL = "acme", true, epoch, time.Hour

			if diff := cmp.Diff(tc.want, summary(preview.Decide(tc.in))); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}

	unasked := preview.Decide(preview.Input{Parent: "acme", Now: epoch, TTL: time.Hour, Existing: []preview.Existing{have("a", "1", 2*time.Hour)}})
	if len(unasked.Drop) > 0 {
		t.Errorf("a server that was down for long gives everything up before it has asked: %v", unasked.Drop)
	}
}

func refs(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out["refs/heads/"+pairs[i]] = pairs[i+1]
	}

	return out
}

// TestHistories plays pushes, deletions, outages and time, and demands of each decision what always holds.
func TestHistories(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same histories each time
		world := preview.Input{Parent: "acme", Asked: true, Now: epoch, TTL: time.Hour}
		branches, limit := map[string]string{}, 1+rng.IntN(4)

		for step := range 60 {
			change(rng, branches)

			world.Now = world.Now.Add(time.Duration(rng.IntN(30)) * time.Minute)
			world.Refs, world.Cut = refsOf(rng, branches), nil
			world.Room = limit - len(world.Existing)

			d := preview.Decide(world)
			if diff := cmp.Diff(summary(d), summary(preview.Decide(world))); diff != "" {
				t.Fatalf("seed %d, step %d: asked twice, it decides otherwise:\n%s", seed, step, diff)
			}

			holds(t, world, d, limit)

			world = after(world, d)
		}
	}
}

// change pushes to a branch, or deletes it.
func change(rng *rand.Rand, branches map[string]string) {
	branch := "refs/heads/" + string(rune('a'+rng.IntN(6)))
	if rng.IntN(3) == 0 {
		delete(branches, branch)
	} else {
		branches[branch] = fmt.Sprint(rng.IntN(100))
	}
}

// refsOf is what a server says, which is nothing at times.
func refsOf(rng *rand.Rand, branches map[string]string) map[string]string {
	if rng.IntN(5) == 0 {
		return nil
	}

	out := map[string]string{}
	for ref, commit := range branches {
		out[ref] = commit
	}

	return out
}

func holds(t *testing.T, in preview.Input, d preview.Decision, limit int) {
	t.Helper()

	if got := len(d.Keep) + len(d.Drop); got != len(in.Existing) {
		t.Fatalf("of %d previews %d are decided about", len(in.Existing), got)
	}

	if len(in.Existing)+len(d.Make) > max(limit, len(in.Existing)) {
		t.Fatalf("there would be %d of %d", len(in.Existing)+len(d.Make), limit)
	}

	for _, x := range d.Drop {
		if _, there := in.Refs[x.Ref]; x.Why == preview.Gone && (in.Refs == nil || there) {
			t.Fatalf("%s is not gone", x.Ref)
		}
	}

	for _, k := range d.Keep {
		if commit := in.Refs[k.Ref]; !k.Expires.After(in.Now) || commit != "" && commit != k.Commit {
			t.Fatalf("kept %+v of commit %q at %v", k, commit, in.Now)
		}
	}

	for _, m := range d.Make {
		if slices.Contains(in.GivenUp, preview.GivenUp{Ref: m.Name, Commit: m.Commit}) {
			t.Fatalf("%s comes back by itself", m.Name)
		}
	}

	if in.Refs != nil {
		decided := len(d.Make) + len(d.Wait) + len(d.Blocked)
		for ref, commit := range in.Refs {
			over := slices.Contains(d.GivenUp, preview.GivenUp{Ref: ref, Commit: commit})
			kept := slices.ContainsFunc(d.Keep, func(k preview.Kept) bool { return k.Ref == ref })

			if over || kept {
				decided++
			}
		}

		if decided != len(in.Refs) {
			t.Fatalf("of %d references %d are decided about: %v", len(in.Refs), decided, summary(d))
		}
	}
}

// after is the world once a decision was carried out.
func after(in preview.Input, d preview.Decision) preview.Input {
	in.Existing, in.GivenUp, in.Queue = nil, d.GivenUp, nil

	for _, k := range d.Keep {
		in.Existing = append(in.Existing, k.Existing)
	}

	for _, m := range d.Make {
		in.Existing = append(in.Existing, preview.Existing{Tenant: preview.Name("acme", m.Name), Ref: m.Name, Commit: m.Commit, Since: in.Now})
	}

	for _, w := range d.Wait {
		in.Queue = append(in.Queue, w.Name)
	}

	return in
}

func TestMemoryHasAnEnd(t *testing.T) {
	in := preview.Input{Parent: "acme", Asked: true, Now: epoch, TTL: time.Hour, Refs: map[string]string{}}

	for n := range 300 {
		g := preview.GivenUp{Ref: fmt.Sprintf("refs/heads/b%d", n), Commit: "1"}
		in.GivenUp, in.Refs[g.Ref] = append(in.GivenUp, g), "1"
	}

	d := preview.Decide(in)
	if len(d.GivenUp) != 256 || d.GivenUp[255].Ref != "refs/heads/b299" {
		t.Errorf("%d are remembered, the last is %v", len(d.GivenUp), d.GivenUp[len(d.GivenUp)-1])
	}
}
