//go:build e2e

package e2e

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestModeChangeRecreates changes what Swarm cannot change in place, there and back.
func TestModeChangeRecreates(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1", replicas(2)))
	first := n.service("web")

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode, tc.Spec.Replicas = v1alpha1.ModeGlobal, nil })
	n.condition(soon, "web", v1alpha1.ConditionRecreating, metav1.ConditionTrue, v1alpha1.ReasonRecreating)
	n.wantRecreated("web", first.ID)
	second := n.service("web")
	if second.Spec.Mode.Global == nil {
		t.Errorf("mode of the service: got %+v, want global", second.Spec.Mode)
	}
	n.event("web", "ServiceRemoved", "mode")

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeReplicated })
	n.wantRecreated("web", second.ID)
	if got := len(n.running("web")); got != 1 {
		t.Errorf("tasks after the way back: got %d, want the default of 1", got)
	}
}

func (n *tenant) wantRecreated(name, old string) {
	n.t.Helper()

	await(n.t, soon, "the service is another one", func() error {
		s, err := n.inspect(name)
		if err == nil && s.ID == old {
			err = errors.New("it is still the old one")
		}

		return err
	})
	tc := n.ready(name)
	if c := conditions.Get(tc, v1alpha1.ConditionRecreating); c != nil {
		n.t.Errorf("condition Recreating of a ready container: got %+v, want none", c)
	}
}
