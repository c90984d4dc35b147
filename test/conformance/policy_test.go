//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestQuota: the number of containers in a namespace can be limited like that of any Kubernetes kind, and what is
// deleted makes room.
func TestQuota(t *testing.T) {
	const name = "count/tenantcontainers.dogker.io"
	ns := shared.namespace(t)
	quotas := shared.client(t).CoreV1().ResourceQuotas(ns)
	if _, err := quotas.Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "count"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{name: resource.MustParse("2")}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	used := func() string {
		q, err := quotas.Get(t.Context(), "count", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		amount := q.Status.Used[name]
		return amount.String()
	}
	await(t, "quota is counted", func() bool {
		q, err := quotas.Get(t.Context(), "count", metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) == 1
	})

	create(t, shared, ns, "one")
	create(t, shared, ns, "two")
	api := shared.dynamic(t).Resource(containers).Namespace(ns)
	_, err := api.Create(t.Context(), container("three"), metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) {
		t.Fatalf("a third container got %v, want forbidden", err)
	}
	contains(t, "refusal", err.Error(), "exceeded quota", name+"=1", "limited: "+name+"=2")
	if got := used(); got != "2" {
		t.Errorf("used is %s, want 2", got)
	}

	if err := api.Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	free(t, shared, ns, "one")
	await(t, "room after a deletion", func() bool { return used() == "1" })
	create(t, shared, ns, "three")
}

// TestValidatingAdmissionPolicy: an operator's own rule about our kinds is obeyed.
func TestValidatingAdmissionPolicy(t *testing.T) {
	ns := shared.namespace(t)
	policy := fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [dogker.io], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [tenantcontainers]}
  validations:
  - expression: object.spec.image.startsWith('registry.example/')
    messageExpression: "'spec.image: ' + object.spec.image + ' must come from registry.example'"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec:
  policyName: %[1]s
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
`, ns)
	k := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	k.do(policy, "apply", "-f", "-")
	t.Cleanup(func() { k.server = shared })
	defer k.do(policy, "delete", "-f", "-")

	bad := strings.Replace(minimal, "registry.example/shop", "elsewhere.example/shop", 1)
	await(t, "policy is in force", func() bool {
		_, stderr, code := k.run(bad, "apply", "--dry-run=server", "-f", "-")
		return code != 0 && strings.Contains(stderr, "elsewhere.example/shop:1.4 must come from registry.example")
	})
	k.do(minimal, "apply", "-f", "-")
}

// TestNamespaceDeletion: a deleted namespace takes everything in it along, of Kubernetes' kinds and of ours.
func TestNamespaceDeletion(t *testing.T) {
	client := shared.client(t)
	ns := shared.namespace(t)
	create(t, shared, ns, "web")
	for i := range 5 {
		if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("config-%d", i)},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	if err := client.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	api := shared.dynamic(t).Resource(containers).Namespace(ns)
	await(t, "containers are told to go", func() bool {
		web, err := api.Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil && web.GetDeletionTimestamp() != nil
	})
	if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "late"},
	}, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a late object got %v, want forbidden", err)
	}
	free(t, shared, ns, "web")
	await(t, "namespace is gone", func() bool {
		_, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// TestOwnersTakeDependentsAlong: garbage collection reaches Kubernetes' kinds and ours.
func TestOwnersTakeDependentsAlong(t *testing.T) {
	ns := shared.namespace(t)
	web := create(t, shared, ns, "web")
	client := shared.client(t)
	owner := metav1.OwnerReference{APIVersion: web.GetAPIVersion(), Kind: web.GetKind(), Name: web.GetName(), UID: web.GetUID()}
	if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "dependent", OwnerReferences: []metav1.OwnerReference{owner}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	api := shared.dynamic(t).Resource(containers).Namespace(ns)
	if err := api.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	free(t, shared, ns, "web")
	await(t, "dependent is collected", func() bool {
		_, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), "dependent", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// TestNewNamespace: a namespace has what clients expect to find in it.
func TestNewNamespace(t *testing.T) {
	ns := shared.namespace(t)
	client := shared.client(t)
	await(t, "default service account", func() bool {
		_, err := client.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	await(t, "certificate of the authority", func() bool {
		cm, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
		return err == nil && strings.Contains(cm.Data["ca.crt"], "BEGIN CERTIFICATE")
	})
}

// TestHandEditedKind: what somebody has changed in a kind or a role by hand is put back at the next start.
func TestHandEditedKind(t *testing.T) {
	s := ownServer(t)
	k := &kubectl{t: t, server: s, namespace: "default", command: []string{"kubectl"}}
	k.do("", "patch", "crd", "tenantcontainers.dogker.io", "--type", "json", "-p",
		`[{"op":"replace","path":"/spec/names/shortNames","value":["changed"]}]`)
	k.do("", "patch", "clusterrole", "dogker-view", "--type", "json", "-p", `[{"op":"remove","path":"/rules/0"}]`)

	s.kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if got := k.do("", "get", "crd", "tenantcontainers.dogker.io", "-o", "jsonpath={.spec.names.shortNames}"); got != `["tc"]` {
		t.Errorf("short names are %s", got)
	}
	contains(t, "role", k.do("", "get", "clusterrole", "dogker-view", "-o", "jsonpath={.rules}"), "containerrevisions")
}
