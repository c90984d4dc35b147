package apply

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/inventory"
)

func TestDifferences(t *testing.T) {
	const (
		container = "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\n"
		configMap = "apiVersion: v1\nkind: ConfigMap\n"
		secret    = "apiVersion: v1\nkind: Secret\n"
	)
	for name, tc := range map[string]struct {
		reason, live, want string
		diff               []string
	}{
		"Same": {
			reason: "Status and what the API decides about are no difference.",
			live:   container + "metadata: {name: a, resourceVersion: '1', generation: 1}\nspec: {image: a}\nstatus: {x: y}\n",
			want:   container + "metadata: {name: a, resourceVersion: '2', generation: 2}\nspec: {image: a}\n",
		},
		"EmptyIsAbsent": {
			reason: "An empty map says as much as none.",
			live:   container + "metadata: {name: a, labels: {}}\nspec: {image: a}\n",
			want:   container + "metadata: {name: a}\nspec: {image: a, env: []}\n",
		},
		"Values": {
			reason: "What people declare is shown as they declare it.",
			live:   container + "metadata: {name: a, labels: {x: '1'}}\nspec: {image: 'a:1', replicas: 1, pull: Always}\n",
			want:   container + "metadata: {name: a, labels: {x: '2'}}\nspec: {image: 'a:2', replicas: 2, mode: Global}\n",
			diff:   []string{`metadata.labels.x: "1" → "2"`, `spec.image: "a:1" → "a:2"`, `spec.mode: + "Global"`, `spec.pull: - "Always"`, `spec.replicas: 1 → 2`},
		},
		"NamedItems": {
			reason: "Items with a name are told by it, wherever they stand.",
			live:   container + "spec: {ports: [{name: http, containerPort: 80}, {name: admin, containerPort: 81}]}\n",
			want:   container + "spec: {ports: [{name: admin, containerPort: 82}, {name: http, containerPort: 80}]}\n",
			diff:   []string{"spec.ports[admin].containerPort: 81 → 82"},
		},
		"Reordered": {
			reason: "Where only the order differs, the list is named: the order may mean something.",
			live:   container + "spec: {ports: [{name: a}, {name: b}]}\n",
			want:   container + "spec: {ports: [{name: b}, {name: a}]}\n",
			diff:   []string{`spec.ports: [{"name":"a"},{"name":"b"}] → [{"name":"b"},{"name":"a"}]`},
		},
		"Variables": {
			reason: "People put passwords into variables and arguments.",
			live:   container + "spec: {env: [{name: PW, value: hunter2}], args: ['-p', hunter2]}\n",
			want:   container + "spec: {env: [{name: PW, value: hunter3}], args: ['-p', hunter3]}\n",
			diff:   []string{"spec.args: *** → ***", "spec.env[PW].value: *** → ***"},
		},
		"Annotations": {
			reason: "Nobody knows what annotations hold.",
			live:   container + "metadata: {annotations: {a.b/c: x}}\n",
			want:   container + "metadata: {annotations: {a.b/c: y}}\n",
			diff:   []string{"metadata.annotations[a.b/c]: *** → ***"},
		},
		"ConfigMap": {
			reason: "Content is not for an event.",
			live:   configMap + "data: {nginx.conf: a}\n",
			want:   configMap + "data: {nginx.conf: b, b: c}\n",
			diff:   []string{"data.b", "data[nginx.conf]"},
		},
		"Secret": {
			reason: "Of a Secret the keys are shown.",
			live:   secret + "type: Opaque\ndata: {a: eA==}\n",
			want:   secret + "type: Other\ndata: {a: eQ==}\n",
			diff:   []string{"data.a", "type: *** → ***"},
		},
		"Long": {
			reason: "An event has little room.",
			live:   container + "spec: {image: a}\n",
			want:   container + "spec: {image: " + strings.Repeat("b", 100) + "}\n",
			diff:   []string{`spec.image: "a" → "` + strings.Repeat("b", 62) + "…"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			live, want := object(t, tc.live), object(t, tc.want)
			gvk := live.GroupVersionKind()
			var got []string
			for _, d := range differences(inventory.ID{Group: gvk.Group, Kind: gvk.Kind}, live, want) {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(tc.diff, got); diff != "" {
				t.Errorf("%s -want +got\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSecretsStaySecret: neither differences nor refusals hold a value of a Secret.
func TestSecretsStaySecret(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[A-Z]{4,20}`)
		before, after := value.Draw(rt, "before"), value.Draw(rt, "after")
		encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		document := func(v string) string {
			return "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {key: '" + encode(v) + "'}\n"
		}

		for _, d := range differences(inventory.ID{Kind: "Secret"}, object(t, document(before)), object(t, document(after))) {
			for _, v := range []string{before, after, encode(before), encode(after)} {
				if strings.Contains(d.String(), v) {
					rt.Fatalf("%s tells %s", d, v)
				}
			}
		}

		it := one(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: '"+before+"'}\n")
		said := it.redact("expected map, got " + before + " which is " + encode(before))
		if strings.Contains(said, before) || strings.Contains(said, encode(before)) {
			rt.Fatalf("%q tells %s", said, before)
		}
	})
}
