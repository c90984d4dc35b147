//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/hostile"
)

// gitops is who applies for tenants beside people.
const gitops = "system:serviceaccount:platform:gitops"

// typesOf are the kinds of patches.
var typesOf = map[string]types.PatchType{"merge": types.MergePatchType, "json": types.JSONPatchType, "apply": types.ApplyYAMLPatchType}

// tenantOf makes a plan and a tenant with it, and waits for the namespace of the tenant to have its quota and its members.
func tenantOf(t *testing.T, s *server, w hostile.World) string {
	t.Helper()
	w.Tenant.Spec.Members = []v1alpha1.Member{{Kind: v1alpha1.MemberUser, Name: gitops, Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}}}
	for resource, object := range map[string]any{"plans": &w.Plan, "tenants": &w.Tenant} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		unstructured.RemoveNestedField(content, "status")
		_, err = s.dynamic(t).Resource(v1alpha1.GroupVersion.WithResource(resource)).Create(t.Context(), &unstructured.Unstructured{Object: content}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}

	client := s.client(t)
	await(t, "namespace of "+w.Tenant.Name, func() bool {
		if _, err := client.RbacV1().RoleBindings(w.Tenant.Name).Get(t.Context(), v1alpha1.TenantRolePrefix+"developer", metav1.GetOptions{}); err != nil {
			return false
		}
		q, err := client.CoreV1().ResourceQuotas(w.Tenant.Name).Get(t.Context(), v1alpha1.TenantQuotaName, metav1.GetOptions{})

		return err == nil && len(q.Status.Used) == len(q.Spec.Hard)
	})

	return w.Tenant.Name
}

// as is a client that is somebody else.
func as(t *testing.T, s *server, who string) (*kubernetes.Clientset, *dynamic.DynamicClient) {
	t.Helper()
	cfg := rest.CopyConfig(s.config(t))
	cfg.Impersonate = rest.ImpersonationConfig{UserName: who}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	custom, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}

	return client, custom
}

// TestHostileSpecs: what no tenant may have is refused through the API, to an administrator as to the identity that
// applies from git, by the field and the rule; and nothing of it is stored.
func TestHostileSpecs(t *testing.T) {
	worlds := map[string]string{}
	for name, w := range hostile.Worlds() {
		worlds[name] = tenantOf(t, shared, w)
	}
	developer, _ := as(t, shared, gitops)
	clients := map[string]*kubernetes.Clientset{"Admin": shared.client(t), "GitOps": developer}

	for _, tc := range hostile.Specs() {
		t.Run(tc.Name, func(t *testing.T) {
			for who, client := range clients {
				err := post(t, client, worlds[tc.World], hostile.Body(tc.YAML))
				if err == nil {
					t.Fatalf("%s got it accepted", who)
				}
				status, ok := err.(apierrors.APIStatus)
				if !ok || !refusals[status.Status().Code] {
					t.Fatalf("the answer to %s is no refusal: %v", who, err)
				}
				if !strings.Contains(err.Error(), tc.Field) || tc.Rule != hostile.Schema && !strings.Contains(err.Error(), "by rule "+tc.Rule) {
					t.Errorf("the message to %s lacks %q or rule %s:\n%.600s", who, tc.Field, tc.Rule, err)
				}
			}
		})
	}
	for world, ns := range worlds {
		list, err := shared.dynamic(t).Resource(containers).Namespace(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) > 0 {
			t.Errorf("%d hostile specs were stored in %s: %v", len(list.Items), world, err)
		}
	}

	t.Run("Good", func(t *testing.T) {
		for world, specs := range hostile.Good() {
			for i, spec := range specs {
				body := strings.Replace(hostile.Body(spec), "name: web", fmt.Sprintf("name: good-%d", i), 1)
				if err := post(t, developer, worlds[world], body); err != nil {
					t.Errorf("%s refuses %s:\n%v", world, spec, err)
				}
			}
			shared.release(t, worlds[world])
		}
	})
}

// TestHostileChanges: a good container is not turned into a bad one by any way of changing it.
func TestHostileChanges(t *testing.T) {
	w := hostile.Worlds()[hostile.Restricted]
	w.Tenant.Name, w.Plan.Name, w.Tenant.Spec.PlanName = "hostile-changes", "hostile-changes", "hostile-changes"
	ns := tenantOf(t, shared, w)
	create(t, shared, ns, "web")
	t.Cleanup(func() { shared.release(t, ns) })
	_, custom := as(t, shared, gitops)
	api := custom.Resource(containers).Namespace(ns)

	patch := func(kind, body string, sub ...string) error {
		o := metav1.PatchOptions{}
		if kind == "apply" {
			o.FieldManager, o.Force = "test", new(true)
		}
		_, err := api.Patch(t.Context(), "web", typesOf[kind], []byte(body), o, sub...)

		return err
	}
	for way, tc := range map[string]struct{ kind, body, sub, says string }{
		"MergePatch": {"merge", `{"spec":{"security":{"runAsUser":0}}}`, "", "spec.security.runAsUser: Invalid value: 0: refused by rule U1"},
		"JSONPatch":  {"json", `[{"op":"replace","path":"/spec/security/capabilities/drop","value":["KILL"]}]`, "", "refused by rule C1"},
		"Apply":      {"apply", `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"web"},"spec":{"image":"registry.example/shop:1.4","imagePullPolicy":"Never"}}`, "", "refused by rule I2"},
		"Scale":      {"merge", `{"spec":{"replicas":11}}`, "scale", "spec.replicas: Invalid value: 11: refused by rule Q1"},
	} {
		t.Run(way, func(t *testing.T) {
			var sub []string
			if tc.sub != "" {
				sub = []string{tc.sub}
			}
			if err := patch(tc.kind, tc.body, sub...); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
		})
	}
}

// TestDefaultContainer: six lines make a container without privileges and with limits, and everybody can see that.
func TestDefaultContainer(t *testing.T) {
	w := hostile.Worlds()[hostile.Restricted]
	w.Tenant.Name, w.Plan.Name, w.Tenant.Spec.PlanName = "hostile-default", "hostile-default", "hostile-default"
	ns := tenantOf(t, shared, w)
	k := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	t.Cleanup(func() { shared.release(t, ns) })
	k.do(minimal, "apply", "-f", "-")

	for path, want := range map[string]string{
		".spec.security.capabilities.drop[0]": "ALL",
		".spec.security.runAsUser":            "65532",
		".spec.security.runAsGroup":           "65532",
		".spec.resources.limits.pids":         "256",
		".spec.resources.limits.memory":       "256Mi",
		".spec.resources.limits.cpu":          "500m",
		".spec.resources.requests.memory":     "64Mi",
	} {
		if got := k.field(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	k.do(minimal, "apply", "-f", "-")
	if got := k.field(".metadata.generation"); got != "1" {
		t.Errorf("applying the same again made generation %s", got)
	}
}

// TestQuotaRace: of fifty that race for what is left of a quota, exactly as many get it as there is room for; scaling is
// charged as applying is, and what is given back is there again.
func TestQuotaRace(t *testing.T) {
	w := hostile.Worlds()[hostile.Restricted]
	w.Tenant.Name, w.Plan.Name, w.Tenant.Spec.PlanName = "hostile-race", "hostile-race", "hostile-race"
	w.Plan.Spec.Quota = &v1alpha1.Quota{Replicas: new(int64(10)), Containers: new(int64(100))}
	ns := tenantOf(t, shared, w)
	t.Cleanup(func() { shared.release(t, ns) })
	api := shared.dynamic(t).Resource(containers).Namespace(ns)

	errs := make([]error, 50)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = api.Create(t.Context(), container(fmt.Sprintf("web-%d", i)), metav1.CreateOptions{})
		})
	}
	wg.Wait()

	var in []string
	for i, err := range errs {
		switch {
		case err == nil:
			in = append(in, fmt.Sprintf("web-%d", i))
		case !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota: dogker-tenant, requested: dogker.io/replicas=1, used: dogker.io/replicas=10, limited: dogker.io/replicas=10"):
			t.Errorf("the refusal is %v", err)
		}
	}
	if len(in) != 10 {
		t.Fatalf("%d got in, want 10", len(in))
	}

	_, err := api.Patch(t.Context(), in[0], typesOf["merge"], []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{}, "scale")
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("scaling beyond the quota got %v", err)
	}
	if _, err := api.Patch(t.Context(), in[1], typesOf["merge"], []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{}, "scale"); err != nil {
		t.Fatal(err)
	}
	await(t, "room after scaling down", func() bool { return used(t, ns, v1alpha1.ResourceReplicas) == "9" })
	if _, err := api.Patch(t.Context(), in[0], typesOf["merge"], []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{}, "scale"); err != nil {
		t.Errorf("scaling within the quota got %v", err)
	}
	if got := used(t, ns, v1alpha1.ResourceReplicas); got != "10" {
		t.Errorf("%s replicas are charged, want 10", got)
	}
}

// TestPortRace: of many tenants that ask for one port of the nodes at once, one gets it; the others are not told who; and
// when it is given back, it can be had again.
func TestPortRace(t *testing.T) {
	var namespaces []string
	for _, name := range []string{"hostile-port-a", "hostile-port-b"} {
		w := hostile.Worlds()[hostile.Baseline]
		w.Tenant.Name, w.Plan.Name, w.Tenant.Spec.PlanName = name, name, v1alpha1.DNSLabel(name)
		w.Plan.Spec.Quota = &v1alpha1.Quota{PublishedPorts: new(int64(5))}
		namespaces = append(namespaces, tenantOf(t, shared, w))
		t.Cleanup(func() { shared.release(t, name) })
	}
	claim := func(ns, name string) error {
		web := container(name)
		_ = unstructured.SetNestedSlice(web.Object, []any{map[string]any{
			"containerPort": int64(80), "publish": map[string]any{"mode": "Ingress", "port": int64(31000)},
		}}, "spec", "ports")
		_, err := shared.dynamic(t).Resource(containers).Namespace(ns).Create(t.Context(), web, metav1.CreateOptions{})

		return err
	}

	type try struct {
		ns, name string
		err      error
	}
	tries := make([]try, 20)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			tries[i] = try{ns: namespaces[i%2], name: fmt.Sprintf("web-%d", i)}
			tries[i].err = claim(tries[i].ns, tries[i].name)
		})
	}
	wg.Wait()

	var winners []try
	for _, one := range tries {
		if one.err == nil {
			winners = append(winners, one)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d containers have the port, want 1: %v", len(winners), tries)
	}
	winner := winners[0]
	loser := namespaces[0]
	if winner.ns == loser {
		loser = namespaces[1]
	}
	err := claim(loser, "late")
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.ports[0].publish.port: Invalid value: 31000: refused by rule N3: port 31000/tcp of the nodes is taken, another tenant has it") {
		t.Errorf("the loser got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), winner.ns) {
		t.Errorf("the loser was told whose port it is: %v", err)
	}
	if err := claim(winner.ns, "second"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("TenantContainer %q has it", winner.name)) {
		t.Errorf("a neighbour got %v", err)
	}

	api := shared.dynamic(t).Resource(containers).Namespace(winner.ns)
	if err := api.Delete(t.Context(), winner.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	free(t, shared, winner.ns, winner.name)
	await(t, "the port is free", func() bool { return claim(loser, "late") == nil })
}

// TestNoTenantNoContainer: a namespace that says it is a tenant's, and no tenant has it, is no way around the rules.
func TestNoTenantNoContainer(t *testing.T) {
	_, err := shared.client(t).CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "hostile-ghost", Labels: map[string]string{v1alpha1.LabelTenant: "ghost"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	_, err = shared.dynamic(t).Resource(containers).Namespace("hostile-ghost").Create(t.Context(), container("web"), metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("got %v, want forbidden", err)
	}
}

// used is what is charged for a resource in the namespace.
func used(t *testing.T, ns, name string) string {
	t.Helper()
	q, err := shared.client(t).CoreV1().ResourceQuotas(ns).Get(t.Context(), v1alpha1.TenantQuotaName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	amount := q.Status.Used[corev1.ResourceName(name)]

	return amount.String()
}
