package volume

import (
	"slices"
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func hasRestored(name string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Status.Restored = &v1alpha1.VolumeRestored{VolumeName: name} }
}

// TestOwnNames: all that belongs to a Volume is its, and nothing more: what it had and let go belongs to nobody.
func TestOwnNames(t *testing.T) {
	first := swarmobj.VolumeName(Owner(data()))
	cases := map[string]struct {
		why    string
		volume *v1alpha1.Volume
		want   []string
	}{
		"Plain":    {"It has what its containers have made.", data(), []string{first}},
		"Adopted":  {"Or what was another's.", data(adopts("other")), []string{"other"}},
		"Restored": {"What was restored takes the place of both.", data(adopts("other"), hasRestored(first+"-r3")), []string{first + "-r3"}},
		"Superseded": {"What it had is still its until it is let go.", data(hasRestored(first+"-r3"), func(v *v1alpha1.Volume) {
			v.Status.Superseded = []v1alpha1.SupersededData{{VolumeName: first, Node: "a"}, {VolumeName: first, Node: "b"}}
		}), []string{first + "-r3", first}},
		"Restoring": {"So is what is being filled.", data(func(v *v1alpha1.Volume) {
			v.Status.Restore = &v1alpha1.VolumeRestore{VolumeName: first + "-r4", Phase: v1alpha1.RestoreWriting}
		}), []string{first, first + "-r4"}},
		"GivenUp": {"What was given up is not there any more.", data(func(v *v1alpha1.Volume) {
			v.Status.Restore = &v1alpha1.VolumeRestore{VolumeName: first + "-r4", Phase: v1alpha1.RestoreGivenUp}
		}), []string{first}},
	}
	for name, tc := range cases {
		if got := Names(tc.volume); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %s\ngot %q, want %q", name, tc.why, got, tc.want)
		}
		held := []Held{{Node: "a", Name: tc.want[len(tc.want)-1]}, {Node: "a", Name: "stray"}}
		if got := Ownerless(held, []v1alpha1.Volume{*tc.volume}); len(got) != 1 || got[0].Name != "stray" {
			t.Errorf("%s: ownerless are %+v", name, got)
		}
	}
}

// TestSupersededIsNotFree: data that a Volume had before a restore is not free before it is let go, and then it is.
func TestSupersededIsNotFree(t *testing.T) {
	first := swarmobj.VolumeName(Owner(data()))
	thief := data(adopts(first), func(v *v1alpha1.Volume) { v.Name, v.UID = "thief", "uid-2" })
	owner := data(hasRestored(first + "-r2"))
	owner.Status.Superseded = []v1alpha1.SupersededData{{VolumeName: first, Node: "a"}}
	if got := AdoptedBy(thief, []v1alpha1.Volume{*owner, *thief}); got != "acme/data" {
		t.Errorf("superseded data belongs to %q", got)
	}
	if HasAnother(owner, first+"-r2", []v1alpha1.Volume{*owner, *thief}) {
		t.Error("what it has is another's")
	}
	owner.Status.Superseded = nil
	if got := AdoptedBy(thief, []v1alpha1.Volume{*owner, *thief}); got != "" {
		t.Errorf("data that was let go belongs to %q", got)
	}
	if !HasAnother(owner, first, []v1alpha1.Volume{*owner, *thief}) {
		t.Error("what another has adopted may be taken away from it")
	}
}

// TestFind: a lost record is found again by who mounts what; what might be half of a restore is never taken for data.
func TestFind(t *testing.T) {
	first := swarmobj.VolumeName(Owner(data()))
	second, third := first+"-r2", first+"-r3"
	ours := Mounting{For: Owner(data())}
	cases := map[string]struct {
		why      string
		restore  v1alpha1.ObjectName
		held     []string
		mounting map[string]Mounting
		want     string
		doubtful int
	}{
		"Nothing":         {"A new one has nothing.", "monday", nil, nil, "", 0},
		"First":           {"What was there before any restore is whole.", "monday", []string{first}, nil, first, 0},
		"Mounted":         {"What is mounted counts, whatever else is there.", "monday", []string{first, second}, map[string]Mounting{first: ours}, first, 0},
		"MountedRestored": {"Services follow the record.", "monday", []string{first, second}, map[string]Mounting{second: ours}, second, 0},
		"MountedBoth":     {"The later one is where the record was.", "monday", []string{first, third}, map[string]Mounting{first: ours, third: ours}, third, 0},
		"MountedByOther":  {"What another has adopted and mounts is not ours.", "", []string{second}, map[string]Mounting{first: {For: swarmobj.Owner{UID: "x"}}}, second, 0},
		"HalfRestored":    {"A restore may not have ended.", "monday", []string{second}, nil, "", 1},
		"SaidToBeWhole":   {"Who takes the wish back says that it has.", "", []string{second}, nil, second, 0},
		"Both":            {"Which counts is for people to say.", "", []string{first, second}, nil, "", 2},
	}
	for name, tc := range cases {
		v := data(func(v *v1alpha1.Volume) { v.Generation, v.Spec.RestoreFrom = 3, tc.restore })
		got, doubtful := Find(v, func(n string) []Held {
			if slices.Contains(tc.held, n) {
				return []Held{{Node: "a", Name: n}}
			}

			return nil
		}, func(n string) []Mounting {
			if m, ok := tc.mounting[n]; ok {
				return []Mounting{m}
			}

			return nil
		})
		if got != tc.want || len(doubtful) != tc.doubtful {
			t.Errorf("%s: %s\ngot %q, doubtful %q", name, tc.why, got, doubtful)
		}
	}
}

// TestHold: nothing may mount what is being moved, nor what is still to be filled; and whoever holds a container has a reason to tell.
func TestHold(t *testing.T) {
	bound := func(v *v1alpha1.Volume) { judgedAs("Bound")(v) }
	cases := map[string]struct {
		volume *v1alpha1.Volume
		reason string
		hold   bool
	}{
		"Stopping":   {data(on("a"), provisioned, bound, moving(v1alpha1.MoveStopping)), "Moving", true},
		"Copying":    {data(on("a"), provisioned, bound, moving(v1alpha1.MoveCopying)), "Moving", true},
		"Verifying":  {data(on("a"), provisioned, bound, moving(v1alpha1.MoveVerifying)), "Moving", true},
		"Deleted":    {data(on("a"), provisioned, bound, moving(v1alpha1.MoveVerifying), deleted), "Moving", true},
		"Moved":      {data(on("b"), provisioned, bound, moving(v1alpha1.MoveMoved)), "", false},
		"Abandoning": {data(on("a"), provisioned, bound, moving(v1alpha1.MoveAbandoning)), "", false},
		"GivenUp":    {data(on("a"), provisioned, bound, moving(v1alpha1.MoveGivenUp)), "", false},
		"Kept":       {data(on("b"), provisioned, bound, moving(v1alpha1.MoveKept)), "", false},
		"Unfilled":   {data(on("a"), bound, restores), "Restoring", true},
		"HasData":    {data(on("a"), bound, provisioned, restores), "", false},
		"WasFilled":  {data(on("a"), hasRestored("x"), restores, bound), "", false},
	}
	for name, tc := range cases {
		_, o := Usable(tc.volume, local())
		switch {
		case o == nil && tc.reason == "":
		case o == nil || o.Reason != tc.reason || o.Hold != tc.hold || o.Message == "":
			t.Errorf("%s: got %+v, want %q, hold %v", name, o, tc.reason, tc.hold)
		}
	}
}
