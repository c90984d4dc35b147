package quota

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/client-go/dynamic/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// kept is a snapshot whose archive takes that much; one that was not made yet when it is empty.
func kept(t *testing.T, namespace, name, size string) *unstructured.Unstructured {
	t.Helper()

	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if size != "" {
		s.Status.ArchiveSize = new(resource.MustParse(size))
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("VolumeSnapshot"))

	return u
}

// TestSnapshotsAreCounted: all of a namespace by number, and those that were made by what they take.
func TestSnapshotsAreCounted(t *testing.T) {
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{snapshotsResource: "VolumeSnapshotList"},
		kept(t, "acme", "monday", "3Gi"), kept(t, "acme", "tuesday", "1Gi"), kept(t, "acme", "now", ""), kept(t, "globex", "monday", "9Gi"))

	got, err := (&Source{Client: client}).each(snapshotsResource, usageOfSnapshot)(quota.UsageStatsOptions{Namespace: "acme"})
	want := corev1.ResourceList{v1alpha1.ResourceSnapshots: resource.MustParse("3"), v1alpha1.ResourceSnapshotStorage: resource.MustParse("4Gi")}
	if err != nil || !quota.Equals(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := snapshots(nil).Usage(&corev1.Secret{}); err == nil {
		t.Error("a Secret is charged as a VolumeSnapshot")
	}
}

// TestWhichSnapshotsAreCharged: making one is; what becomes of it is counted, and nothing that is there can be refused.
func TestWhichSnapshotsAreCharged(t *testing.T) {
	now, old := kept(t, "acme", "monday", "3Gi"), kept(t, "acme", "monday", "")
	handles := func(op admission.Operation, old runtime.Object, sub string) bool {
		return snapshots(nil).Handles(admission.NewAttributesRecord(now, old, now.GroupVersionKind(), "acme", "monday", snapshotsResource, sub, op, nil, false, nil))
	}
	if !handles(admission.Create, nil, "") || handles(admission.Update, old, "") || handles(admission.Update, old, "status") {
		t.Error("only what is made is charged")
	}
}

// TestSnapshotsAreCountedAnew: what an archive takes is told by an update of the status, of which informers of metadata see that there
// was one.
func TestSnapshotsAreCountedAnew(t *testing.T) {
	at := func(version string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "monday", ResourceVersion: version}}
	}
	if Changed(snapshotsResource, at("1"), at("1")) || !Changed(snapshotsResource, at("1"), at("2")) {
		t.Error("an update, and nothing else, makes the namespace be counted anew")
	}
}
