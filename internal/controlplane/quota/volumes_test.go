package quota

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/client-go/dynamic/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volume"
)

func sized(size string) *v1alpha1.Volume {
	return &v1alpha1.Volume{Spec: v1alpha1.VolumeSpec{Size: resource.MustParse(size)}}
}

// TestVolumesAreCharged: by their number and sizes, in whichever form they come.
func TestVolumesAreCharged(t *testing.T) {
	want := corev1.ResourceList{
		v1alpha1.ResourceVolumes: resource.MustParse("1"), v1alpha1.ResourceRequestsStorage: resource.MustParse("3Gi"),
	}
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(sized("3Gi"))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]runtime.Object{"typed": sized("3Gi"), "raw": &unstructured.Unstructured{Object: raw}} {
		got, err := volumes(nil).Usage(o)
		if err != nil || !quota.Equals(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := volumes(nil).Usage(&corev1.Secret{}); err == nil {
		t.Error("a Secret is charged as a Volume")
	}
}

func TestWhatVolumesAreCharged(t *testing.T) {
	gone := sized("9Gi")
	gone.DeletionTimestamp = new(metav1.Now())

	cases := map[string]struct {
		why      string
		now, old *v1alpha1.Volume
		charged  bool
	}{
		"New":     {"What is made is charged.", sized("1Gi"), nil, true},
		"Grown":   {"So is what grows.", sized("2Gi"), sized("1Gi"), true},
		"Same":    {"What stays as large is not, also when the quota is smaller by now.", sized("1024Mi"), sized("1Gi"), false},
		"Deleted": {"What goes can always go.", gone, sized("1Gi"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			operation := admission.Create
			var old runtime.Object
			if tc.old != nil {
				operation, old = admission.Update, tc.old
			}
			a := admission.NewAttributesRecord(tc.now, old, v1alpha1.GroupVersion.WithKind("Volume"), "acme", "data", volumesResource, "", operation, nil, false, nil)
			if got := volumes(nil).Handles(a); got != tc.charged {
				t.Errorf("%s\ngot %v", tc.why, got)
			}
		})
	}
}

// TestReleasedVolumesCount: data that is left on nodes counts like the Volume that it was, until the platform has removed it.
func TestReleasedVolumesCount(t *testing.T) {
	namespaceMade := time.Unix(1000, 0)
	raw := func(o runtime.Object, kind string) *unstructured.Unstructured {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: content}
		u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))

		return u
	}
	release := func(namespace, name, uid string, after time.Duration) *unstructured.Unstructured {
		v := sized("3Gi")
		v.Namespace, v.Name, v.UID = namespace, name, types.UID(uid)
		r := volume.Release(v, volume.Name(v), nil)
		r.CreationTimestamp = metav1.Time{Time: namespaceMade.Add(after)}

		return raw(r, "ReleasedVolume")
	}
	present := sized("2Gi")
	present.Namespace, present.Name = "acme", "data"
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", CreationTimestamp: metav1.Time{Time: namespaceMade}}}
	space := raw(namespace, "Namespace")
	space.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	found := raw(volume.Found([]volume.Held{{Node: "a", Name: "acme_old_1"}}, func(string) string { return "" })[0], "ReleasedVolume")

	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		volumesResource: "VolumeList", releasedResource: "ReleasedVolumeList", namespacesResource: "NamespaceList",
	}, space, raw(present, "Volume"), found,
		release("acme", "data", "uid-1", time.Minute), release("acme", "logs", "uid-2", time.Hour),
		release("globex", "data", "uid-3", time.Minute), release("acme", "data", "uid-4", -time.Minute))

	got, err := (&Source{Client: client}).volumes(quota.UsageStatsOptions{Namespace: "acme"})
	want := corev1.ResourceList{v1alpha1.ResourceVolumes: resource.MustParse("3"), v1alpha1.ResourceRequestsStorage: resource.MustParse("8Gi")}
	if err != nil || !quota.Equals(got, want) {
		t.Errorf("got %v, %v, want %v: a Volume of 2Gi, and two that were of 3Gi since the namespace was made", got, err, want)
	}
}
