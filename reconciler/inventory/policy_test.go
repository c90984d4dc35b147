package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPolicyOf(t *testing.T) {
	type m = map[string]string
	for name, tc := range map[string]struct {
		reason              string
		labels, annotations m
		want                Policy
		err                 string
	}{
		"Silent":        {reason: "What says nothing is kept as the repository has it.", want: Policy{Mode: ModeOverride}},
		"KeptForever":   {reason: "Data outlives a repository.", annotations: m{"gitops.dogker.io/prune": "disabled"}, want: Policy{Mode: ModeOverride, KeepForever: true}},
		"ByLabel":       {reason: "Flux reads labels too.", labels: m{"gitops.dogker.io/prune": "Disabled"}, want: Policy{Mode: ModeOverride, KeepForever: true}},
		"FluxName":      {reason: "A repository that Flux has synced needs no change.", annotations: m{"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}, want: Policy{Mode: ModeIgnore}},
		"FluxMode":      {reason: "Its modes are ours.", labels: m{"kustomize.toolkit.fluxcd.io/ssa": "merge"}, want: Policy{Mode: ModeMerge}},
		"OursCounts":    {reason: "Two answers need an order.", annotations: m{"kustomize.toolkit.fluxcd.io/ssa": "Ignore", "gitops.dogker.io/ssa": "IfNotPresent"}, want: Policy{Mode: ModeIfNotPresent}},
		"Force":         {reason: "What cannot be changed may be made anew.", annotations: m{"gitops.dogker.io/force": "enabled"}, want: Policy{Mode: ModeOverride, Force: true}},
		"SaidTheUsual":  {reason: "Saying what holds anyway is no mistake.", annotations: m{"gitops.dogker.io/prune": "enabled", "gitops.dogker.io/force": "disabled"}, want: Policy{Mode: ModeOverride}},
		"DisabledAndSo": {reason: "Left alone is the strongest.", annotations: m{"gitops.dogker.io/reconcile": "disabled", "gitops.dogker.io/ssa": "Merge"}, want: Policy{Mode: ModeIgnore}},
		"WrongMode": {
			reason: "A word that is not understood changes nothing, and is named.", annotations: m{"gitops.dogker.io/ssa": "Replace"}, want: Policy{Mode: ModeIgnore},
			err: `metadata.annotations[gitops.dogker.io/ssa]: Invalid value: "Replace": must be Override, Merge, IfNotPresent or Ignore`,
		},
		"WrongPrune": {
			reason: "Who wrote it wanted to keep something.", labels: m{"gitops.dogker.io/prune": "false"}, want: Policy{Mode: ModeOverride, KeepForever: true},
			err: `metadata.labels[gitops.dogker.io/prune]: Invalid value: "false": must be disabled or enabled`,
		},
		"WrongForce": {
			reason: "Deleting needs the right word.", annotations: m{"gitops.dogker.io/force": "true"}, want: Policy{Mode: ModeOverride},
			err: `metadata.annotations[gitops.dogker.io/force]: Invalid value: "true": must be enabled or disabled`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := PolicyOf(tc.labels, tc.annotations)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
			if (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
				t.Errorf("%s\nerror is %v, want %q", tc.reason, err, tc.err)
			}
		})
	}
}

// TestIgnorable: whatever is left to others, an object stays the one that it is.
func TestIgnorable(t *testing.T) {
	for pointer, want := range map[string]bool{
		"/spec/replicas": true, "/spec": true, "/metadata/labels/team": true, "/metadata/names": true, "/kinds": true,

		"": false, "/": false, "spec": false, "/kind": false, "/apiVersion": false, "/metadata": false, "/metadata/name": false,
		"/metadata/namespace": false, "/metadata/name/x": false,
	} {
		if got := Ignorable(pointer); got != want {
			t.Errorf("Ignorable(%q) is %t", pointer, got)
		}
	}
}
