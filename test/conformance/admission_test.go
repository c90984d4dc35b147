//go:build conformance

package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestReplicasFollowMode: mode can be changed to and fro by changing mode alone.
func TestReplicasFollowMode(t *testing.T) {
	ns := shared.namespace(t)
	create(t, shared, ns, "web")
	k := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	patch := func(spec string) (string, int) {
		_, stderr, code := k.run("", "patch", "tc", "web", "--type", "merge", "-p", `{"spec":`+spec+`}`)
		return stderr, code
	}

	for _, step := range []struct {
		reason, spec, want string
	}{
		{"The number that was our default goes with its mode.", `{"mode":"Global"}`, ""},
		{"A replicated container without a number has one task.", `{"mode":"Replicated"}`, "1"},
		{"A number can be given with the mode.", `{"mode":"Replicated","replicas":4}`, "4"},
		{"A number that the tenant gave goes with its mode, too.", `{"mode":"Global"}`, ""},
		{"Whoever removes the number gets the default.", `{"mode":"Replicated","replicas":null}`, "1"},
		{"Zero is a number.", `{"replicas":0}`, "0"},
	} {
		if stderr, code := patch(step.spec); code != 0 {
			t.Fatalf("%s %s: %s", step.reason, step.spec, stderr)
		}
		if diff := cmp.Diff(step.want, k.field(".spec.replicas")); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", step.reason, step.spec, diff)
		}
	}

	stderr, code := patch(`{"mode":"Global","replicas":2}`)
	if code == 0 {
		t.Error("a number for a global container was taken")
	}
	contains(t, "refusal", stderr, "replicas must not be set when mode is Global")
}

// TestFinalizer: a container has our finalizer from its birth, keeps it while it is alive, and can be let go when it is
// being deleted.
func TestFinalizer(t *testing.T) {
	ns := shared.namespace(t)
	web := create(t, shared, ns, "web")
	if diff := cmp.Diff([]string{v1alpha1.Finalizer}, web.GetFinalizers()); diff != "" {
		t.Errorf("finalizers of a new container (-want +got):\n%s", diff)
	}

	free(t, shared, ns, "web")
	api := shared.dynamic(t).Resource(containers).Namespace(ns)
	web, err := api.Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{v1alpha1.Finalizer}, web.GetFinalizers()); diff != "" {
		t.Errorf("finalizers of a living container (-want +got):\n%s", diff)
	}
}

// TestDependencyCycle: no write closes a cycle of dependsOn, and the message shows the way around.
func TestDependencyCycle(t *testing.T) {
	ns := shared.namespace(t)
	k := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	for _, name := range []string{"a", "b", "c"} {
		create(t, shared, ns, name)
	}
	depend := func(name, on string) (string, int) {
		_, stderr, code := k.run("", "patch", "tc", name, "--type", "merge", "-p", `{"spec":{"dependsOn":[{"name":"`+on+`"}]}}`)
		return stderr, code
	}

	for name, on := range map[string]string{"a": "b", "b": "c"} {
		if stderr, code := depend(name, on); code != 0 {
			t.Fatal(stderr)
		}
	}
	stderr, code := depend("c", "a")
	if code == 0 {
		t.Error("a cycle was closed")
	}
	contains(t, "refusal", stderr, "spec.dependsOn", `"a"`, "c → a → b → c")
	if stderr, code := depend("c", "missing"); code != 0 {
		t.Errorf("a container that does not exist yet was refused: %s", stderr)
	}

	self := container("self")
	_ = unstructured.SetNestedSlice(self.Object, []any{map[string]any{"name": "self"}}, "spec", "dependsOn")
	_, err := shared.dynamic(t).Resource(containers).Namespace(ns).Create(t.Context(), self, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "spec.dependsOn") {
		t.Errorf("a container that waits for itself got %v", err)
	}
}

// TestReservedAnnotations: annotations by which one controller orders another about are written by their owner only, not
// even by an administrator, and carried along by everybody.
func TestReservedAnnotations(t *testing.T) {
	const billing = "billing.dogker.io/suspend"
	ns := shared.namespace(t)
	create(t, shared, ns, "web")
	annotate := func(user, value string) error {
		cfg := rest.CopyConfig(shared.config(t))
		if user != "" {
			cfg.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
		}
		client, err := dynamic.NewForConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Resource(containers).Namespace(ns).Patch(t.Context(), "web", "application/merge-patch+json",
			[]byte(`{"metadata":{"annotations":{"`+billing+`":`+value+`}}}`), metav1.PatchOptions{})
		return err
	}

	err := annotate("", `"Unpaid"`)
	if err == nil {
		t.Fatal("an administrator wrote an annotation of billing")
	}
	contains(t, "refusal", err.Error(), "metadata.annotations["+billing+"]", "written by system:dogker:billing only")
	if err := annotate("system:dogker:monitoring", `"Unpaid"`); err == nil {
		t.Error("monitoring wrote an annotation of billing")
	}
	if err := annotate("system:dogker:billing", `"Unpaid"`); err != nil {
		t.Fatalf("billing was refused its own: %v", err)
	}
	if err := annotate("", "null"); err == nil {
		t.Error("an administrator removed an annotation of billing")
	}

	k := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	k.do("", "annotate", "tc", "web", "other=fine")
	k.do("", "scale", "tc", "web", "--replicas", "2")
	if got := k.field(`.metadata.annotations.billing\.dogker\.io/suspend`); got != "Unpaid" {
		t.Errorf("the annotation of billing is %q after others' writes", got)
	}
}
