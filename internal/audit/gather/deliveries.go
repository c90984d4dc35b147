package gather

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/audit"
)

// deliveries reads who follows which repository, and as whom. That it cannot be read is no error: the Input says so.
func (g *gatherer) deliveries(ctx context.Context) error {
	list, err := g.readDeliveries(ctx)
	if err != nil {
		g.in.DeliveriesUnseen = err.Error()
	}
	g.in.Deliveries = list

	return nil
}

func (g *gatherer) readDeliveries(ctx context.Context) ([]audit.Delivery, error) {
	if g.options.API == nil {
		return nil, errors.New(g.options.APIUnseen)
	}

	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()

	var (
		syncs    gitopsv1.GitSyncList
		policies gitopsv1.ImagePolicyList
		previews gitopsv1.GitPreviewList
		r        rights
	)
	for _, l := range []struct {
		what string
		list client.ObjectList
	}{
		{"GitSyncs", &syncs}, {"ImagePolicies", &policies}, {"GitPreviews", &previews},
		{"ClusterRoles", &r.clusterRoles}, {"Roles", &r.roles}, {"ClusterRoleBindings", &r.clusterBindings}, {"RoleBindings", &r.bindings},
	} {
		if err := g.options.API.List(ctx, l.list); err != nil {
			return nil, fmt.Errorf("list %s of the API: %w", l.what, err)
		}
	}

	var out []audit.Delivery
	add := func(kind string, o client.Object, account v1alpha1.ObjectName, repository string, verified bool) {
		name := cmp.Or(string(account), gitopsv1.AccountName)
		out = append(out, audit.Delivery{
			Object: audit.Object{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), Owner: audit.OwnerDogker},
			URL:    bare(repository), Account: name, Verified: verified,
			Platform: g.options.Platform != "" && o.GetNamespace() == g.options.Platform,
			Grants:   r.beyondDevelopers(o.GetNamespace(), name),
		})
	}

	for i := range syncs.Items {
		s := &syncs.Items[i]
		add(audit.KindGitSync, s, s.Spec.ServiceAccountName, s.Spec.URL, s.Spec.Verify != nil)
	}
	for i := range policies.Items {
		p := &policies.Items[i]
		repository := ""
		if u := p.Spec.Update; u != nil && u.Git != nil {
			repository = u.Git.URL
		}
		add(audit.KindImagePolicy, p, p.Spec.ServiceAccountName, repository, false)
	}
	for i := range previews.Items {
		p := &previews.Items[i]
		add(audit.KindGitPreview, p, p.Spec.ServiceAccountName, p.Spec.URL, p.Spec.Template.Verify != nil)
	}

	return out, nil
}

// bare is a URL without what may be secret in it.
func bare(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}

	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// rights are everything that RBAC says.
type rights struct {
	clusterRoles    rbacv1.ClusterRoleList
	roles           rbacv1.RoleList
	clusterBindings rbacv1.ClusterRoleBindingList
	bindings        rbacv1.RoleBindingList
}

// everything is what an administrator may do with objects.
var everything = []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}

// beyondDevelopers are the bindings of an account that give it more than developers have in its namespace. That a member may read
// its own tenant is no more.
func (r *rights) beyondDevelopers(namespace, account string) []audit.Grant {
	var out []audit.Grant

	developer := r.clusterRole(v1alpha1.TenantRolePrefix + string(v1alpha1.RoleDeveloper))
	own := []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"tenants"}, ResourceNames: []string{namespace}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"plans"}, Verbs: []string{"get", "list", "watch"}},
	}
	add := func(binding string, ref rbacv1.RoleRef, rules, may []rbacv1.PolicyRule, elsewhere bool) {
		if covered, _ := validation.Covers(may, rules); covered {
			return
		}
		all, _ := validation.Covers(rules, everything)
		out = append(out, audit.Grant{Binding: binding, Role: fmt.Sprintf("%s %q", ref.Kind, ref.Name), Everything: all && elsewhere, Elsewhere: elsewhere})
	}

	for i := range r.clusterBindings.Items {
		b := &r.clusterBindings.Items[i]
		// What Kubernetes binds to all accounts lets them find their way about.
		if has(b.Subjects, namespace, account, "") && b.Labels["kubernetes.io/bootstrapping"] == "" {
			add(fmt.Sprintf("ClusterRoleBinding %q", b.Name), b.RoleRef, r.clusterRole(b.RoleRef.Name), own, true)
		}
	}
	for i := range r.bindings.Items {
		b := &r.bindings.Items[i]
		if !has(b.Subjects, namespace, account, b.Namespace) {
			continue
		}

		rules := r.clusterRole(b.RoleRef.Name)
		if b.RoleRef.Kind == "Role" {
			rules = r.role(b.Namespace, b.RoleRef.Name)
		}

		name := fmt.Sprintf("RoleBinding %q", b.Namespace+"/"+b.Name)
		if b.Namespace == namespace {
			add(name, b.RoleRef, rules, developer, false)
		} else {
			add(name, b.RoleRef, rules, nil, true)
		}
	}

	return out
}

func (r *rights) clusterRole(name string) []rbacv1.PolicyRule {
	i := slices.IndexFunc(r.clusterRoles.Items, func(c rbacv1.ClusterRole) bool { return c.Name == name })
	if i < 0 {
		return nil
	}

	return r.clusterRoles.Items[i].Rules
}

func (r *rights) role(namespace, name string) []rbacv1.PolicyRule {
	i := slices.IndexFunc(r.roles.Items, func(o rbacv1.Role) bool { return o.Namespace == namespace && o.Name == name })
	if i < 0 {
		return nil
	}

	return r.roles.Items[i].Rules
}

// has is whether an account is among subjects, by its own name or as one of all accounts. Subjects without a namespace are in
// that of their binding.
func has(subjects []rbacv1.Subject, namespace, account, binding string) bool {
	return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			return s.Name == account && cmp.Or(s.Namespace, binding) == namespace
		case rbacv1.UserKind:
			return s.Name == "system:serviceaccount:"+namespace+":"+account
		default:
			return slices.Contains([]string{"system:serviceaccounts", "system:serviceaccounts:" + namespace}, s.Name)
		}
	})
}
