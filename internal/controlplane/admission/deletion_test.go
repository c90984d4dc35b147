package admission

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestDeletionOfTenants(t *testing.T) {
	container := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "TenantContainer",
		"metadata": map[string]any{"namespace": "acme", "name": "web"},
	}}
	volume := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Volume",
		"metadata": map[string]any{"namespace": "acme", "name": "orders"},
	}}
	snapshot := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "VolumeSnapshot",
		"metadata": map[string]any{"namespace": "acme", "name": "monday"},
	}}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "db"}}

	cases := map[string]struct {
		reason  string
		tenant  map[string]any
		ours    []runtime.Object
		kube    []runtime.Object
		refusal string
	}{
		"Empty":      {reason: "There is nothing to protect.", tenant: tenantOf("Protect", "acme")},
		"Containers": {reason: "What runs is protected.", tenant: tenantOf("Protect", "acme"), ours: []runtime.Object{container}, refusal: "set it to Delete"},
		"Data":       {reason: "Data needs two words.", tenant: tenantOf("Delete", "acme"), kube: []runtime.Object{secret}, refusal: "dogker.io/delete-data=acme"},
		"Volumes":    {reason: "So does what is in Volumes.", tenant: tenantOf("Delete", "acme"), ours: []runtime.Object{volume}, refusal: "dogker.io/delete-data=acme"},
		"Snapshots":  {reason: "And what is left of them.", tenant: tenantOf("Delete", "acme"), ours: []runtime.Object{snapshot}, refusal: "The tenant has data (VolumeSnapshot monday)"},
		"Allowed":    {reason: "Containers need one.", tenant: tenantOf("Delete", "acme"), ours: []runtime.Object{container}},
		"NotPlaced": {
			reason: "A namespace that never was the tenant's is nothing that it could lose.",
			tenant: tenantOf("Protect", ""), ours: []runtime.Object{container},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			kinds := map[schema.GroupVersionResource]string{containerResource: "TenantContainerList", mountedResource: "VolumeList", snapshotResource: "VolumeSnapshotList"}
			d := &Deletion{
				Handler: admission.NewHandler(admission.Delete),
				ours:    dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, tc.ours...),
				typed:   kubefake.NewClientset(tc.kube...),
			}
			old := &unstructured.Unstructured{Object: tc.tenant}

			err := d.Validate(t.Context(), admission.NewAttributesRecord(nil, old, v1alpha1.GroupVersion.WithKind("Tenant"), "", "acme",
				tenantResource, "", admission.Delete, nil, false, nil), nil)

			switch {
			case tc.refusal == "" && err != nil:
				t.Errorf("%s\n%v", tc.reason, err)
			case tc.refusal != "" && (err == nil || !strings.Contains(err.Error(), tc.refusal)):
				t.Errorf("%s\ngot %v, want something with %q", tc.reason, err, tc.refusal)
			}
		})
	}
}

func tenantOf(policy, namespace string) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": "acme"},
		"spec":     map[string]any{"planName": "small", "deletionPolicy": policy},
		"status":   map[string]any{"namespace": namespace},
	}
}
