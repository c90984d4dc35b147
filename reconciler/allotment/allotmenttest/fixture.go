package allotmenttest

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Web is a container with that many replicas, of that much memory and a quarter of a processor each.
func Web(replicas int32, memory string) *v1alpha1.TenantContainer {
	return &v1alpha1.TenantContainer{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "TenantContainer"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "acme"},
		Spec: v1alpha1.TenantContainerSpec{
			Image: "shop", Replicas: &replicas,
			Resources: &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{CPU: new(resource.MustParse("250m")), Memory: new(resource.MustParse(memory))}},
		},
	}
}

// Words are amounts as people write them, without those that are zero.
func Words(l corev1.ResourceList) map[string]string {
	out := map[string]string{}
	for name, q := range l {
		if !q.IsZero() {
			out[string(name)] = q.String()
		}
	}

	return out
}
