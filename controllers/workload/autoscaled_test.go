package workload

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestAutoscaled: what the autoscaler has decided counts, and everybody who may stop a container has more to say.
func TestAutoscaled(t *testing.T) {
	t.Parallel()

	scales := &v1alpha1.Autoscaling{MinReplicas: new(int32(2)), MaxReplicas: 8}

	for name, c := range map[string]struct {
		reason      string
		scaling     *v1alpha1.Autoscaling
		annotations map[string]string
		tenant      *v1alpha1.Tenant
		timetable   timetable
		want        int32
	}{
		"Undecided":  {reason: "Until it is decided, what is declared counts.", scaling: scales, want: 3},
		"Decided":    {reason: "Then what is decided does.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "5"}, want: 5},
		"TooMany":    {reason: "Within the bounds that are declared now.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "50"}, want: 8},
		"Garbage":    {reason: "What nobody can read is no decision.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "five"}, want: 3},
		"LeftOver":   {reason: "Nor is what is left over.", annotations: map[string]string{v1alpha1.AnnotationReplicas: "5"}, want: 3},
		"Suspended":  {reason: "Who is suspended has none.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "5", v1alpha1.AnnotationSuspend: ""}},
		"OutOfHours": {reason: "Nor has who is closed.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "5"}, timetable: timetable{closed: true}},
		"Unpaid": {
			reason: "Nor who has not paid.", scaling: scales, annotations: map[string]string{v1alpha1.AnnotationReplicas: "5"},
			tenant: &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationBillingSuspend: "unpaid"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tc := &v1alpha1.TenantContainer{
				ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations},
				Spec:       v1alpha1.TenantContainerSpec{Replicas: new(int32(3)), Autoscaling: c.scaling},
			}
			if got := effective(tc, c.tenant, c.timetable, nil).replicas; got != c.want {
				t.Errorf("%s\ngot %d tasks, want %d", c.reason, got, c.want)
			}
		})
	}
}
