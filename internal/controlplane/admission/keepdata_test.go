package admission

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestDataIsKept: a tenant takes away neither what holds data until it is gone, nor lets a snapshot pass for one of a schedule, which
// would push out older ones.
func TestDataIsKept(t *testing.T) {
	type marks = map[string]string
	label, tick := marks{v1alpha1.LabelSnapshotVolume: "7d1f"}, marks{v1alpha1.AnnotationScheduledAt: "2026-11-23T10:00:00Z"}
	held := []string{v1alpha1.FinalizerVolumeSnapshot}
	snapshot := func(finalizers []string, labels, annotations marks) *unstructured.Unstructured {
		u := thing("VolumeSnapshot", "acme", "monday", map[string]any{"className": "nightly", "source": map[string]any{"volumeName": "data"}})
		u.SetFinalizers(finalizers)
		u.SetLabels(labels)
		u.SetAnnotations(annotations)

		return u
	}
	going := func(u *unstructured.Unstructured) *unstructured.Unstructured {
		u.Object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-11-23T10:00:00Z"

		return u
	}
	loopback := &user.DefaultInfo{Name: Loopback}
	ada, root := &user.DefaultInfo{Name: "ada"}, &user.DefaultInfo{Name: "root"}

	for name, tc := range map[string]struct {
		why      string
		now, old *unstructured.Unstructured
		by       user.Info
		says     string
	}{
		"Finalizer":       {"Its archive would stay, and count nowhere.", going(snapshot(nil, nil, nil)), going(snapshot(held, nil, nil)), ada, `metadata.finalizers[0]: Forbidden: "dogker.io/volumesnapshot" is taken away by Dogker`},
		"FinalizerOfAda":  {"What she has put there she takes away.", going(snapshot(held, nil, nil)), going(snapshot(append(held, "ada.example/x"), nil, nil)), ada, ""},
		"FinalizerByHand": {"The platform may, when a place is gone.", going(snapshot(nil, nil, nil)), going(snapshot(held, nil, nil)), root, ""},
		"FinalizerDone":   {"Dogker does, when it is done.", going(snapshot(nil, nil, nil)), going(snapshot(held, nil, nil)), loopback, ""},
		"Label":           {"It would count among those by schedule.", snapshot(nil, label, nil), nil, ada, "metadata.labels[dogker.io/volume-uid]: Forbidden: is written by Dogker"},
		"Tick":            {"And take the place of another tick.", snapshot(held, nil, tick), snapshot(held, nil, nil), ada, "metadata.annotations[dogker.io/scheduled-at]"},
		"Made":            {"The schedule makes them so.", snapshot(held, label, tick), nil, loopback, ""},
		"Noted":           {"What is there is in nobody's way.", snapshot(held, marks{v1alpha1.LabelSnapshotVolume: "7d1f", "why": "audit"}, tick), snapshot(held, label, tick), ada, ""},
		"Kept":            {"Without it no schedule removes the snapshot.", snapshot(held, nil, nil), snapshot(held, label, tick), ada, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &VolumeSnapshot{Handler: admission.NewHandler(admission.Create, admission.Update)}
			p.SetDynamicClient(dataStore(snapshotClass("nightly", true)))
			p.SetAuthorizer(onlyRoot("volumesnapshots"))
			refused(t, tc.why, askAs(t, p, tc.now, tc.old, tc.by), tc.says)
		})
	}

	volume := func(finalizers ...string) *unstructured.Unstructured {
		u := thing("Volume", "acme", "data", map[string]any{"size": "1Gi"})
		u.SetFinalizers(finalizers)

		return going(u)
	}
	p := &Volume{Handler: admission.NewHandler(admission.Create, admission.Update)}
	p.SetDynamicClient(dataStore())
	p.SetAuthorizer(onlyRoot("volumes"))
	refused(t, "Data on the disks of nodes would count nowhere.", askAs(t, p, volume(), volume(v1alpha1.FinalizerVolume), ada), "metadata.finalizers[0]")
	refused(t, "The platform knows where it is.", askAs(t, p, volume(), volume(v1alpha1.FinalizerVolume), root), "")
}

// onlyRoot may adopt everywhere.
func onlyRoot(resource string) authorizer.Authorizer {
	return authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		if a.GetUser().GetName() == "root" && a.GetVerb() == verbAdopt && a.GetResource() == resource && a.GetNamespace() == "" {
			return authorizer.DecisionAllow, "", nil
		}

		return authorizer.DecisionNoOpinion, "", nil
	})
}

// askAs validates a request of somebody.
func askAs(t *testing.T, p admission.ValidationInterface, now, old *unstructured.Unstructured, by user.Info) error {
	t.Helper()

	r, op := snapshotResource, admission.Create
	if now.GetKind() == "Volume" {
		r = mountedResource
	}
	var a admission.Attributes
	if old == nil {
		a = admission.NewAttributesRecord(now, nil, now.GroupVersionKind(), now.GetNamespace(), now.GetName(), r, "", op, nil, false, by)
	} else {
		a = admission.NewAttributesRecord(now, old, now.GroupVersionKind(), now.GetNamespace(), now.GetName(), r, "", admission.Update, nil, false, by)
	}

	return p.Validate(t.Context(), a, nil)
}
