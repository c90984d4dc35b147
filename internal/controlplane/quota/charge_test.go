package quota

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/client-go/dynamic/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
	"github.com/dogker/dogker/reconciler/allotment/allotmenttest"
)

func TestHandles(t *testing.T) {
	e := containers(nil)
	ask := func(now, old *v1alpha1.TenantContainer, op admission.Operation, sub string) bool {
		return e.Handles(admission.NewAttributesRecord(now, old, schema.GroupVersionKind{}, "acme", "web", containersResource, sub, op, nil, false, nil))
	}
	gone := allotmenttest.Web(5, "1Gi")
	gone.DeletionTimestamp = new(metav1.Now())

	for name, tc := range map[string]struct{ got, want bool }{
		"Create":  {ask(allotmenttest.Web(1, "64Mi"), nil, admission.Create, ""), true},
		"More":    {ask(allotmenttest.Web(2, "64Mi"), allotmenttest.Web(1, "64Mi"), admission.Update, ""), true},
		"Larger":  {ask(allotmenttest.Web(1, "65Mi"), allotmenttest.Web(1, "64Mi"), admission.Update, ""), true},
		"Less":    {ask(allotmenttest.Web(1, "64Mi"), allotmenttest.Web(2, "64Mi"), admission.Update, ""), false},
		"Same":    {ask(allotmenttest.Web(1, "64Mi"), allotmenttest.Web(1, "64Mi"), admission.Update, ""), false},
		"Traded":  {ask(allotmenttest.Web(1, "128Mi"), allotmenttest.Web(2, "64Mi"), admission.Update, ""), false},
		"Deleted": {ask(gone, allotmenttest.Web(1, "64Mi"), admission.Update, ""), false},
		"Status":  {ask(allotmenttest.Web(2, "64Mi"), allotmenttest.Web(1, "64Mi"), admission.Update, "status"), false},
	} {
		if tc.got != tc.want {
			t.Errorf("%s is handled: %v, want %v", name, tc.got, tc.want)
		}
	}
}

func TestConstraints(t *testing.T) {
	bare := allotmenttest.Web(1, "64Mi")
	bare.Spec.Resources = nil
	err := containers(nil).Constraints([]corev1.ResourceName{v1alpha1.ResourceLimitsMemory, v1alpha1.ResourceReplicas}, bare)
	if err == nil || !strings.Contains(err.Error(), "spec.resources.limits.memory must be set") {
		t.Errorf("got %v", err)
	}
	if err := containers(nil).Constraints([]corev1.ResourceName{v1alpha1.ResourceReplicas}, bare); err != nil {
		t.Errorf("what no quota limits was demanded: %v", err)
	}
}

// TestCount: what there is is counted from the store, with what runs in place of what is declared.
func TestCount(t *testing.T) {
	paused := allotmenttest.Web(2, "64Mi")
	paused.Status.Revision = 3
	record := &v1alpha1.ContainerRevision{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ContainerRevision"},
		ObjectMeta: metav1.ObjectMeta{Name: "web-3", Namespace: "acme"},
		Spec:       v1alpha1.ContainerRevisionSpec{Container: "web", Revision: 3, Template: allotmenttest.Web(1, "1Gi").Spec},
	}
	stranger := allotmenttest.Web(9, "1Gi")
	stranger.Namespace = "globex"
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		containersResource: "TenantContainerList", revisionsResource: "ContainerRevisionList",
	}, untyped(t, paused), untyped(t, record), untyped(t, stranger))

	stats, err := containers(&Source{Client: client}).UsageStats(quota.UsageStatsOptions{Namespace: "acme", Resources: allotment.Resources})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "2", v1alpha1.ResourceLimitsCPU: "500m", v1alpha1.ResourceLimitsMemory: "2Gi"}
	if diff := cmp.Diff(want, allotmenttest.Words(stats.Used)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSecrets(t *testing.T) {
	e := secrets(nil)
	ours, err1 := e.Usage(&corev1.Secret{Type: v1alpha1.SecretTypeRevisionEnv})
	theirs, err2 := e.Usage(&corev1.Secret{Type: corev1.SecretTypeOpaque})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if _, counted := ours[v1alpha1.ResourceSecrets]; counted {
		t.Error("a tenant is charged for what Dogker keeps")
	}
	if _, counted := theirs[v1alpha1.ResourceSecrets]; !counted {
		t.Error("a Secret of a tenant is not counted")
	}
}

func untyped(t *testing.T, object any) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}

	return &unstructured.Unstructured{Object: content}
}
