package gather

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/audit"
)

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func rule(group, resource string, verbs ...string) []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}}
}

func bound(namespace, name string, ref rbacv1.RoleRef, who ...rbacv1.Subject) client.Object {
	if namespace == "" {
		return &rbacv1.ClusterRoleBinding{ObjectMeta: named("", name), RoleRef: ref, Subjects: who}
	}

	return &rbacv1.RoleBinding{ObjectMeta: named(namespace, name), RoleRef: ref, Subjects: who}
}

// TestGrants: what an account has is found by whatever name it is bound, and what developers have is no finding.
func TestGrants(t *testing.T) {
	var (
		developer = rbacv1.RoleRef{Kind: "ClusterRole", Name: "dogker-tenant-developer"}
		admin     = rbacv1.RoleRef{Kind: "ClusterRole", Name: "cluster-admin"}
		viewer    = rbacv1.RoleRef{Kind: "Role", Name: "viewer"}
		owner     = rbacv1.RoleRef{Kind: "Role", Name: "owner"}
		myself    = rbacv1.RoleRef{Kind: "ClusterRole", Name: "dogker-tenant:acme"}
		account   = rbacv1.Subject{Kind: "ServiceAccount", Namespace: "acme", Name: "gitsync"}
	)

	cases := map[string]struct {
		reason  string
		binding client.Object
		want    []audit.Grant
	}{
		"Developer": {"It is what GitSyncs have.", bound("acme", "b", developer, account), nil},
		"Less":      {"A part of it is no more.", bound("acme", "b", viewer, account), nil},
		"Itself":    {"Members read their tenant.", bound("", "b", myself, account), nil},
		"Other":     {"It is somebody else's.", bound("", "b", admin, rbacv1.Subject{Kind: "ServiceAccount", Namespace: "globex", Name: "gitsync"}), nil},
		"WithoutNamespace": {
			"An account of the binding's namespace needs none.", bound("acme", "b", owner, rbacv1.Subject{Kind: "ServiceAccount", Name: "gitsync"}),
			[]audit.Grant{{Binding: `RoleBinding "acme/b"`, Role: `Role "owner"`}},
		},
		"Elsewhere": {
			"Developers of another tenant are no developers here.", bound("globex", "b", developer, account),
			[]audit.Grant{{Binding: `RoleBinding "globex/b"`, Role: `ClusterRole "dogker-tenant-developer"`, Elsewhere: true}},
		},
		"Everywhere": {
			"It is a developer of all tenants.", bound("", "b", developer, account),
			[]audit.Grant{{Binding: `ClusterRoleBinding "b"`, Role: `ClusterRole "dogker-tenant-developer"`, Elsewhere: true}},
		},
		"AdministratorAsUser": {
			"An account is a user, too.", bound("", "b", admin, rbacv1.Subject{Kind: "User", Name: "system:serviceaccount:acme:gitsync"}),
			[]audit.Grant{{Binding: `ClusterRoleBinding "b"`, Role: `ClusterRole "cluster-admin"`, Everything: true, Elsewhere: true}},
		},
		"AllAccounts": {
			"It is one of them.", bound("", "b", admin, rbacv1.Subject{Kind: "Group", Name: "system:serviceaccounts"}),
			[]audit.Grant{{Binding: `ClusterRoleBinding "b"`, Role: `ClusterRole "cluster-admin"`, Everything: true, Elsewhere: true}},
		},
	}

	scheme := runtime.NewScheme()
	if err := errors.Join(rbacv1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
				&rbacv1.ClusterRole{ObjectMeta: named("", developer.Name), Rules: rule("dogker.io", "tenantcontainers", "get", "list", "create")},
				&rbacv1.ClusterRole{ObjectMeta: named("", admin.Name), Rules: rule("*", "*", "*")},
				&rbacv1.ClusterRole{ObjectMeta: named("", myself.Name), Rules: []rbacv1.PolicyRule{{
					APIGroups: []string{"dogker.io"}, Resources: []string{"tenants"}, ResourceNames: []string{"acme"}, Verbs: []string{"get"},
				}}},
				&rbacv1.Role{ObjectMeta: named("acme", "viewer"), Rules: rule("dogker.io", "tenantcontainers", "get")},
				&rbacv1.Role{ObjectMeta: named("acme", "owner"), Rules: rule("", "serviceaccounts/token", "create")},
				&gitopsv1.GitSync{ObjectMeta: named("acme", "shop"), Spec: gitopsv1.GitSyncSpec{URL: "https://git.example/shop"}},
				tc.binding,
			).Build()

			g := &gatherer{options: Options{API: api}}
			if err := g.deliveries(t.Context()); err != nil || g.in.DeliveriesUnseen != "" || len(g.in.Deliveries) != 1 {
				t.Fatalf("got %+v, %q, error %v", g.in.Deliveries, g.in.DeliveriesUnseen, err)
			}
			if diff := cmp.Diff(tc.want, g.in.Deliveries[0].Grants); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDeliveries: everything that follows a repository is found, and shows no password.
func TestDeliveries(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := errors.Join(rbacv1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	policy := &gitopsv1.ImagePolicy{ObjectMeta: named("acme", "web")}
	policy.Spec.Update = &gitopsv1.ImageUpdate{Git: &gitopsv1.GitUpdate{URL: "http://ada:secret@git.example/shop?token=secret"}}

	preview := &gitopsv1.GitPreview{ObjectMeta: named("acme", "shop")}
	preview.Spec.URL, preview.Spec.ServiceAccountName = "https://git.example/shop", "reader"

	sync := &gitopsv1.GitSync{ObjectMeta: named("dogker-system", "platform")}
	sync.Spec.URL, sync.Spec.Verify = "ssh://git@git.example/platform", &gitopsv1.GitVerify{}

	g := &gatherer{options: Options{
		API: fake.NewClientBuilder().WithScheme(scheme).WithObjects(policy, preview, sync).Build(), Platform: "dogker-system",
	}}
	if err := g.deliveries(t.Context()); err != nil {
		t.Fatal(err)
	}

	object := func(kind, namespace, name string) audit.Object {
		return audit.Object{Kind: kind, Namespace: namespace, Name: name, Owner: audit.OwnerDogker}
	}
	want := []audit.Delivery{
		{Object: object(audit.KindGitSync, "dogker-system", "platform"), URL: "ssh://git.example/platform", Account: "gitsync", Verified: true, Platform: true},
		{Object: object(audit.KindImagePolicy, "acme", "web"), URL: "http://git.example/shop", Account: "gitsync"},
		{Object: object(audit.KindGitPreview, "acme", "shop"), URL: "https://git.example/shop", Account: "reader"},
	}
	if diff := cmp.Diff(want, g.in.Deliveries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
