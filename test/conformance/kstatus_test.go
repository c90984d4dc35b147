//go:build conformance

package conformance

import (
	"context"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestNewIsNotReady: an object that no controller has looked at yet is in progress to tools that go by kstatus, which take an
// object without conditions for one that never has any: helm install --wait would come back before anything runs.
func TestNewIsNotReady(t *testing.T) {
	namespace := shared.namespace(t)
	for resource, object := range map[string]map[string]any{
		"tenantcontainers": {"kind": "TenantContainer", "metadata": map[string]any{"name": "web", "namespace": namespace}, "spec": map[string]any{"image": "registry.example/shop:1.4"}},
		"tenants":          {"kind": "Tenant", "metadata": map[string]any{"name": namespace + "-new"}, "spec": map[string]any{"planName": "no-such-plan"}},
	} {
		object["apiVersion"] = v1alpha1.GroupVersion.String()
		fresh := &unstructured.Unstructured{Object: object}
		api := shared.dynamic(t).Resource(v1alpha1.GroupVersion.WithResource(resource)).Namespace(fresh.GetNamespace())
		// What the API answers is what was stored, before anybody else has seen it.
		created, err := api.Create(t.Context(), fresh, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = api.Delete(context.Background(), fresh.GetName(), metav1.DeleteOptions{}) })
		got, err := status.Compute(created)
		if err != nil || got.Status != status.InProgressStatus {
			t.Errorf("%s: what is new is %v (%v)", resource, got, err)
		}
	}
}
