//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestWireOfTerraform does what Terraform's provider does to plan kubernetes_manifest: it reads the OpenAPI document, lists
// the definitions of kinds, for which it needs the right that docs/guides/terraform.md says, and tries a server-side apply.
func TestWireOfTerraform(t *testing.T) {
	r := newRobot(t, developer)
	var document struct {
		Definitions map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(r.run("kubectl", "get", "--raw", "/openapi/v2")), &document); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"io.dogker.v1alpha1.TenantContainer", "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"} {
		if _, ok := document.Definitions[name]; !ok {
			t.Errorf("the OpenAPI document lacks %s", name)
		}
	}

	const definitions = "customresourcedefinitions.apiextensions.k8s.io"
	if _, stderr, code := r.try("", "kubectl", "get", definitions); code == 0 || !strings.Contains(stderr, "forbidden") {
		t.Errorf("definitions are listed without the right to: exit code %d: %s", code, stderr)
	}
	grantSchemas(t, r.namespace)
	await(t, "definitions may be read", func() bool {
		out, _, code := r.try("", "kubectl", "get", definitions, "-o", "name")

		return code == 0 && strings.Contains(out, "tenantcontainers.dogker.io")
	})

	planned := r.pipe(tenantContainer("web", "replicas: 2"), "kubectl", "apply", "--server-side", "--field-manager", "Terraform", "--dry-run=server", "-o", "json", "-f", "-")
	contains(t, "the plan", planned, `"replicas": 2`, `"mode": "Replicated"`)
	_, stderr, code := r.try(tenantContainer("web", "replicas: -1"), "kubectl", "apply", "--server-side", "--field-manager", "Terraform", "--dry-run=server", "-f", "-")
	if code == 0 || !strings.Contains(stderr, "spec.replicas") {
		t.Errorf("a bad plan ends with exit code %d: %s", code, stderr)
	}
}

// grantSchemas lets the robot of a namespace read definitions of kinds, as the guide has it.
func grantSchemas(t *testing.T, namespace string) {
	t.Helper()
	api := shared.client(t).RbacV1()
	t.Cleanup(func() {
		_ = api.ClusterRoleBindings().Delete(context.Background(), "schema-reader-"+namespace, metav1.DeleteOptions{})
		_ = api.ClusterRoles().Delete(context.Background(), "schema-reader-"+namespace, metav1.DeleteOptions{})
	})
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "schema-reader-" + namespace},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"get", "list"}}},
	}
	if _, err := api.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: role.ObjectMeta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "deployer"}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestWireOfArgoCD does what Argo CD does with a cluster that is limited to a namespace: discovery, the version, and lists
// and watches of each kind in that namespace; what is outside of it is refused.
func TestWireOfArgoCD(t *testing.T) {
	r := newRobot(t, developer)
	r.run("kubectl", "get", "--raw", "/version")
	contains(t, "discovery", r.run("kubectl", "api-resources", "--namespaced", "--verbs", "list,watch", "-o", "name"), "tenantcontainers.dogker.io", "configmaps", "secrets")

	r.pipe(configMap("settings", "level", "info")+"---\n"+tenantContainer("web", "replicas: 1"), "kubectl", "apply", "--server-side", "-f", "-")
	for kind, name := range map[string]string{"configmaps": "settings", "tenantcontainers.dogker.io": "web"} {
		watched := r.command("", "kubectl", "get", kind, "--watch", "-o", "name", "--request-timeout", (3 * time.Second).String())
		out, _ := watched.Output()
		contains(t, "what is watched of "+kind, string(out), "/"+name)
		if _, stderr, code := r.try("", "kubectl", "get", kind, "--all-namespaces"); code == 0 || !strings.Contains(stderr, "forbidden") {
			t.Errorf("%s of all namespaces: exit code %d: %s", kind, code, stderr)
		}
	}
	if _, stderr, code := r.try("", "kubectl", "get", "tc", "--as", "dogker:admin"); code == 0 || !strings.Contains(stderr, "cannot impersonate") {
		t.Errorf("a developer becomes somebody else: exit code %d: %s", code, stderr)
	}
}
