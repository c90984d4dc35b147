package admission

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

var errBoom = errors.New("boom")

// container is a TenantContainer with the fields that the YAML adds.
func container(t *testing.T, extra string) *unstructured.Unstructured {
	t.Helper()
	if extra == "{}" {
		extra = ""
	}
	raw, err := yaml.YAMLToJSON([]byte("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\n" + extra))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	u.SetName("web")
	u.SetNamespace("shop")

	return u
}

func attributes(now, old *unstructured.Unstructured, sub, who string) admission.Attributes {
	op, before := admission.Create, runtime.Object(nil)
	if old != nil {
		op, before = admission.Update, old
	}
	kind := v1alpha1.GroupVersion.WithKind("TenantContainer")

	return admission.NewAttributesRecord(now, before, kind, "shop", "web", containerResource, sub, op, nil, false, &user.DefaultInfo{Name: who})
}

func plugin(objects ...runtime.Object) (*Plugin, *fake.FakeDynamicClient) {
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{containerResource: "TenantContainerList"}, objects...)

	return &Plugin{Handler: admission.NewHandler(admission.Create, admission.Update), client: client, directory: directory{}}, client
}

func TestAdmit(t *testing.T) {
	const live = "metadata: {finalizers: [dogker.io/swarm]}\n"
	cases := map[string]struct {
		reason   string
		now, old string
		want     string
	}{
		"New": {
			reason: "A container is born with our finalizer and one replica.",
			now:    "spec: {mode: Replicated}",
			want:   live + "spec: {mode: Replicated, replicas: 1}",
		},
		"Zero": {
			reason: "Zero was asked for.",
			now:    "spec: {mode: Replicated, replicas: 0}",
			want:   live + "spec: {mode: Replicated, replicas: 0}",
		},
		"Null": {
			reason: "Null is how some clients say that they say nothing.",
			now:    "spec: {mode: Replicated, replicas: null}",
			want:   live + "spec: {mode: Replicated, replicas: 1}",
		},
		"NewGlobal": {
			reason: "A global container has no number.",
			now:    "spec: {mode: Global}",
			want:   live + "spec: {mode: Global}",
		},
		"NewGlobalWithNumber": {
			reason: "A contradiction is the schema's to refuse; silently dropping it would hide a mistake.",
			now:    "spec: {mode: Global, replicas: 3}",
			want:   live + "spec: {mode: Global, replicas: 3}",
		},
		"BecomesGlobal": {
			reason: "The number stayed behind from the old mode.",
			old:    "spec: {mode: Replicated, replicas: 3}",
			now:    live + "spec: {mode: Global, replicas: 3}",
			want:   live + "spec: {mode: Global}",
		},
		"BecomesGlobalWithNewNumber": {
			reason: "A number that changed together with the mode was meant.",
			old:    "spec: {mode: Replicated, replicas: 3}",
			now:    live + "spec: {mode: Global, replicas: 5}",
			want:   live + "spec: {mode: Global, replicas: 5}",
		},
		"BecomesReplicated": {
			reason: "A replicated container needs a number.",
			old:    "spec: {mode: Global}",
			now:    live + "spec: {mode: Replicated}",
			want:   live + "spec: {mode: Replicated, replicas: 1}",
		},
		"LosesFinalizer": {
			reason: "An object without it would vanish while its containers run on.",
			old:    live + "spec: {mode: Global}",
			now:    "metadata: {finalizers: [other/one]}\nspec: {mode: Global}",
			want:   "metadata: {finalizers: [other/one, dogker.io/swarm]}\nspec: {mode: Global}",
		},
		"IsLetGo": {
			reason: "What is being deleted can be let go.",
			old:    "metadata: {deletionTimestamp: \"2026-01-01T00:00:00Z\", finalizers: [dogker.io/swarm]}\nspec: {mode: Global}",
			now:    "metadata: {deletionTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {mode: Global}",
			want:   "metadata: {deletionTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {mode: Global}",
		},
		"Malformed": {
			reason: "What has the wrong type is left for the schema, whose message is better.",
			now:    "spec: {mode: 5, replicas: three}",
			want:   live + "spec: {mode: 5, replicas: three}",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := plugin()
			now := container(t, tc.now)
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = container(t, tc.old)
			}

			for range 2 { // What it changes, it would not change again.
				if err := p.Admit(t.Context(), attributes(now, old, "", "tenant"), nil); err != nil {
					t.Fatal(err)
				}
			}

			if diff := cmp.Diff(container(t, tc.want).Object, now.Object); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestReservedAnnotations(t *testing.T) {
	const suspended = "metadata: {annotations: {billing.dogker.io/suspend: Unpaid}}"
	cases := map[string]struct {
		reason   string
		user     string
		now, old string
		err      string
	}{
		"TenantSets":      {reason: "A tenant could stop, or resume, itself for money.", user: "tenant", now: suspended, old: "{}", err: "metadata.annotations[billing.dogker.io/suspend]"},
		"TenantCreates":   {reason: "Being born with it is setting it.", user: "tenant", now: suspended, err: "written by system:dogker:billing only"},
		"TenantChanges":   {reason: "Another value is another decision.", user: "tenant", now: "metadata: {annotations: {billing.dogker.io/suspend: Paid}}", old: suspended, err: "billing.dogker.io/"},
		"TenantRemoves":   {reason: "Removing is deciding.", user: "tenant", now: "{}", old: suspended, err: "billing.dogker.io/"},
		"TenantCarries":   {reason: "Whoever changes something else sends it along.", user: "tenant", now: suspended, old: suspended},
		"Administrator":   {reason: "Not even an administrator, except by impersonation, which the audit log shows.", user: "dogker:admin", now: suspended, old: "{}", err: "billing.dogker.io/"},
		"Owner":           {reason: "It is its to write.", user: "system:dogker:billing", now: suspended, old: "{}"},
		"OtherController": {reason: "Each has its own prefix.", user: "system:dogker:monitoring", now: suspended, old: "{}", err: "billing.dogker.io/"},
		"Loopback":        {reason: "Our own process restores and collects.", user: Loopback, now: suspended, old: "{}"},
		"Others":          {reason: "All other annotations are free.", user: "tenant", now: "metadata: {annotations: {dogker.io/suspend: Holiday}}", old: "{}"},
	}

	for name, tc := range cases {
		for _, sub := range []string{"", "status"} {
			t.Run(name+sub, func(t *testing.T) {
				p, _ := plugin()
				var old *unstructured.Unstructured
				if tc.old != "" {
					old = container(t, tc.old)
				}

				err := p.Validate(t.Context(), attributes(container(t, tc.now), old, sub, tc.user), nil)

				if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
					t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.err)
				}
			})
		}
	}
}

func TestFindCycle(t *testing.T) {
	cases := map[string]struct {
		reason string
		edges  map[string][]string
		direct []string
		want   string
	}{
		"None":     {reason: "A chain ends.", direct: []string{"a"}, edges: map[string][]string{"a": {"b"}}},
		"Self":     {reason: "The shortest cycle.", direct: []string{"web"}, want: "web → web"},
		"Long":     {reason: "The way around is shown.", direct: []string{"a"}, edges: map[string][]string{"a": {"b"}, "b": {"web"}}, want: "web → a → b → web"},
		"Shortest": {reason: "Of several, the shortest is the easiest to understand.", direct: []string{"a", "c"}, edges: map[string][]string{"a": {"b"}, "b": {"web"}, "c": {"web"}}, want: "web → c → web"},
		"Diamond":  {reason: "Two ways to one place are no cycle.", direct: []string{"a", "b"}, edges: map[string][]string{"a": {"c"}, "b": {"c"}}},
		"Foreign":  {reason: "A cycle of others, which a race may have closed, ends the walk all the same.", direct: []string{"a"}, edges: map[string][]string{"a": {"b"}, "b": {"a"}}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path, err := findCycle("web", tc.direct, func(name string) ([]string, error) { return tc.edges[name], nil })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, arrows(path)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestFindCycleIsBounded: one write cannot make the server read without end.
func TestFindCycleIsBounded(t *testing.T) {
	reads := 0
	_, err := findCycle("web", []string{"0"}, func(name string) ([]string, error) {
		reads++
		return []string{name + "0", name + "1"}, nil
	})
	if err == nil || reads > maxWalk {
		t.Errorf("after %d reads: %v", reads, err)
	}
}

func TestRefuseCycle(t *testing.T) {
	other := container(t, "spec: {dependsOn: [{name: web}]}")
	other.SetName("cache")
	now := container(t, "spec: {dependsOn: [{name: cache}]}")

	t.Run("New", func(t *testing.T) {
		p, _ := plugin(other)
		err := p.Validate(t.Context(), attributes(now, nil, "", "tenant"), nil)
		if err == nil || !strings.Contains(err.Error(), `spec.dependsOn: Invalid value: "cache": must not lead back to the container itself: web → cache → web`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Unchanged", func(t *testing.T) {
		p, client := plugin(other)
		if err := p.Validate(t.Context(), attributes(now, now, "", "tenant"), nil); err != nil {
			t.Errorf("a write that changes no dependency was refused: %v", err)
		}
		if n := len(client.Actions()); n > 0 {
			t.Errorf("it read %d times", n)
		}
	})
	t.Run("CannotRead", func(t *testing.T) {
		p, client := plugin()
		client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errBoom })
		if err := p.Validate(t.Context(), attributes(now, nil, "", "tenant"), nil); err == nil {
			t.Error("it let pass what it could not check")
		}
	})
}

// TestFailsClosed: an object that the plugin does not understand is refused.
func TestFailsClosed(t *testing.T) {
	p, _ := plugin()
	kind := v1alpha1.GroupVersion.WithKind("TenantContainer")
	typed := admission.NewAttributesRecord(&v1alpha1.TenantContainer{}, nil, kind, "shop", "web", containerResource, "", admission.Create, nil, false, &user.DefaultInfo{})
	for name, check := range map[string]func(context.Context, admission.Attributes, admission.ObjectInterfaces) error{"Admit": p.Admit, "Validate": p.Validate} {
		if err := check(t.Context(), typed, nil); err == nil {
			t.Errorf("%s let it pass", name)
		}
	}
	if err := (&Plugin{}).ValidateInitialization(); err == nil {
		t.Error("a plugin without a client is taken for complete")
	}
}

// TestOtherKinds: nobody else's objects are touched.
func TestOtherKinds(t *testing.T) {
	p, _ := plugin()
	other := container(t, "{}")
	a := admission.NewAttributesRecord(other, nil, schema.GroupVersionKind{Kind: "Secret"}, "shop", "web",
		schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "", admission.Create, nil, false, &user.DefaultInfo{})
	if err := p.Admit(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(other.GetFinalizers(), v1alpha1.Finalizer) {
		t.Error("a Secret was given our finalizer")
	}
}
