//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/delivery"
)

// TestGitOpsBadCommits: a commit with one bad object among good ones changes nothing at all, and is told by file, line and
// field.
func TestGitOpsBadCommits(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{"a.yaml": configMap("a", "level", "info"), "web.yaml": tenantContainer("web", "replicas: 1")}
	g.must(files)
	g.must(files)

	for name, tc := range map[string]struct {
		reason delivery.Reason
		yaml   string
		says   []string
	}{
		"UnknownField":    {delivery.ReasonInvalid, tenantContainer("bad", "privileged: true"), []string{"bad.yaml:1: TenantContainer/bad: spec.privileged: is no field of this kind"}},
		"WrongType":       {delivery.ReasonInvalid, tenantContainer("bad", "replicas: many"), []string{"TenantContainer/bad: spec.replicas: "}},
		"OutOfRange":      {delivery.ReasonInvalid, tenantContainer("bad", "replicas: -1"), []string{"TenantContainer/bad: spec.replicas: ", "-1"}},
		"RefusedByPolicy": {delivery.ReasonInvalid, strings.Replace(tenantContainer("bad", "replicas: 1"), "registry.example/shop:1.4", "'-x'", 1), []string{"TenantContainer/bad: spec.image"}},
		"OtherNamespace": {delivery.ReasonNamespaceRefused, strings.Replace(configMap("bad"), "{name: bad}", "{name: bad, namespace: kube-system}", 1),
			[]string{"bad.yaml:1: ConfigMap/bad: metadata.namespace: ", `"kube-system"`, "stays in its own namespace"}},
		"ClusterScoped": {delivery.ReasonNamespaceRefused, "# A comment.\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: bad}\n",
			[]string{"bad.yaml:3: ClusterRole.rbac.authorization.k8s.io/bad: belongs to the whole cluster"}},
		"AnotherTenant": {delivery.ReasonNamespaceRefused, "apiVersion: dogker.io/v1alpha1\nkind: Tenant\nmetadata: {name: bad}\nspec: {planName: x}\n", []string{"Tenant/bad: belongs to the whole cluster"}},
		"UnknownKind":   {delivery.ReasonKindUnknown, "apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: bad}\n", []string{"bad.yaml:1: Deployment.apps/bad: there is no kind Deployment in apps/v9"}},
		"Twice":         {delivery.ReasonInvalid, configMap("a", "level", "debug"), []string{"bad.yaml:1: ConfigMap/a: is declared twice, here and in a.yaml:1"}},
		"OwnRights": {delivery.ReasonForbidden, "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: bad}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]\n",
			[]string{"RoleBinding.rbac.authorization.k8s.io/bad: ", "system:serviceaccount:", "cannot"}},
		"OwnQuota":       {delivery.ReasonForbidden, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: bad}\nspec: {hard: {pods: 1}}\n", []string{"ResourceQuota/bad: ", "cannot"}},
		"UnknownOptOut":  {delivery.ReasonInvalid, strings.Replace(configMap("bad"), "{name: bad}", "{name: bad, annotations: {gitops.dogker.io/prune: 'no'}}", 1), []string{"metadata.annotations[gitops.dogker.io/prune]", `"no"`, "disabled or enabled"}},
		"NumberAsLabel":  {delivery.ReasonInvalid, strings.Replace(configMap("bad"), "{name: bad}", "{name: bad, labels: {version: 1}}", 1), []string{"metadata.labels: must be a map of texts"}},
		"ForgedOwner":    {delivery.ReasonInvalid, strings.Replace(configMap("bad"), "{name: bad}", "{name: bad, labels: {gitops.dogker.io/name: other}}", 1), []string{"metadata.labels[gitops.dogker.io/name]", `"other"`}},
		"BillingsOwn":    {delivery.ReasonForbidden, strings.Replace(tenantContainer("bad", "replicas: 1"), "{name: bad}", "{name: bad, annotations: {billing.dogker.io/suspend: x}}", 1), []string{"TenantContainer/bad: "}},
		"SecretOfNumber": {delivery.ReasonInvalid, "apiVersion: v1\nkind: Secret\nmetadata: {name: bad}\nstringData: {pin: 48151623}\n", []string{"Secret/bad: "}},
		"SecretNoBase64": {delivery.ReasonInvalid, "apiVersion: v1\nkind: Secret\nmetadata: {name: bad}\ndata: {pin: '48151623!'}\n", []string{"Secret/bad: "}},
		"NameWithColons": {delivery.ReasonInvalid, configMap("a__b"), []string{"metadata.name"}},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			bad := map[string]string{"a.yaml": configMap("a", "level", "debug"), "bad.yaml": tc.yaml, "z.yaml": configMap("z")}
			_, err := g.sync(bad)
			if err == nil {
				t.Fatal("it was accepted")
			}
			refusal(t, err, tc.reason, tc.says...)
			if strings.Contains(err.Error(), "48151623") {
				t.Errorf("the error tells the secret: %v", err)
			}
			if g.wire.writes > 0 || g.data("a")["level"] != "info" || g.data("z") != nil {
				t.Errorf("a bad commit has changed something, in %d writes", g.wire.writes)
			}
		})
	}

	g.t = t
	g.rests(files)
}

// limit puts a quota on the number of ConfigMaps and replicas, and waits until it counts.
func (g *syncer) limit(hard corev1.ResourceList) {
	g.t.Helper()
	quotas := shared.client(g.t).CoreV1().ResourceQuotas(g.request.Sync.Namespace)
	if _, err := quotas.Create(g.t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "limit"}, Spec: corev1.ResourceQuotaSpec{Hard: hard},
	}, metav1.CreateOptions{}); err != nil {
		g.t.Fatal(err)
	}
	await(g.t, "quota is counted", func() bool {
		q, err := quotas.Get(g.t.Context(), "limit", metav1.GetOptions{})

		return err == nil && len(q.Status.Used) == len(hard)
	})
}

// TestGitOpsQuota: what fits one by one and not together is refused as a whole; and what one object gives back another may
// have in the same commit.
func TestGitOpsQuota(t *testing.T) {
	g := newSyncer(t, developer)
	one := map[string]string{"a.yaml": tenantContainer("a", "replicas: 4"), "b.yaml": tenantContainer("b", "replicas: 1")}
	g.must(one)
	g.limit(corev1.ResourceList{"dogker.io/replicas": resource.MustParse("6"), "count/configmaps": resource.MustParse("4")})

	more := map[string]string{"a.yaml": tenantContainer("a", "replicas: 5"), "b.yaml": tenantContainer("b", "replicas: 2")}
	_, err := g.sync(more)
	refusal(t, err, delivery.ReasonQuotaExceeded, "b.yaml:1: TenantContainer/b: exceeded quota: limit, all objects together need dogker.io/replicas=2 more, used: 5, limited: 6")
	if g.wire.writes > 0 {
		t.Errorf("there were %d writes", g.wire.writes)
	}

	many := map[string]string{"a.yaml": one["a.yaml"], "b.yaml": one["b.yaml"]}
	for i := range 5 {
		many[fmt.Sprintf("c%d.yaml", i)] = configMap(fmt.Sprintf("c%d", i))
	}
	_, err = g.sync(many)
	refusal(t, err, delivery.ReasonQuotaExceeded, "count/configmaps=5 more")
	if g.wire.writes > 0 {
		t.Errorf("there were %d writes", g.wire.writes)
	}

	shifted := map[string]string{"a.yaml": tenantContainer("a", "replicas: 1"), "b.yaml": tenantContainer("b", "replicas: 5")}
	result := g.must(shifted)
	if diff := cmp.Diff("TenantContainer/a configured (spec.replicas: 4 → 1)\nTenantContainer/b configured (spec.replicas: 1 → 5)\n", result.Changes.Written().String()); diff != "" {
		t.Error(diff)
	}
	g.must(shifted)
	g.rests(shifted)
}

// TestGitOpsRights: a sync may do what its ServiceAccount may, whatever the server itself may.
func TestGitOpsRights(t *testing.T) {
	for name, role := range map[string]string{"Nobody": "", "Viewer": "dogker-tenant-viewer"} {
		t.Run(name, func(t *testing.T) {
			g := newSyncer(t, role)
			_, err := g.sync(map[string]string{"a.yaml": configMap("a")})
			refusal(t, err, delivery.ReasonForbidden, "a.yaml:1: ConfigMap/a: ", "system:serviceaccount:"+g.request.Sync.Namespace+":deployer")
			if g.data("a") != nil {
				t.Error("it was created")
			}
		})
	}

	g := newSyncer(t, developer)
	for _, account := range []string{"", "a:b", "../admin", "Deployer", "system:masters"} {
		r := g.with(map[string]string{"a.yaml": configMap("a")})
		r.ServiceAccount = account
		if _, err := g.do(r); err == nil || g.data("a") != nil {
			t.Errorf("%q was taken for a ServiceAccount: %v", account, err)
		}
	}

	// What is done stands in the name of the ServiceAccount, not of the server.
	r := g.with(map[string]string{"a.yaml": configMap("a")})
	r.Sync.Namespace = "kube-system"
	r.AnyNamespace = true
	_, err := g.do(r)
	refusal(t, err, delivery.ReasonForbidden, "system:serviceaccount:kube-system:deployer")
}

// TestGitOpsThousand: a thousand objects at rest cost a list, one change costs one write, and a process that remembers nothing
// writes nothing either.
func TestGitOpsThousand(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{}
	for i := range 980 {
		name := fmt.Sprintf("settings-%03d", i)
		files[name+".yaml"] = configMap(name, "level", "info", "index", fmt.Sprint(i))
	}
	for i := range 20 {
		name := fmt.Sprintf("web-%02d", i)
		files[name+".yaml"] = tenantContainer(name, "replicas: 1")
	}
	timed := func(what string) {
		t.Helper()
		begin := time.Now()
		result := g.must(files)
		t.Logf("%-12s %6s, %d reads, %d dry-runs, %d writes, %d changes", what, time.Since(begin).Round(time.Millisecond),
			g.wire.reads, g.wire.trials, g.wire.writes, len(result.Changes.Written()))
	}

	timed("first")
	timed("second")
	for range 3 {
		timed("at rest")
		if g.wire.trials+g.wire.writes > 0 || g.wire.reads > 4 {
			t.Errorf("a thousand objects at rest cost %d reads, %d dry-runs and %d writes", g.wire.reads, g.wire.trials, g.wire.writes)
		}
	}

	files["settings-500.yaml"] = configMap("settings-500", "level", "debug")
	timed("one change")
	if g.wire.trials != 1 || g.wire.writes != 1 {
		t.Errorf("one change cost %d dry-runs and %d writes", g.wire.trials, g.wire.writes)
	}

	g.restart()
	timed("restart")
	if g.wire.writes > 0 {
		t.Errorf("after a restart there were %d writes", g.wire.writes)
	}
	if got := g.applier.Remembered(); got != len(files) {
		t.Errorf("%d objects are remembered", got)
	}
	g.applier.Forget(g.request.Sync)
	if got := g.applier.Remembered(); got != 0 {
		t.Errorf("%d objects are remembered of a sync that is no more", got)
	}
}

// TestGitOpsPlatform: a sync of the platform may make tenants and fill their namespaces in one commit.
func TestGitOpsPlatform(t *testing.T) {
	g := newSyncer(t, developer)
	namespace := g.request.Sync.Namespace
	tenant := "made-by-" + namespace
	g.request.AnyNamespace = true
	if _, err := shared.client(t).RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "deployer"}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	files := map[string]string{
		"a.yaml": strings.Replace(configMap("settings", "level", "info"), "{name: settings}", "{name: settings, namespace: "+tenant+"}", 1),
		"b.yaml": "apiVersion: dogker.io/v1alpha1\nkind: Tenant\nmetadata: {name: " + tenant + "}\nspec: {planName: " + tenant + ", deletionPolicy: Delete}\n",
		"c.yaml": fmt.Sprintf(smallPlan, tenant),
	}
	await(t, "the ServiceAccount has its rights", func() bool {
		_, err := g.applier.Plan(t.Context(), g.with(files))

		return err == nil
	})

	result := g.must(files)
	want := []string{"Plan/" + tenant + " created", "Tenant/" + tenant + " created", "ConfigMap/settings created"}
	if diff := cmp.Diff(strings.Join(want, "\n")+"\n", result.Changes.Written().String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	g.must(files)
	g.rests(files)
}
