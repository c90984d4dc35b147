package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestChooseAuth(t *testing.T) {
	owner := swarmobj.Owner{Tenant: "shop", Name: "web", UID: "u1"}
	sentWith := func(auth string) *swarm.Service {
		s := &swarm.Service{}
		s.Spec.Labels = map[string]string{v1alpha1.SwarmLabelRegistryAuth: authDigest(testKey, owner, auth)}

		return s
	}

	cases := map[string]struct {
		reason     string
		live       *swarm.Service
		accepted   string
		candidates []string
		want       string
	}{
		"None":           {reason: "An image that everybody may pull."},
		"First":          {reason: "Nothing is known, and most often there is one only.", candidates: []string{"a", "b"}, want: "a"},
		"Accepted":       {reason: "The registry has just said which of them works.", live: sentWith("a"), accepted: "b", candidates: []string{"a", "b"}, want: "b"},
		"StaysWithSwarm": {reason: "What works is kept, also by a server that has only just started: another choice would be a write.", live: sentWith("b"), candidates: []string{"a", "b"}, want: "b"},
		"Replaced":       {reason: "What Swarm has is in no pull secret any more.", live: sentWith("old"), candidates: []string{"a", "b"}, want: "a"},
		"Removed":        {reason: "There is no pull secret any more.", live: sentWith("old")},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &situation{owner: owner, digests: testKey, world: swarmobj.World{Service: tc.live}}
			if got := chooseAuth(s, tc.accepted, tc.candidates); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
