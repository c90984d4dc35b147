package tenancy

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	quota "k8s.io/apiserver/pkg/quota/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
)

// TestLightContainer: what is kept of a container in memory takes as much of a quota as the container, so that a change of that
// is seen.
func TestLightContainer(t *testing.T) {
	scales := func(c *v1alpha1.TenantContainer) {
		c.Spec.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: new(int32(0)), MaxReplicas: 5}
	}
	decided := func(n string) func(*v1alpha1.TenantContainer) {
		return func(c *v1alpha1.TenantContainer) { c.Annotations = map[string]string{v1alpha1.AnnotationReplicas: n} }
	}

	for name, tc := range map[string]struct {
		reason  string
		changes []func(*v1alpha1.TenantContainer)
		tasks   int64
	}{
		"Plain":         {"What is declared counts.", nil, 2},
		"Scaled":        {"What is decided counts.", []func(*v1alpha1.TenantContainer){scales, decided("4")}, 4},
		"Asleep":        {"None are none.", []func(*v1alpha1.TenantContainer){scales, decided("0")}, 0},
		"Bounded":       {"No decision is above what its owner allows.", []func(*v1alpha1.TenantContainer){scales, decided("9")}, 5},
		"LeftOver":      {"What does not scale any more is as it is declared.", []func(*v1alpha1.TenantContainer){decided("4")}, 2},
		"BeforeAnybody": {"Nothing is decided yet.", []func(*v1alpha1.TenantContainer){scales}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := &v1alpha1.TenantContainer{}
			c.Namespace, c.Name = "acme", "web"
			c.Spec.Replicas = new(int32(2))
			c.Spec.Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: new(resource.MustParse("100m"))}}
			for _, change := range tc.changes {
				change(c)
			}
			fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := lightContainer(&unstructured.Unstructured{Object: fields})
			if err != nil {
				t.Fatal(err)
			}

			want, got := allotment.Of(c), allotment.Of(kept.(*v1alpha1.TenantContainer))
			if tasks := got[v1alpha1.ResourceReplicas]; !quota.Equals(want, got) || tasks.Value() != tc.tasks {
				t.Errorf("%s got %v, want %v", tc.reason, got, want)
			}
		})
	}
}
