package apply

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

func TestDecode(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, yaml, want string
		platform           bool
	}{
		"GetsItsNamespace": {
			reason: "An object is in the sync's namespace and carries its labels.",
			yaml:   "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {tier: front}}, data: {k: v}}",
			want:   "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: acme, labels: {tier: front, gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}, data: {k: v}}",
		},
		"ExportedFromACluster": {
			reason: "What the API decides about is no wish. As preconditions, version and UID would be wrong for ever.",
			yaml:   "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: u, resourceVersion: '1', generation: 3, creationTimestamp: '2026-01-01T00:00:00Z', managedFields: []}, status: {x: y}}",
			want:   "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: acme, labels: {gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}}",
		},
		"StringData": {
			reason: "It is stored as data. As it is it would differ for ever.",
			yaml:   "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: eA==, b: eA==}, stringData: {b: yy, c: z}}",
			want:   "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: acme, labels: {gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}, data: {a: eA==, b: eXk=, c: eg==}}",
		},
		"StringDataOfNumbers": {
			reason: "What is no text is for the API to refuse.",
			yaml:   "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: 1}}",
			want:   "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: acme, labels: {gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}, stringData: {a: 1}}",
		},
		"PlatformsOwn": {
			reason:   "The platform's syncs may leave their namespace.",
			yaml:     "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}",
			want:     "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other, labels: {gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}}",
			platform: true,
		},
		"PlatformsCluster": {
			reason:   "And what is in none has none.",
			yaml:     "{apiVersion: dogker.io/v1alpha1, kind: Tenant, metadata: {name: a, namespace: nonsense}}",
			want:     "{apiVersion: dogker.io/v1alpha1, kind: Tenant, metadata: {name: a, labels: {gitops.dogker.io/name: shop, gitops.dogker.io/namespace: acme}}}",
			platform: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, tc.yaml)
			r.AnyNamespace = tc.platform
			items, errs := decode(r, kinds())
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if diff := cmp.Diff(object(t, tc.want).Object, items[0].object.Object); diff != "" {
				t.Errorf("%s -want +got\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	configMap := func(metadata string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {" + metadata + "}}"
	}
	for name, tc := range map[string]struct {
		yaml   string
		reason delivery.Reason
		want   string
	}{
		"OtherNamespace":  {configMap("name: a, namespace: b"), delivery.ReasonNamespaceRefused, `app.yaml:1: ConfigMap/a: metadata.namespace: Invalid value: "b": must be "acme" or empty, because a sync stays in its own namespace`},
		"ClusterScoped":   {"{apiVersion: v1, kind: Namespace, metadata: {name: a}}", delivery.ReasonNamespaceRefused, `app.yaml:1: Namespace/a: belongs to the whole cluster; a sync stays in its own namespace, "acme"`},
		"UnknownKind":     {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}", delivery.ReasonKindUnknown, "app.yaml:1: Deployment.apps/a: there is no kind Deployment in apps/v1"},
		"UnknownVersion":  {"{apiVersion: dogker.io/v9, kind: Tenant, metadata: {name: a}}", delivery.ReasonKindUnknown, "app.yaml:1: Tenant/a: there is no kind Tenant in dogker.io/v9"},
		"NoName":          {configMap("generateName: a-"), delivery.ReasonInvalid, "app.yaml:1: ConfigMap/: metadata.name: must not be empty"},
		"LabelOfNumber":   {configMap("name: a, labels: {version: 1}"), delivery.ReasonInvalid, "app.yaml:1: ConfigMap/a: metadata.labels: must be a map of texts; numbers and true need quotes"},
		"AnnotationOfYes": {configMap("name: a, annotations: {gitops.dogker.io/prune: disabled, x: true}"), delivery.ReasonInvalid, "app.yaml:1: ConfigMap/a: metadata.annotations: must be a map of texts; numbers and true need quotes"},
		"ForgedOwner":     {configMap("name: a, labels: {gitops.dogker.io/namespace: b}"), delivery.ReasonInvalid, `app.yaml:1: ConfigMap/a: metadata.labels[gitops.dogker.io/namespace]: Invalid value: "b": must be "acme" or absent, because it says which sync the object belongs to`},
		"NoKind":          {"{apiVersion: v1, metadata: {name: a}}", delivery.ReasonInvalid, "app.yaml:1: is no object with apiVersion and kind"},
	} {
		t.Run(name, func(t *testing.T) {
			items, errs := decode(request(t, tc.yaml), kinds())
			if len(errs) != 1 || len(items) > 0 {
				t.Fatalf("%d items, errors: %v", len(items), errs)
			}
			if errs[0].Reason != tc.reason || errs[0].Error() != tc.want || errs[0].Transient {
				t.Errorf("got %s: %s\nwant %s: %s", errs[0].Reason, errs[0], tc.reason, tc.want)
			}
		})
	}

	_, errs := decode(request(t, configMap("name: a"), configMap("name: a, namespace: acme")), kinds())
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "app.yaml:11: ConfigMap/a: is declared twice, here and in app.yaml:1") {
		t.Errorf("one object in two places: %v", errs)
	}

	many := make([]string, 100)
	for i := range many {
		many[i] = configMap("name: a, namespace: b")
	}
	_, errs = decode(request(t, many...), kinds())
	if len(errs) != maxDecodeErrors || !strings.HasSuffix(errs.Error(), "; and 15 more") {
		t.Errorf("%d errors: %v", len(errs), errs)
	}
}

// FuzzDecode: whatever a repository has, what comes out of it is in the sync's namespace, is the sync's, and is there once.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"}}`,
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","labels":{"x":1}},"stringData":{"a":[]},"data":"x"}`,
		`{"apiVersion":"dogker.io/v1alpha1","kind":"Tenant","metadata":{"name":"a"}}`,
		`{"apiVersion":"v1","kind":"List","items":[{"kind":"ConfigMap"}],"metadata":{"name":"a"}}`,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}`,
	} {
		f.Add([]byte(seed))
	}

	mapper := kinds()

	f.Fuzz(func(t *testing.T, raw []byte) {
		r := delivery.Request{Sync: request(t).Sync, Objects: []source.Object{{JSON: raw}, {JSON: raw}}}
		items, errs := decode(r, mapper)
		if len(items) > 1 || len(items)+len(errs) != 2 {
			t.Fatalf("%d items and %d errors of one object twice", len(items), len(errs))
		}

		for _, it := range items {
			labels, _, err := unstructured.NestedStringMap(it.object.Object, "metadata", "labels")
			if err != nil || labels["gitops.dogker.io/name"] != "shop" || labels["gitops.dogker.io/namespace"] != "acme" {
				t.Fatalf("labels are %v: %v", labels, err)
			}
			if it.object.GetNamespace() != "acme" || it.id.Namespace != "acme" || it.id.Kind != it.object.GetKind() || it.id.Name != it.object.GetName() {
				t.Fatalf("%+v is %v", it.id, it.object.Object)
			}
			if _, err := json.Marshal(it.object.Object); err != nil {
				t.Fatal(err)
			}
		}
	})
}
