//go:build conformance

package conformance

import (
	"context"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// TestNewIsNotReady: an object that no controller has looked at yet is in progress to tools that go by kstatus, which take an
// object without conditions for one that never has any: helm install --wait would come back before anything runs.
func TestNewIsNotReady(t *testing.T) {
	namespace := shared.namespace(t)
	inNamespace := map[string]any{"name": "new", "namespace": namespace}
	for resource, object := range map[string]map[string]any{
		"tenantcontainers": {"kind": "TenantContainer", "metadata": inNamespace, "spec": map[string]any{"image": "registry.example/shop:1.4"}},
		"volumes":          {"kind": "Volume", "metadata": inNamespace, "spec": map[string]any{"size": "1Gi"}},
		"volumeclasses":    {"kind": "VolumeClass", "metadata": map[string]any{"name": namespace + "-new"}, "spec": map[string]any{}},
		"volumesnapshotclasses": {"kind": "VolumeSnapshotClass", "metadata": map[string]any{"name": namespace + "-new"}, "spec": map[string]any{
			"directory": map[string]any{"path": "/srv/no-such-directory"},
		}},
		"tenants":  {"kind": "Tenant", "metadata": map[string]any{"name": namespace + "-new"}, "spec": map[string]any{"planName": "no-such-plan"}},
		"gitsyncs": {"kind": "GitSync", "metadata": inNamespace, "spec": map[string]any{"url": "https://git.example/shop.git", "prune": true}},
		"gitpreviews": {"kind": "GitPreview", "metadata": inNamespace, "spec": map[string]any{
			"url": "https://git.example/shop.git", "branches": map[string]any{"include": []any{"feature/**"}},
		}},
		"imagepolicies": {"kind": "ImagePolicy", "metadata": inNamespace, "spec": map[string]any{
			"image": "registry.example/shop", "policy": map[string]any{"semver": map[string]any{"range": "1.x"}},
		}},
		"alerts":    {"kind": "Alert", "metadata": inNamespace, "spec": map[string]any{"absent": map[string]any{"of": "Heartbeat"}, "for": "24h"}},
		"receivers": {"kind": "Receiver", "metadata": inNamespace, "spec": map[string]any{"webhook": map[string]any{"url": "https://chat.example/"}}},
	} {
		group := v1alpha1.GroupVersion
		switch {
		case strings.HasPrefix(resource, "git"), strings.HasPrefix(resource, "image"):
			group = gitopsv1.GroupVersion
		case resource == "alerts", resource == "receivers":
			group = monitoringv1.GroupVersion
		}
		object["apiVersion"] = group.String()
		fresh := &unstructured.Unstructured{Object: object}
		api := shared.dynamic(t).Resource(group.WithResource(resource)).Namespace(fresh.GetNamespace())
		// What the API answers is what was stored, before anybody else has seen it.
		created, err := api.Create(t.Context(), fresh, metav1.CreateOptions{})
		if err != nil {
			t.Fatalf("%s: %v", group.WithResource(resource), err)
		}
		t.Cleanup(func() { _ = api.Delete(context.Background(), fresh.GetName(), metav1.DeleteOptions{}) })
		got, err := status.Compute(created)
		if err != nil || got.Status != status.InProgressStatus {
			t.Errorf("%s: what is new is %v (%v)", resource, got, err)
		}
	}
}
