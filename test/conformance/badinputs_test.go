//go:build conformance

package conformance

import (
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"
)

// refusals are the answers that say "this is your mistake", and which.
var refusals = map[int32]bool{
	http.StatusBadRequest:            true,
	http.StatusRequestEntityTooLarge: true,
	http.StatusUnprocessableEntity:   true,
}

// TestBadInputs: what cannot be run, or must not, is refused with the path of the field, its value and what is allowed,
// and nothing is created.
func TestBadInputs(t *testing.T) {
	if len(badInputs) < 60 {
		t.Fatalf("%d bad inputs, want at least 60", len(badInputs))
	}
	ns := shared.namespace(t)
	client := shared.client(t)

	for name, tc := range badInputs {
		t.Run(name, func(t *testing.T) {
			err := post(t, client, ns, tc.body(t))
			if err == nil {
				t.Fatal("it was accepted")
			}
			status, ok := err.(apierrors.APIStatus)
			if !ok || !refusals[status.Status().Code] {
				t.Fatalf("the answer is no refusal: %v", err)
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the message lacks %q:\n%.600s", part, err)
				}
			}
		})
	}

	list, err := shared.dynamic(t).Resource(containers).Namespace(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) > 0 {
		t.Errorf("%d bad inputs were stored", len(list.Items))
	}
}

// body is the object in YAML, as kubectl would send it.
func (b badInput) body(t *testing.T) string {
	t.Helper()
	if b.object != "" {
		return b.object
	}
	if strings.Contains(b.spec, "image:") {
		return "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: " + b.spec + "\n"
	}

	return "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: " +
		strings.Replace(b.spec, "{", "{image: registry.example/shop:1, ", 1) + "\n"
}

// post sends an object as a strict client does.
func post(t *testing.T, client *kubernetes.Clientset, namespace, body string) error {
	t.Helper()
	return client.RESTClient().Post().
		AbsPath("/apis/dogker.io/v1alpha1/namespaces", namespace, "tenantcontainers").
		Param("fieldValidation", "Strict").
		SetHeader("Content-Type", "application/yaml").
		Body([]byte(body)).
		Do(t.Context()).Error()
}

// TestBadUpdates: a good object is not turned into a bad one by any way of changing it.
func TestBadUpdates(t *testing.T) {
	ns := shared.namespace(t)
	good := create(t, shared, ns, "web")
	api := shared.dynamic(t).Resource(containers).Namespace(ns)

	// The controller writes the status meanwhile, which makes what was read out of date.
	updated := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		update, err := api.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		_ = unstructured.SetNestedField(update.Object, int64(-1), "spec", "replicas")
		_, err = api.Update(t.Context(), update, metav1.UpdateOptions{FieldValidation: "Strict"})

		return err
	})
	_, merged := api.Patch(t.Context(), "web", "application/merge-patch+json", []byte(`{"spec":{"replicas":-1}}`), metav1.PatchOptions{})
	_, patched := api.Patch(t.Context(), "web", "application/json-patch+json", []byte(`[{"op":"replace","path":"/spec/replicas","value":-1}]`), metav1.PatchOptions{})
	force := true
	applied, err := yaml.YAMLToJSON([]byte(strings.Replace(minimal, "spec:", "spec:\n  replicas: -1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, served := api.Patch(t.Context(), "web", "application/apply-patch+yaml", applied, metav1.PatchOptions{FieldManager: "test", Force: &force})

	for way, err := range map[string]error{"update": updated, "merge patch": merged, "JSON patch": patched, "server-side apply": served} {
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.replicas: Invalid value: -1") {
			t.Errorf("%s got %v", way, err)
		}
	}
	after, err := api.Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || after.GetGeneration() != good.GetGeneration() {
		t.Errorf("the object has generation %d, %v; want %d", after.GetGeneration(), err, good.GetGeneration())
	}
}

// TestBadRequests: what is wrong with a request beside its object is said as plainly.
func TestBadRequests(t *testing.T) {
	ns := shared.namespace(t)
	create(t, shared, ns, "web")
	client := shared.client(t).RESTClient()
	base := "/apis/dogker.io/v1alpha1/namespaces/" + ns + "/tenantcontainers"

	for name, tc := range map[string]struct {
		reason string
		ask    func() error
		want   func(error) bool
	}{
		"BadResourceVersion": {
			reason: "A version that is none is not taken for the present.",
			ask: func() error {
				return client.Get().AbsPath(base).Param("resourceVersion", "abc").Do(t.Context()).Error()
			},
			want: func(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) },
		},
		"FutureResourceVersion": {
			reason: "A version that does not exist yet is not answered with an older state.",
			ask: func() error {
				return client.Get().AbsPath(base).Param("resourceVersion", "9000000000").Param("timeout", "2s").Do(t.Context()).Error()
			},
			want: func(err error) bool { return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) },
		},
		"ForgedContinueToken": {
			reason: "A token that was not handed out opens nothing.",
			ask: func() error {
				return client.Get().AbsPath(base).Param("limit", "1").Param("continue", "forged").Do(t.Context()).Error()
			},
			want: apierrors.IsBadRequest,
		},
		"BadSelector": {
			reason: "A selector that does not parse does not select everything.",
			ask: func() error {
				return client.Get().AbsPath(base).Param("labelSelector", "a in (").Do(t.Context()).Error()
			},
			want: apierrors.IsBadRequest,
		},
		"TooLarge": {
			reason: "A body beyond the limit is not read to its end.",
			ask: func() error {
				return client.Post().AbsPath(base).SetHeader("Content-Type", "application/json").Body([]byte(`{"x":"` + strings.Repeat("x", 4<<20) + `"}`)).Do(t.Context()).Error()
			},
			want: apierrors.IsRequestEntityTooLargeError,
		},
		"UnknownEncoding": {
			reason: "Custom kinds have no protobuf.",
			ask: func() error {
				return client.Post().AbsPath(base).SetHeader("Content-Type", "application/vnd.kubernetes.protobuf").Body([]byte("garbage")).Do(t.Context()).Error()
			},
			want: apierrors.IsUnsupportedMediaType,
		},
		"StatusCannotCarrySpec": {
			reason: "The status subresource changes status and nothing else.",
			ask: func() error {
				if err := client.Patch("application/merge-patch+json").AbsPath(base, "web", "status").Body([]byte(`{"spec":{"replicas":7}}`)).Do(t.Context()).Error(); err != nil {
					return err
				}
				web, err := shared.dynamic(t).Resource(containers).Namespace(ns).Get(t.Context(), "web", metav1.GetOptions{})
				if err != nil {
					return err
				}
				if n, _, _ := unstructured.NestedInt64(web.Object, "spec", "replicas"); n != 1 {
					t.Errorf("the status subresource set replicas to %d", n)
				}
				return nil
			},
			want: func(err error) bool { return err == nil },
		},
		"StaleUpdate": {
			reason: "Of two writers that saw the same version, one is told to look again.",
			ask: func() error {
				api := shared.dynamic(t).Resource(containers).Namespace(ns)
				web, err := api.Get(t.Context(), "web", metav1.GetOptions{})
				if err != nil {
					return err
				}
				web.SetResourceVersion("1")
				_, err = api.Update(t.Context(), web, metav1.UpdateOptions{})
				return err
			},
			want: apierrors.IsConflict,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.ask(); !tc.want(err) {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}
}
