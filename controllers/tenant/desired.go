package tenant

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// roles of members, in the order in which their bindings are made.
var roles = []v1alpha1.TenantRole{v1alpha1.RoleOwner, v1alpha1.RoleDeveloper, v1alpha1.RoleViewer, v1alpha1.RoleBilling}

// selfRole is the name of the ClusterRole and the ClusterRoleBinding that let the members of a tenant read it. No other
// role of ours has a colon in its name, so that a tenant called owner gets no right of owners.
func selfRole(tenant string) string { return "dogker-tenant:" + tenant }

// desired are the objects that there must be for the tenant, but for its namespace, in the order in which they are made.
// There is no quota while the plan is not known.
func desired(t *v1alpha1.Tenant, plan *v1alpha1.Plan) []client.Object {
	var out []client.Object

	if plan != nil {
		out = append(out, &corev1.ResourceQuota{
			ObjectMeta: meta(t, v1alpha1.TenantQuotaName),
			Spec:       corev1.ResourceQuotaSpec{Hard: hard(effectiveQuota(plan.Spec.Quota, t.Spec.Quota))},
		})
	}

	members := withSync(t.Spec.Members)

	for _, name := range accounts(members) {
		out = append(out, &corev1.ServiceAccount{ObjectMeta: meta(t, name)})
	}

	for _, role := range roles {
		name := v1alpha1.TenantRolePrefix + string(role)

		if who := subjects(t, members, func(m v1alpha1.Member) bool { return slices.Contains(m.Roles, role) }); len(who) > 0 {
			out = append(out, &rbacv1.RoleBinding{
				ObjectMeta: meta(t, name),
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
				Subjects:   who,
			})
		}
	}

	if everybody := subjects(t, t.Spec.Members, func(v1alpha1.Member) bool { return true }); len(everybody) > 0 {
		out = append(out, selfRules(t, everybody)...)
	}

	return out
}

// selfRules let members see their own tenant and its plan, and no other. They belong to the tenant, so that Kubernetes
// collects what a former leader makes for one that is gone; what is in the namespace cannot be made then.
func selfRules(t *v1alpha1.Tenant, members []rbacv1.Subject) []client.Object {
	m := meta(t, selfRole(t.Name))
	m.Namespace = ""
	m.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: t.Name, UID: t.UID,
	}}

	read := []string{"get", "list", "watch"}
	group := []string{v1alpha1.GroupVersion.Group}

	return []client.Object{
		&rbacv1.ClusterRole{ObjectMeta: m, Rules: []rbacv1.PolicyRule{
			{APIGroups: group, Resources: []string{"tenants"}, ResourceNames: []string{t.Name}, Verbs: read},
			{APIGroups: group, Resources: []string{"plans"}, ResourceNames: []string{string(t.Spec.PlanName)}, Verbs: read},
		}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: *m.DeepCopy(),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: m.Name},
			Subjects:   members,
		},
	}
}

func meta(t *v1alpha1.Tenant, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.Name, Name: name, Labels: map[string]string{v1alpha1.LabelTenant: t.Name}}
}

// namespaceLabels are on the namespace of the tenant.
func namespaceLabels(t *v1alpha1.Tenant) map[string]string {
	return map[string]string{v1alpha1.LabelTenant: t.Name, v1alpha1.LabelTenantUID: string(t.UID)}
}

// withSync has all members, and the service account of GitSyncs as a developer, whatever else it is.
func withSync(members []v1alpha1.Member) []v1alpha1.Member {
	out := slices.Clone(members)

	at := slices.IndexFunc(out, func(m v1alpha1.Member) bool {
		return m.Kind == v1alpha1.MemberServiceAccount && m.Name == gitopsv1.AccountName
	})
	if at < 0 {
		return append(out, v1alpha1.Member{
			Kind: v1alpha1.MemberServiceAccount, Name: gitopsv1.AccountName, Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper},
		})
	}

	if !slices.Contains(out[at].Roles, v1alpha1.RoleDeveloper) {
		out[at].Roles = append(slices.Clone(out[at].Roles), v1alpha1.RoleDeveloper)
	}

	return out
}

// accounts are the names of the members that are service accounts of the tenant's namespace, sorted.
func accounts(members []v1alpha1.Member) []string {
	var out []string

	for _, m := range members {
		if m.Kind == v1alpha1.MemberServiceAccount {
			out = append(out, m.Name)
		}
	}

	slices.Sort(out)

	return out
}

// subjects are the members that which picks, as RBAC knows them, sorted.
func subjects(t *v1alpha1.Tenant, members []v1alpha1.Member, which func(v1alpha1.Member) bool) []rbacv1.Subject {
	var out []rbacv1.Subject

	for _, m := range members {
		if !which(m) {
			continue
		}

		who := rbacv1.Subject{Kind: string(m.Kind), Name: m.Name}
		if m.Kind == v1alpha1.MemberServiceAccount {
			who.Namespace = t.Name
		} else {
			who.APIGroup = rbacv1.GroupName
		}

		out = append(out, who)
	}

	slices.SortFunc(out, func(a, b rbacv1.Subject) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })

	return out
}
