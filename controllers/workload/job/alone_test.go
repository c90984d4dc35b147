package job

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func quotaOf(hard corev1.ResourceList) client.Object {
	return &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "plan"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}
}

// TestAlone: runs of a job are not beside each other where they would write to the same data on one node, or take more than the
// quota counts.
func TestAlone(t *testing.T) {
	shared := dataVolume()
	shared.Status.Node = nil

	for name, tc := range map[string]struct {
		reason  string
		objects []client.Object
		mounts  []v1alpha1.VolumeMount
		want    string
	}{
		"NoVolume": {reason: "Only concurrencyPolicy decides."},
		"Writes": {
			reason: "Two would lose each other's data.", objects: []client.Object{dataVolume(), localClass(v1alpha1.AccessSingle)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}, want: `Volume "data", which they write to`,
		},
		"Reads": {
			reason: "Readers are many.", objects: []client.Object{dataVolume(), localClass(v1alpha1.AccessSingle)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d", ReadOnly: true}},
		},
		"Shared": {
			reason: "So are writers of what all nodes reach.", objects: []client.Object{shared, localClass(v1alpha1.AccessMany)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}},
		},
		"Quota": {
			reason: "It is charged for one run.", objects: []client.Object{quotaOf(corev1.ResourceList{"limits.memory": resource.MustParse("1Gi")})}, want: `ResourceQuota "plan"`,
		},
		"QuotaOfObjects": {
			reason: "Runs are no objects.", objects: []client.Object{quotaOf(corev1.ResourceList{v1alpha1.ResourceJobs: resource.MustParse("300"), "limits.storage": resource.MustParse("1Gi")})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "nightly"}}
			j.Spec.Template.Volumes = tc.mounts

			got, err := (&Controller{client: fakeClient(t, tc.objects...)}).alone(t.Context(), j)
			if err != nil || (got != "") != (tc.want != "") || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s\ngot %q (%v), want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}
