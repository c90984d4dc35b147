package workload

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// notary is a registry that has one thing to say about signatures.
type notary struct {
	Registry
	err   error
	asked int
}

func (n *notary) Verify(context.Context, string, [][]byte, []string) (string, error) {
	n.asked++

	return "sha256:key", n.err
}

func TestPermit(t *testing.T) {
	const signedPlan, plainPlan = "signed", "plain"
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	plan := func(name string, images *v1alpha1.ImageRules) client.Object {
		return &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfilePrivileged, Images: images}}
	}
	signed := plan(signedPlan, &v1alpha1.ImageRules{
		Signatures: []v1alpha1.SignatureRule{{Name: "ours", PublicKeys: []v1alpha1.PublicKey{"key"}}},
	})
	strict := plan(plainPlan, &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{"registry.example"}})
	const pinnedImage = "registry.example/shop:1@sha256:0"

	cases := map[string]struct {
		reason       string
		plan         v1alpha1.DNSLabel
		image, found string
		running      bool
		verdict      error
		want         string
		asked        int
	}{
		"NoTenant":   {reason: "A namespace without tenant has no policy.", image: "evil.example/a"},
		"Allowed":    {reason: "What the plan allows runs.", plan: plainPlan, image: "registry.example/shop:1"},
		"Refused":    {reason: "What came into the store another way is stopped here.", plan: plainPlan, image: "evil.example/a", want: v1alpha1.ReasonRefusedByPolicy},
		"Running":    {reason: "A plan that is made stricter takes nothing down.", plan: plainPlan, image: "evil.example/a", running: true},
		"NoPlan":     {reason: "Without a plan nothing is allowed.", plan: "gone", image: "registry.example/shop:1", want: v1alpha1.ReasonRefusedByPolicy},
		"Signed":     {reason: "A signature by one of the keys is what the plan wants.", plan: signedPlan, image: "registry.example/shop:1", found: pinnedImage, asked: 1},
		"NotSigned":  {reason: "No signature, no task.", plan: signedPlan, image: "registry.example/shop:1", found: pinnedImage, verdict: swarmobj.ErrNotFound, want: v1alpha1.ReasonImageNotTrusted, asked: 1},
		"ByStranger": {reason: "Everybody can sign.", plan: signedPlan, image: "registry.example/shop:1", found: pinnedImage, verdict: swarmobj.ErrRefused, want: v1alpha1.ReasonImageNotTrusted, asked: 1},
		"Away":       {reason: "An answer that did not come is no consent.", plan: signedPlan, image: "registry.example/shop:1", found: pinnedImage, verdict: swarmobj.ErrUnavailable, want: v1alpha1.ReasonImageNotTrusted, asked: 1},
		"NotPinned":  {reason: "A copy that an engine holds has no digest to have been signed.", plan: signedPlan, image: "registry.example/shop:1", found: "sha256:0", want: v1alpha1.ReasonImageNotTrusted},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n := &notary{err: tc.verdict}
			c := &Controller{client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(signed, strict).Build(), registry: n}
			s := &situation{template: &v1alpha1.TenantContainerSpec{Image: v1alpha1.Image(tc.image)}, image: tc.found, target: target{number: 1, fresh: !tc.running}}
			if tc.plan != "" {
				s.tenant = &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.TenantSpec{PlanName: tc.plan}}
			}
			if tc.running {
				s.world.Service = &swarm.Service{}
				s.world.Service.Spec.Labels = map[string]string{v1alpha1.SwarmLabelRevision: "1"}
			}

			err := c.permit(t.Context(), s)
			var wait *outcome.Wait
			switch {
			case tc.want == "" && err != nil, tc.want != "" && (!errors.As(err, &wait) || wait.Reason != tc.want):
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.want)
			case n.asked != tc.asked:
				t.Errorf("the registry was asked %d times, want %d", n.asked, tc.asked)
			case (tc.asked > 0 && tc.want == "") != (s.proof != nil):
				t.Errorf("%s\nproof is %+v", tc.reason, s.proof)
			case s.proof != nil && (s.proof.Signature.Key != "sha256:key" || s.proof.Signature.Rule != "ours" || s.proof.Signature.Digest != "sha256:0"):
				t.Errorf("%s\nsignature is %+v", tc.reason, s.proof.Signature)
			case wait != nil && !strings.Contains(wait.Message, "plan") && !strings.Contains(wait.Message, "Plan"):
				t.Errorf("the message does not say whose rule it is: %s", wait.Message)
			}
		})
	}
}
