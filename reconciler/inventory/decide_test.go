package inventory

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// containers are TenantContainers of acme; a name that ends in "!" is held.
func containers(names ...string) []Object {
	var out []Object
	for _, name := range names {
		name, held := strings.CutSuffix(name, "!")
		out = append(out, Object{ID: ID{"acme", name, "dogker.io", "TenantContainer"}, Version: "v1alpha1", Held: held})
	}

	return out
}

func kept(why string, names ...string) []Kept {
	var out []Kept
	for _, o := range containers(names...) {
		out = append(out, Kept{o, why})
	}

	return out
}

func TestDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		given  Situation
		want   Decision
		guard  string
	}{
		"First": {
			reason: "What is about to be applied is on record before it is.",
			given:  Situation{Built: containers("web", "db"), Prune: true},
			want:   Decision{Before: containers("db", "web")},
		},
		"RemovedFile": {
			reason: "What a commit has taken away goes.",
			given:  Situation{Recorded: containers("web", "old"), Built: containers("web"), Prune: true},
			want:   Decision{Delete: containers("old"), Before: containers("old", "web")},
		},
		"PruningOff": {
			reason: "Without prune nothing goes.",
			given:  Situation{Recorded: containers("web", "old"), Built: containers("web")},
			want:   Decision{Keep: kept(WhyNoPrune, "old"), Before: containers("old", "web")},
		},
		"EmptyBuild": {
			reason: "An emptied branch or a wrong path must not take a tenant down.",
			given:  Situation{Recorded: containers("web", "db"), Prune: true},
			want:   Decision{Keep: kept(WhyHeld, "db!", "web!"), Before: containers("db!", "web!")},
			guard:  "the build has no objects, and 2 objects are on record",
		},
		"EmptyBuildOfTheLastOne": {
			reason: "The last object is no less worth than many.",
			given:  Situation{Recorded: containers("web"), Prune: true},
			want:   Decision{Keep: kept(WhyHeld, "web!"), Before: containers("web!")},
			guard:  "the build has no objects, and 1 object is on record",
		},
		"EmptyOnPurpose": {
			reason: "Who says that it is meant is believed.",
			given:  Situation{Recorded: containers("web", "db!"), Prune: true, AllowEmpty: true},
			want:   Decision{Delete: containers("db", "web"), Before: containers("db", "web")},
		},
		"AnotherDirectory": {
			reason: "A path that leads to other objects is the same accident.",
			given:  Situation{Recorded: containers("web", "db"), Built: containers("x"), Prune: true},
			want:   Decision{Keep: kept(WhyHeld, "db!", "web!"), Before: containers("db!", "web!", "x")},
			guard:  "the build has none of the 2 objects on record",
		},
		"NewName": {
			reason: "The only object under a new name is no accident: the old one goes when the new one is there.",
			given:  Situation{Recorded: containers("web"), Built: containers("site"), Prune: true},
			want:   Decision{Delete: containers("web"), Before: containers("site", "web")},
		},
		"HeldStaysHeld": {
			reason: "The next pass over the same commit must not do what the first one refused to.",
			given:  Situation{Recorded: containers("web!", "db!", "x"), Built: containers("x"), Prune: true},
			want:   Decision{Keep: kept(WhyHeld, "db!", "web!"), Before: containers("db!", "web!", "x")},
		},
		"HeldIsBuiltAgain": {
			reason: "What is in the repository again is like everything else in it.",
			given:  Situation{Recorded: containers("web!", "db!"), Built: containers("web", "db"), Prune: true},
			want:   Decision{Before: containers("db", "web")},
		},
		"NothingAtAll": {
			reason: "An empty repository that was always empty is no accident.",
			given:  Situation{Prune: true},
			want:   Decision{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(tc.given)
			if !strings.HasPrefix(got.Guard, tc.guard) || (tc.guard == "") != (got.Guard == "") {
				t.Errorf("%s\nguard says %q, want %q", tc.reason, got.Guard, tc.guard)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Decision{}, "Guard")); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAfter(t *testing.T) {
	s := Situation{Recorded: containers("web", "old", "stuck"), Built: containers("web", "new"), Prune: true}
	d := Decide(s)
	got := d.After(s.Built, containers("stuck"))
	if diff := cmp.Diff(containers("new", "stuck", "web"), got); diff != "" {
		t.Errorf("what could not be deleted must stay on record, and what was deleted must not\n%s", diff)
	}

	s = Situation{Recorded: containers("web", "old"), Built: containers("web")}
	if diff := cmp.Diff(containers("web"), Decide(s).After(s.Built, nil)); diff != "" {
		t.Errorf("a sync that does not prune forgets what it leaves behind\n%s", diff)
	}
}

// someObjects are few enough that two draws overlap.
func someObjects(t *rapid.T, label string) []Object {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 5, rapid.ID).Draw(t, label)
	out := containers(names...)
	for i := range out {
		if rapid.Bool().Draw(t, "core") {
			out[i].Group, out[i].Kind, out[i].Version = "", "ConfigMap", "v1"
		}
	}

	return out
}

func someSituation(t *rapid.T) Situation {
	s := Situation{
		Recorded: someObjects(t, "recorded"), Built: someObjects(t, "built"),
		Prune: rapid.Bool().Draw(t, "prune"), AllowEmpty: rapid.Bool().Draw(t, "allowEmpty"),
	}
	for i := range s.Recorded {
		s.Recorded[i].Held = rapid.Bool().Draw(t, "held")
	}

	return s
}

func has(objects []Object, o Object) bool {
	return slices.ContainsFunc(objects, func(x Object) bool { return x.ID == o.ID })
}

// TestDeletionsAreRecorded: only what is on record and not built is deleted; and that is deleted or kept, never both.
func TestDeletionsAreRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := someSituation(t)
		d := Decide(s)
		for _, o := range d.Delete {
			if !has(s.Recorded, o) || has(s.Built, o) {
				t.Fatalf("%s is deleted", o.Subject())
			}
		}
		if !s.Prune && len(d.Delete) > 0 {
			t.Fatal("something is deleted by a sync that does not prune")
		}
		if len(s.Built) == 0 && !s.AllowEmpty && len(d.Delete) > 0 {
			t.Fatal("an empty build deletes something")
		}
		for _, o := range s.Recorded {
			n := 0
			for _, where := range [][]Object{s.Built, d.Delete, objectsOf(d.Keep)} {
				if has(where, o) {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("%s has %d fates", o.Subject(), n)
			}
		}
	})
}

func objectsOf(kept []Kept) []Object {
	var out []Object
	for _, k := range kept {
		out = append(out, k.Object)
	}

	return out
}

// TestDecidingAgain: a process that dies after it wrote Before decides the same again; and when all is done there is nothing
// left to do, however often the same build is looked at.
func TestDecidingAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := someSituation(t)
		d := Decide(s)

		died := s
		died.Recorded = d.Before
		again := Decide(died)
		if diff := cmp.Diff(d.Before, again.Before, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the record is not the same after a death\n%s", diff)
		}
		if diff := cmp.Diff(ids(d.Delete), ids(again.Delete)); diff != "" && d.Guard == "" {
			t.Fatalf("something else is deleted after a death\n%s", diff)
		}
		if d.Guard != "" && len(again.Delete) > 0 {
			t.Fatal("what was held back is deleted after a death")
		}

		done := s
		done.Recorded = d.After(s.Built, nil)
		for range 3 {
			last := Decide(done)
			if len(last.Delete) > 0 {
				t.Fatalf("%v is deleted although nothing has changed", ids(last.Delete))
			}
			if s.Prune {
				if diff := cmp.Diff(normal(slices.Clone(done.Recorded)), last.After(s.Built, nil), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("the record changes although nothing has changed\n%s", diff)
				}
			}
			done.Recorded = last.After(s.Built, nil)
		}
	})
}

func ids(objects []Object) []string {
	out := []string{}
	for _, o := range objects {
		out = append(out, o.ID.String())
	}

	return out
}
