//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestImagePolicyOnARealSwarm: what CI pushes within the range runs by itself; what is none of the range, what is no news, and
// a registry that is away restart nothing.
func TestImagePolicyOnARealSwarm(t *testing.T) {
	t.Parallel()
	n := &tenant{cell: sharedCell(t), t: t, name: "renewed"}
	r := n.registry("")
	n.push(r, "v1", "1.0.0")
	n.declare(baseline("renewed", r))
	n.run(app("web", "", from(r.ref("1.0.0"))))
	tasks := n.taskIDs("web")

	n.create(&gitopsv1.ImagePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: gitopsv1.ImagePolicySpec{
			Image:    gitopsv1.ImageRepository(r.host + "/acme/app"),
			Interval: metav1.Duration{Duration: time.Hour},
			Policy:   gitopsv1.ImagePolicyChoice{SemVer: &gitopsv1.SemVerPolicy{Range: "1.x"}},
			Update:   &gitopsv1.ImageUpdate{Containers: &gitopsv1.ContainerSelection{Names: []v1alpha1.DNSLabel{"web"}}},
		},
	})
	await(t, soon, "the policy knows the latest image", func() error { return n.chosen("1.0.0", "", metav1.ConditionTrue) })
	was := n.settled("web")

	n.push(r, "v2", "2.0.0")
	n.lookAt("again")
	await(t, soon, "a tag out of the range is passed over", func() error { return n.chosen("1.0.0", "again", metav1.ConditionTrue) })
	r.down.Store(true)
	// A list of tags may be two seconds old, also for who asks.
	stays(t, 3*time.Second, "no news changes nothing", func() error { return n.unmoved(was) })
	n.lookAt("away")
	await(t, soon, "a registry that is away is told of", func() error { return n.chosen("1.0.0", "away", metav1.ConditionUnknown) })
	if err := n.unmoved(was); err != nil {
		t.Errorf("a registry that is away has changed the service: %v", err)
	}
	if got := n.taskIDs("web"); !maps.Equal(got, tasks) {
		t.Errorf("no news has restarted tasks: %v were %v", got, tasks)
	}

	r.down.Store(false)
	digest := n.push(r, "v2", "1.1.0")
	// A registry that was away is left alone for a while, whoever asks: who is told so asks again.
	request := "away"
	await(t, soon, "the new image is chosen", func() error {
		err := n.chosen("1.1.0", request, metav1.ConditionTrue)
		if err != nil && n.chosen("1.0.0", request, metav1.ConditionUnknown) == nil {
			request += " again"
			n.lookAt(request)
		}

		return err
	})
	n.ready("web")
	n.wantImage("web", r.ref("1.1.0")+"@"+digest)
}

// lookAt asks the policy for a look at its registry, as people do.
func (n *tenant) lookAt(request string) {
	n.t.Helper()

	p := &gitopsv1.ImagePolicy{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: "web"}}
	patch := client.RawPatch(client.Merge.Type(), fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, gitopsv1.AnnotationRequestedAt, request))
	if err := n.api.Patch(n.t.Context(), p, patch); err != nil {
		n.t.Fatal(err)
	}
}

// chosen wants the policy to have answered a request, with that tag, and to be as Ready as that.
func (n *tenant) chosen(tag, request string, ready metav1.ConditionStatus) error {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var p gitopsv1.ImagePolicy
	if err := n.api.Get(ctx, client.ObjectKey{Namespace: n.name, Name: "web"}, &p); err != nil {
		return err
	}
	c := conditions.Get(&p, conditions.Ready)
	if c == nil {
		return fmt.Errorf("it has no condition %s", conditions.Ready)
	}
	if p.Status.LatestTag != tag || p.Status.LastHandledReconcileAt != request || c.Status != ready {
		return fmt.Errorf("tag %q for request %q, Ready %s %s: %s; want %q for %q, %s",
			p.Status.LatestTag, p.Status.LastHandledReconcileAt, c.Status, c.Reason, c.Message, tag, request, ready)
	}

	return nil
}
