package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func tenant(annotations map[string]string) *v1alpha1.Tenant {
	return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme", Annotations: annotations}}
}

func TestEffectiveScale(t *testing.T) {
	three := int32(3)

	cases := map[string]struct {
		reason   string
		replicas *int32
		own      map[string]string
		tenant   *v1alpha1.Tenant
		hours    timetable
		want     scale
	}{
		"Declared": {
			reason: "Without anybody else who has a say, the spec has it.", replicas: &three, want: scale{replicas: 3},
		},
		"Default": {
			reason: "What nobody says is one.", want: scale{replicas: 1},
		},
		"TenantThatIsNotSuspended": {
			reason: "A tenant as such changes nothing.", replicas: &three, tenant: tenant(nil), want: scale{replicas: 3},
		},
		"WindowOpen": {
			reason: "While a window is open the spec has it.", replicas: &three, hours: timetable{change: epoch}, want: scale{replicas: 3},
		},
		"NoWindowOpen": {
			reason: "Outside of its windows a container has no tasks, and knows until when.", replicas: &three,
			hours: timetable{closed: true, change: epoch}, want: scale{resting: true, until: epoch},
		},
		"SuspendedOutsideOfItsWindows": {
			reason: "It would not run when a window opened.", hours: timetable{closed: true, change: epoch},
			own: map[string]string{v1alpha1.AnnotationSuspend: "Maintenance"}, want: scale{suspended: true, reason: "Maintenance"},
		},
		"Suspended": {
			reason: "The container's own suspension names its own reason.", replicas: &three,
			own: map[string]string{v1alpha1.AnnotationSuspend: "Maintenance"}, want: scale{suspended: true, reason: "Maintenance"},
		},
		"TenantSuspended": {
			reason: "The tenant's suspension is that of all its containers.", replicas: &three,
			tenant: tenant(map[string]string{v1alpha1.AnnotationSuspend: "Moving"}),
			want:   scale{suspended: true, reason: "the tenant is suspended: Moving"},
		},
		"TenantSuspendedWithoutReason": {
			reason: "An annotation without a value suspends, too.", replicas: &three,
			tenant: tenant(map[string]string{v1alpha1.AnnotationSuspend: ""}),
			want:   scale{suspended: true, reason: "the tenant is suspended"},
		},
		"BothSuspended": {
			reason: "The last gate has the last word: lifting the container's own would not help.", replicas: &three,
			own:    map[string]string{v1alpha1.AnnotationSuspend: "Maintenance"},
			tenant: tenant(map[string]string{v1alpha1.AnnotationBillingSuspend: "Overdue"}),
			want:   scale{suspended: true, reason: "the tenant is suspended: Overdue"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Annotations: tc.own}}
			c.Spec.Replicas = tc.replicas

			if diff := cmp.Diff(tc.want, effective(c, tc.tenant, tc.hours, nil), cmp.AllowUnexported(scale{})); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSuspensionChanged(t *testing.T) {
	suspended := map[string]string{v1alpha1.AnnotationSuspend: "Moving"}
	placed := tenant(nil)
	placed.Status.Namespace = "acme"

	cases := map[string]struct {
		reason  string
		was, is *v1alpha1.Tenant
		want    bool
	}{
		"Suspended":     {"Its containers are to stop.", tenant(nil), tenant(suspended), true},
		"Resumed":       {"Its containers are to run.", tenant(suspended), tenant(nil), true},
		"OtherReason":   {"Its containers show the reason.", tenant(suspended), tenant(map[string]string{v1alpha1.AnnotationSuspend: "Sold"}), true},
		"OtherWord":     {"Other annotations are nobody's business.", tenant(nil), tenant(map[string]string{"note": "x"}), false},
		"Same":          {"Status changes often.", tenant(suspended), tenant(suspended), false},
		"NamespaceMade": {"Containers that were there already have a tenant now.", tenant(nil), placed, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := suspensionChanged().Update(event.UpdateEvent{ObjectOld: tc.was, ObjectNew: tc.is}); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
