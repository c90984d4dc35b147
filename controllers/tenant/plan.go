package tenant

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

// plan lists the steps from what was found to what is wanted, in the order they must run. It is pure. Its error is a Wait:
// somebody else has to move before the tenant is complete.
//
// Rights come first, so that a member who was taken out has lost them whatever else goes wrong.
func plan(s *situation) ([]step, error) {
	if err := obstacle(s); err != nil {
		return nil, err
	}

	steps := namespaceSteps(s)
	steps = append(steps, removals(s)...)
	steps = append(steps, objectSteps(s)...)

	if s.plan == nil {
		return steps, &outcome.Wait{
			Reason:  v1alpha1.ReasonPlanNotFound,
			Message: fmt.Sprintf("spec.planName: there is no Plan %q", s.tenant.Spec.PlanName),
		}
	}

	if s.network.blind != nil {
		return steps, s.network.blind
	}

	more, _, wait := s.network.decide(s.owner)

	return append(steps, more...), wait
}

// ours is true for a namespace that belongs to the tenant: it says so, or it has been the tenant's before and somebody has
// torn its label off.
func ours(t *v1alpha1.Tenant, ns *corev1.Namespace) bool {
	owner, labelled := ns.Labels[v1alpha1.LabelTenant]

	return owner == t.Name || !labelled && t.Status.Namespace == ns.Name
}

// placed is true when there is nothing in the way of a namespace for the tenant.
func (s *situation) placed() bool { return obstacle(s) == nil }

// obstacle is what stands in the way in the API and is not ours to move.
func obstacle(s *situation) error {
	ns := s.namespace

	switch {
	case ns == nil:
		return nil
	case !ours(s.tenant, ns):
		return &outcome.Wait{
			Reason: v1alpha1.ReasonNamespaceConflict,
			Message: fmt.Sprintf("There is a namespace %q that is not the tenant's; the label %s=%s on it gives it to the tenant",
				ns.Name, v1alpha1.LabelTenant, s.tenant.Name),
		}
	case !ns.DeletionTimestamp.IsZero():
		return &outcome.Wait{
			Reason:  v1alpha1.ReasonNamespaceTerminating,
			Message: "Somebody has deleted the namespace; it is made again when it is gone",
			After:   lookLater,
		}
	default:
		return nil
	}
}

func namespaceSteps(s *situation) []step {
	if s.namespace == nil {
		ns := &corev1.Namespace{}
		ns.Name, ns.Labels = s.tenant.Name, namespaceLabels(s.tenant)

		return []step{createObject{ns}}
	}

	for key, value := range namespaceLabels(s.tenant) {
		if s.namespace.Labels[key] != value {
			ns := s.namespace.DeepCopy()
			label(ns, namespaceLabels(s.tenant))

			return []step{updateObject{ns}}
		}
	}

	return nil
}

// removals are of objects of ours that nobody wants any more, and of bindings to another role than ours: RBAC lets no
// binding change its role.
func removals(s *situation) []step {
	wanted := map[string]client.Object{}
	for _, o := range desired(s.tenant, s.plan) {
		wanted[keyOf(o)] = o
	}

	var steps []step

	for _, have := range s.found {
		want, is := wanted[keyOf(have)]

		switch {
		case is && rebound(have, want), !is && have.GetLabels()[v1alpha1.LabelTenant] == s.tenant.Name && !(s.plan == nil && isQuota(have)):
			steps = append(steps, removeObject{have})
		}
	}

	return steps
}

func isQuota(o client.Object) bool { return o.GetName() == v1alpha1.TenantQuotaName }

// objectSteps make what is missing, and put right what differs.
func objectSteps(s *situation) []step {
	found := map[string]client.Object{}
	for _, o := range s.found {
		found[keyOf(o)] = o
	}

	var steps []step

	for _, want := range desired(s.tenant, s.plan) {
		have, is := found[keyOf(want)]

		switch {
		case !is, rebound(have, want):
			steps = append(steps, createObject{want})
		default:
			if right := corrected(have, want); !equality.Semantic.DeepEqual(have, right) {
				steps = append(steps, updateObject{right})
			}
		}
	}

	return steps
}

// rebound is true when a binding refers to another role than it should.
func rebound(have, want client.Object) bool {
	switch want := want.(type) {
	case *rbacv1.RoleBinding:
		return have.(*rbacv1.RoleBinding).RoleRef != want.RoleRef
	case *rbacv1.ClusterRoleBinding:
		return have.(*rbacv1.ClusterRoleBinding).RoleRef != want.RoleRef
	default:
		return false
	}
}

// corrected is what there is, with all that is ours as it should be. A service account that was there before is a member
// as it is, and stays when the member goes: it gets no label.
func corrected(have, want client.Object) client.Object {
	out := have.DeepCopyObject().(client.Object)

	switch want := want.(type) {
	case *corev1.ServiceAccount:
		return out
	case *corev1.ResourceQuota:
		out.(*corev1.ResourceQuota).Spec = want.Spec
	case *rbacv1.RoleBinding:
		out.(*rbacv1.RoleBinding).Subjects = want.Subjects
	case *rbacv1.ClusterRole:
		out.(*rbacv1.ClusterRole).Rules, out.(*rbacv1.ClusterRole).AggregationRule = want.Rules, nil
		out.SetOwnerReferences(want.OwnerReferences)
	case *rbacv1.ClusterRoleBinding:
		out.(*rbacv1.ClusterRoleBinding).Subjects = want.Subjects
		out.SetOwnerReferences(want.OwnerReferences)
	}

	label(out, want.GetLabels())

	return out
}

// label adds labels, and leaves those that others have put there.
func label(o client.Object, labels map[string]string) {
	all := map[string]string{}
	for key, value := range o.GetLabels() {
		all[key] = value
	}
	for key, value := range labels {
		all[key] = value
	}

	o.SetLabels(all)
}
