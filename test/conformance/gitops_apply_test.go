//go:build conformance

package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

const developer = "dogker-tenant-developer"

// TestGitOpsApplies: what a repository has is there, looking again costs a list for each kind, and what it has no more goes.
func TestGitOpsApplies(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{
		"web.yaml":    tenantContainer("web", "replicas: 2") + "---\n" + configMap("settings", "level", "info"),
		"secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter22}\n",
	}

	result := g.must(files)
	if got := result.Changes.Count(delivery.Created); got != 3 {
		t.Errorf("%d objects were created:\n%s", got, result.Changes)
	}
	if first := result.Changes[0].ID.Kind; first == "TenantContainer" {
		t.Error("a container was applied before what it may refer to")
	}
	// The server may have had its say about the container meanwhile.
	g.must(files)
	g.rests(files)
	if g.wire.reads != 3 {
		t.Errorf("looking at three kinds took %d requests", g.wire.reads)
	}

	files["web.yaml"] = tenantContainer("web", "replicas: 3") + "---\n" + configMap("settings", "level", "debug", "new", "x")
	result = g.must(files)
	want := "ConfigMap/settings configured (data.level, data.new)\nTenantContainer/web configured (spec.replicas: 2 → 3)\n"
	if diff := cmp.Diff(want, result.Changes.Written().String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if g.wire.writes != 2 || g.wire.trials != 2 {
		t.Errorf("two changes took %d dry-runs and %d writes", g.wire.trials, g.wire.writes)
	}

	files["secret.yaml"] = strings.ReplaceAll(files["secret.yaml"], "hunter22", "correct-horse")
	if got := g.must(files).Changes.Written().String(); got != "Secret/db configured (data.password)\n" {
		t.Errorf("a Secret's change is said as %q", got)
	}

	delete(files, "secret.yaml")
	if got := g.must(files).Changes.Written().String(); got != "Secret/db deleted\n" {
		t.Errorf("a removed file comes to %q", got)
	}
	g.rests(files)
	if diff := cmp.Diff(2, len(g.recorded)); diff != "" {
		t.Errorf("the record is %v", g.recorded)
	}
}

// TestGitOpsDrift: what people change by hand is put back, and what controllers and other people's metadata say is left.
func TestGitOpsDrift(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{"a.yaml": configMap("settings", "level", "info")}
	g.must(files)

	// One after the other: what a controller has added stays for those after it.
	for _, tc := range []struct {
		reason, manager, patch string
		data                   map[string]string
		writes                 bool
	}{
		{"What the repository declares holds.", "kubectl-edit", `{"data": {"level": "debug"}}`, map[string]string{"level": "info"}, true},
		{"Also when it was taken away.", "kubectl-edit", `{"data": {"level": null}}`, map[string]string{"level": "info"}, true},
		{"What people add is drift as well.", "kubectl-edit", `{"data": {"extra": "x"}}`, map[string]string{"level": "info"}, true},
		{"What a controller adds is its own.", "some-controller", `{"data": {"own": "x"}}`, map[string]string{"level": "info", "own": "x"}, false},
		{"Annotations tell controllers what to do now.", "kubectl-annotate", `{"metadata": {"annotations": {"note": "x"}}}`, map[string]string{"level": "info", "own": "x"}, false},
		{"An object that has lost its labels is still the sync's.", "kubectl-label", `{"metadata": {"labels": null}}`, map[string]string{"level": "info", "own": "x"}, true},
	} {
		g.patch(tc.manager, "settings", tc.patch)
		result := g.must(files)
		if diff := cmp.Diff(tc.data, g.data("settings")); diff != "" {
			t.Errorf("%s -want +got\n%s", tc.reason, diff)
		}
		if (g.wire.writes > 0) != tc.writes {
			t.Errorf("%s There were %d writes:\n%s", tc.reason, g.wire.writes, result.Changes)
		}
		g.rests(files)
	}

	if err := shared.client(t).CoreV1().ConfigMaps(g.request.Sync.Namespace).Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := g.must(files).Changes.Written().String(); got != "ConfigMap/settings created\n" {
		t.Errorf("what was deleted by hand comes to %q", got)
	}
}

// TestGitOpsEmptied: a repository that is suddenly empty, or something else altogether, takes nothing down.
func TestGitOpsEmptied(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{"a.yaml": configMap("a") + "---\n" + configMap("b")}
	g.must(files)

	for range 3 {
		result := g.must(nil)
		contains(t, "the guard", result.Guard+result.Changes.String(), "ConfigMap/a kept (it was held back")
		if g.data("a") == nil || g.data("b") == nil || g.wire.writes > 0 {
			t.Fatal("an emptied repository took something down")
		}
	}
	for range 3 {
		g.must(map[string]string{"c.yaml": configMap("c")})
		if g.data("a") == nil || g.data("b") == nil || g.data("c") == nil {
			t.Fatal("another directory took something down")
		}
	}
	g.must(files)
	if g.data("c") != nil {
		t.Error("when the objects are back, what has come meanwhile goes")
	}

	r := g.with(nil)
	r.AllowEmpty = true
	if _, err := g.do(r); err != nil {
		t.Fatal(err)
	}
	if g.data("a") != nil || g.data("b") != nil || len(g.recorded) > 0 {
		t.Errorf("what is meant is not done: %v", g.recorded)
	}
}

// TestGitOpsOptOuts: objects say themselves how they are treated.
func TestGitOpsOptOuts(t *testing.T) {
	g := newSyncer(t, developer)
	with := func(name, key, value string) string {
		return strings.Replace(configMap(name, "level", "info"), "{name: "+name+"}", fmt.Sprintf("{name: %s, annotations: {%s: %s}}", name, key, value), 1)
	}
	files := map[string]string{
		"data.yaml":    with("data", "gitops.dogker.io/prune", "disabled"),
		"seed.yaml":    with("seed", "gitops.dogker.io/ssa", "IfNotPresent"),
		"merged.yaml":  with("merged", "kustomize.toolkit.fluxcd.io/ssa", "Merge"),
		"plain.yaml":   configMap("plain", "level", "info"),
		"ignored.yaml": with("ignored", "gitops.dogker.io/reconcile", "disabled"),
	}
	g.must(files)
	if g.data("ignored") != nil {
		t.Error("what is not to be reconciled was created")
	}

	g.patch("kubectl-edit", "seed", `{"data": {"level": "mine"}}`)
	g.patch("kubectl-edit", "merged", `{"data": {"level": "mine", "extra": "x"}}`)
	g.patch("kubectl-edit", "plain", `{"metadata": {"annotations": {"gitops.dogker.io/reconcile": "disabled"}}, "data": {"level": "mine"}}`)
	g.must(files)
	for name, want := range map[string]map[string]string{
		"seed":   {"level": "mine"},
		"merged": {"level": "info", "extra": "x"},
		"plain":  {"level": "mine"},
	} {
		if diff := cmp.Diff(want, g.data(name)); diff != "" {
			t.Errorf("%s -want +got\n%s", name, diff)
		}
	}

	result := g.must(map[string]string{"merged.yaml": files["merged.yaml"]})
	if g.data("data") == nil || g.data("plain") == nil || g.data("seed") != nil {
		t.Errorf("the wrong ones were pruned:\n%s", result.Changes)
	}
	contains(t, "the changes", result.Changes.String(), "ConfigMap/data kept (its own metadata says that it is not pruned)", "ConfigMap/seed deleted")
	if len(g.recorded) != 1 {
		t.Errorf("what was taken out of our hands is still on record: %v", g.recorded)
	}
}

// TestGitOpsIgnoredFields: who scales a container is not overruled, while all else of it is kept.
func TestGitOpsIgnoredFields(t *testing.T) {
	g := newSyncer(t, developer)
	g.request.Ignore = []delivery.IgnoreRule{{Kind: "TenantContainer", Paths: []string{"/spec/replicas"}}}
	files := map[string]string{"web.yaml": tenantContainer("web", "replicas: 2")}
	g.must(files)

	api := shared.dynamic(t).Resource(containers).Namespace(g.request.Sync.Namespace)
	scale := func(n int) {
		t.Helper()
		if _, err := api.Patch(t.Context(), "web", types.MergePatchType, fmt.Appendf(nil, `{"spec": {"replicas": %d}}`, n),
			metav1.PatchOptions{FieldManager: "autoscaler"}, "scale"); err != nil {
			t.Fatal(err)
		}
	}
	replicas := func() int64 {
		t.Helper()
		web, err := api.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n, _, _ := unstructured.NestedInt64(web.Object, "spec", "replicas")

		return n
	}

	if got := replicas(); got != 2 {
		t.Errorf("the first number is the repository's, not %d", got)
	}
	for _, n := range []int{5, 1, 4} {
		scale(n)
		files["web.yaml"] = tenantContainer("web", fmt.Sprintf("replicas: 2, env: [{name: COUNT, value: '%d'}]", n))
		g.must(files)
		if got := replicas(); got != int64(n) {
			t.Errorf("the autoscaler said %d, and there are %d", n, got)
		}
		g.must(files)
		g.rests(files)
	}
}

// TestGitOpsForce: what cannot be changed is made anew only where that is allowed, and never for a change that is wrong anyway.
func TestGitOpsForce(t *testing.T) {
	g := newSyncer(t, developer)
	secret := func(kind, more string) map[string]string {
		return map[string]string{"a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db" + more + "}\ntype: " + kind + "\ndata: {key: eHl6enk=}\n"}
	}
	uid := func() types.UID {
		t.Helper()
		s, err := shared.client(t).CoreV1().Secrets(g.request.Sync.Namespace).Get(t.Context(), "db", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}

		return s.UID
	}
	g.must(secret("Opaque", ""))
	first := uid()

	_, err := g.sync(secret("example.com/other", ""))
	refusal(t, err, delivery.ReasonImmutable, "a.yaml:1: Secret/db: type: ", "immutable", "gitops.dogker.io/force: enabled")

	const force = ", annotations: {gitops.dogker.io/force: enabled}"
	_, err = g.sync(secret("kubernetes.io/tls", force))
	if err == nil {
		t.Error("a change that is wrong was accepted")
	}
	if uid() != first {
		t.Fatal("a Secret was deleted for a change that is wrong anyway")
	}

	if got := g.must(secret("example.com/other", force)).Changes.Written().String(); got != "Secret/db recreated\n" {
		t.Errorf("it comes to %q", got)
	}
	if uid() == first {
		t.Error("it is the same Secret")
	}
	g.rests(secret("example.com/other", force))
}

// refusal demands an error about an object.
func refusal(t *testing.T, err error, reason delivery.Reason, says ...string) {
	t.Helper()
	var one *delivery.Error
	if !errors.As(err, &one) {
		t.Fatalf("the error is %v", err)
	}
	if one.Reason != reason {
		t.Errorf("the reason is %s, want %s: %v", one.Reason, reason, err)
	}
	contains(t, "the error", err.Error(), says...)
}

// TestGitOpsForeigners: labels alone are no claim, and neither is a record.
func TestGitOpsForeigners(t *testing.T) {
	g := newSyncer(t, developer)
	files := map[string]string{"a.yaml": configMap("a") + "---\n" + configMap("b")}
	g.must(files)

	other := *g
	other.request.Sync.Name, other.recorded = "other", nil
	_, err := other.sync(map[string]string{"x.yaml": configMap("a", "mine", "yes")})
	refusal(t, err, delivery.ReasonForeign, `belongs to the sync "`+g.request.Sync.String()+`"`)

	// It forges a record of what another sync and another namespace have.
	elsewhere := shared.namespace(t)
	client := shared.client(t)
	if _, err := client.CoreV1().ConfigMaps(elsewhere).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: "theirs", Labels: map[string]string{"gitops.dogker.io/name": "other", "gitops.dogker.io/namespace": g.request.Sync.Namespace},
	}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	other.recorded = []inventory.Entry{
		{ID: g.request.Sync.Namespace + "_a__ConfigMap", Version: "v1"}, {ID: elsewhere + "_theirs__ConfigMap", Version: "v1"},
		{ID: other.request.Sync.Namespace + "_own__ConfigMap", Version: "v1"},
	}
	result := other.must(map[string]string{"x.yaml": configMap("own")})
	contains(t, "the changes", result.Changes.String(), "ConfigMap/a kept (it does not belong to this sync any more)", "ConfigMap/theirs kept (it is not in the namespace of this sync)")
	if _, err := client.CoreV1().ConfigMaps(elsewhere).Get(t.Context(), "theirs", metav1.GetOptions{}); err != nil || g.data("a") == nil {
		t.Errorf("what belongs to others was pruned: %v", err)
	}
}

// TestGitOpsKilled: a process that dies at any write leaves what the next one finishes, and then there is nothing left to do.
func TestGitOpsKilled(t *testing.T) {
	g := newSyncer(t, developer)
	for at := range 6 {
		before := map[string]string{"a.yaml": configMap("kept", "count", "0") + "---\n" + configMap("gone") + "---\n" + configMap("gone-too")}
		after := map[string]string{"a.yaml": configMap("kept", "count", fmt.Sprint(at+1)) + "---\n" + configMap("new")}
		g.must(before)
		g.patch("kubectl-edit", "kept", `{"data": {"extra": "x"}}`)

		g.wire.writesLeft = at
		_, err := g.sync(after)
		if err == nil && at < 5 {
			t.Fatalf("it did not die at write %d", at)
		}

		g.restart()
		g.must(after)
		if g.data("gone") != nil || g.data("gone-too") != nil || g.data("new") == nil || len(g.recorded) != 2 {
			t.Errorf("death at write %d: not all is done, and on record are %v", at, g.recorded)
		}
		if diff := cmp.Diff(map[string]string{"count": fmt.Sprint(at + 1)}, g.data("kept")); diff != "" {
			t.Errorf("death at write %d\n%s", at, diff)
		}
		g.rests(after)
	}
}

// TestGitOpsInBetween: who changes an object between the look and the write is not overwritten unseen.
func TestGitOpsInBetween(t *testing.T) {
	g := newSyncer(t, developer)
	g.must(map[string]string{"a.yaml": configMap("a", "count", "1") + "---\n" + configMap("b", "count", "1")})

	p, err := g.applier.Plan(t.Context(), g.with(map[string]string{"a.yaml": configMap("a", "count", "2")}))
	if err != nil {
		t.Fatal(err)
	}
	g.patch("kubectl-annotate", "a", `{"metadata": {"annotations": {"gitops.dogker.io/reconcile": "disabled"}}}`)
	g.patch("kubectl-annotate", "b", `{"metadata": {"annotations": {"gitops.dogker.io/prune": "disabled"}}}`)

	done, err := p.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pruned, _, err := p.Prune(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := done.String() + pruned.String(); got != "ConfigMap/a skipped\nConfigMap/b kept (its own metadata says that it is not pruned)\n" {
		t.Errorf("it was not seen:\n%s", got)
	}
	if g.data("a")["count"] != "1" || g.data("b") == nil {
		t.Error("it was overwritten")
	}
}

// TestGitOpsWaits: what is not Ready is named with what it says about itself, and what a commit has removed stays until then.
func TestGitOpsWaits(t *testing.T) {
	g := newSyncer(t, developer)
	g.must(map[string]string{"a.yaml": configMap("old")})

	r := g.with(map[string]string{"web.yaml": tenantContainer("web", "replicas: 1")})
	// Without an engine no container becomes Ready.
	_, err := g.applier.Sync(t.Context(), r, 300*time.Millisecond, func(_ context.Context, entries []inventory.Entry) error {
		g.recorded = entries

		return nil
	})
	refusal(t, err, delivery.ReasonUnhealthy, "web.yaml:1: TenantContainer/web: ")
	if g.data("old") == nil {
		t.Error("what served before was pruned although what replaces it is not Ready")
	}
	if len(g.recorded) != 2 {
		t.Errorf("on record are %v", g.recorded)
	}
}
