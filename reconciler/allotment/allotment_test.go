package allotment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment/allotmenttest"
)

func TestOf(t *testing.T) {
	cases := map[string]struct {
		reason  string
		c       func() *v1alpha1.TenantContainer
		instead []*v1alpha1.TenantContainerSpec
		want    map[string]string
	}{
		"Declared": {
			reason: "What one task declares, times the tasks.",
			c:      func() *v1alpha1.TenantContainer { return allotmenttest.Web(3, "128Mi") },
			want:   map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "3", v1alpha1.ResourceLimitsCPU: "750m", v1alpha1.ResourceLimitsMemory: "384Mi"},
		},
		"Zero": {
			reason: "A container without tasks is a container.",
			c:      func() *v1alpha1.TenantContainer { return allotmenttest.Web(0, "128Mi") },
			want:   map[string]string{v1alpha1.ResourceContainers: "1"},
		},
		"Suspended": {
			reason: "A suspended container keeps its place.",
			c: func() *v1alpha1.TenantContainer {
				c := allotmenttest.Web(3, "128Mi")
				c.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "Holiday"}

				return c
			},
			want: map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "3", v1alpha1.ResourceLimitsCPU: "750m", v1alpha1.ResourceLimitsMemory: "384Mi"},
		},
		"Global": {
			reason: "A global container has a task on each node, once that is known.",
			c: func() *v1alpha1.TenantContainer {
				c := allotmenttest.Web(0, "128Mi")
				c.Spec.Replicas, c.Spec.Mode, c.Status.Replicas = nil, v1alpha1.ModeGlobal, 4

				return c
			},
			want: map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "4", v1alpha1.ResourceLimitsCPU: "1", v1alpha1.ResourceLimitsMemory: "512Mi"},
		},
		"RunsMore": {
			reason:  "A container that is paused runs what it ran, and declaring less frees nothing.",
			c:       func() *v1alpha1.TenantContainer { return allotmenttest.Web(2, "64Mi") },
			instead: []*v1alpha1.TenantContainerSpec{&allotmenttest.Web(1, "1Gi").Spec},
			want:    map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "2", v1alpha1.ResourceLimitsCPU: "500m", v1alpha1.ResourceLimitsMemory: "2Gi"},
		},
		"Ports": {
			reason: "A published port counts; one that is not does not.",
			c: func() *v1alpha1.TenantContainer {
				c := allotmenttest.Web(1, "64Mi")
				c.Spec.Resources = nil
				c.Spec.Ports = []v1alpha1.Port{{ContainerPort: 80, Publish: &v1alpha1.PortPublication{Port: 8080}}, {ContainerPort: 81}}

				return c
			},
			want: map[string]string{v1alpha1.ResourceContainers: "1", v1alpha1.ResourceReplicas: "1", v1alpha1.ResourcePublishedPorts: "1"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, allotmenttest.Words(Of(tc.c(), tc.instead...))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
