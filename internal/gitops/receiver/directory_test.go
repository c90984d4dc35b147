package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/gitsync"
)

// indexing keeps what Index declares, for the fake client.
type indexing struct{ extract client.IndexerFunc }

func (i *indexing) IndexField(_ context.Context, _ client.Object, field string, extract client.IndexerFunc) error {
	if field != indexPath {
		return errors.New("another field")
	}

	i.extract = extract

	return nil
}

func newClient(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	var index indexing
	if err := Index(t.Context(), &index); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithIndex(&gitopsv1.GitSync{}, indexPath, index.extract).Build()
}

// hooked is a GitSync with a webhook, whose status says what its controller has written.
func hooked(edits ...func(*gitopsv1.GitSync)) *gitopsv1.GitSync {
	g := &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", UID: "1-2-3"}}
	g.Spec.Webhook = &gitopsv1.GitWebhook{Type: gitopsv1.WebhookGitLab}
	g.Spec.Webhook.SecretRef.Name = "hook"
	g.Status.WebhookPath = gitsync.WebhookPath(token, "acme", "web", "1-2-3")

	for _, edit := range edits {
		edit(g)
	}

	return g
}

func secretOf(namespace, name, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{"token": []byte(value)}}
}

func TestFind(t *testing.T) {
	path := gitsync.WebhookPath(token, "acme", "web", "1-2-3")
	good := secretOf("acme", "hook", token.Reveal())

	for name, tc := range map[string]struct {
		reason  string
		objects []client.Object
		want    string
	}{
		"Found":          {"It is this one's.", []client.Object{hooked(), good}, "acme/web"},
		"SecretOfAFile":  {"A line's end is none of the token's.", []client.Object{hooked(), secretOf("acme", "hook", token.Reveal()+"\n")}, "acme/web"},
		"Nobody":         {"There is none.", []client.Object{good}, ""},
		"NoSecret":       {"Nobody knows the token.", []client.Object{hooked()}, ""},
		"OtherNamespace": {"Secrets of others are others'.", []client.Object{hooked(), secretOf("other", "hook", token.Reveal())}, ""},
		"NewToken":       {"The old path went with the old token.", []client.Object{hooked(), secretOf("acme", "hook", "a token that came later")}, ""},
		"ShortToken":     {"It is none.", []client.Object{hooked(), secretOf("acme", "hook", "short")}, ""},
		"NoWebhook":      {"It is not wanted any more.", []client.Object{hooked(func(g *gitopsv1.GitSync) { g.Spec.Webhook = nil }), good}, ""},
		"MadeAnew":       {"Another of the same name.", []client.Object{hooked(func(g *gitopsv1.GitSync) { g.UID = "4-5-6" }), good}, ""},
		"Claimed": {"Somebody has written a status by hand.", []client.Object{
			hooked(), good, hooked(func(g *gitopsv1.GitSync) { g.Namespace = "aaa" }), secretOf("aaa", "hook", foreign.Reveal()),
		}, "acme/web"},
		"NoStatus": {"Its controller has not said so.", []client.Object{hooked(func(g *gitopsv1.GitSync) { g.Status.WebhookPath = "" }), good}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewDirectory(newClient(t, tc.objects...)).Find(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}

			if s.Token == "" || s.Type == "" {
				t.Errorf("%s\nthere is nothing to check with: %+v", tc.reason, s)
			}

			if found := strings.Trim(s.String(), "/"); found != tc.want {
				t.Errorf("%s\nfound %q, want %q", tc.reason, found, tc.want)
			}

			if tc.want != "" && (s.Token.Reveal() != token.Reveal() || s.Type != gitopsv1.WebhookGitLab) {
				t.Errorf("%s\nfound %+v", tc.reason, s)
			}

			if tc.want == "" && s.Token.Reveal() == token.Reveal() {
				t.Errorf("%s\nit can be signed for", tc.reason)
			}
		})
	}
}

// TestFindDoesTheSameWork: whether there is a GitSync or not, the cache is asked the same.
func TestFindDoesTheSameWork(t *testing.T) {
	for name, objects := range map[string][]client.Object{
		"Found":  {hooked(), secretOf("acme", "hook", token.Reveal())},
		"Nobody": nil,
	} {
		var calls []string

		reader := interceptor.NewClient(newClient(t, objects...), interceptor.Funcs{
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
				calls = append(calls, "list")

				return c.List(ctx, list, o...)
			},
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				calls = append(calls, "get")

				return c.Get(ctx, key, o, opts...)
			},
		})

		if _, err := NewDirectory(reader).Find(t.Context(), gitsync.WebhookPath(token, "acme", "web", "1-2-3")); err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff([]string{"list", "get"}, calls); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestFindSaysWhenItCannotKnow: a cache that fails is no path that leads nowhere.
func TestFindSaysWhenItCannotKnow(t *testing.T) {
	errBoom := errors.New("boom")
	fails := interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errBoom
		},
	}

	for name, objects := range map[string][]client.Object{"Found": {hooked()}, "Nobody": nil} {
		_, err := NewDirectory(interceptor.NewClient(newClient(t, objects...), fails)).Find(t.Context(), gitsync.WebhookPath(token, "acme", "web", "1-2-3"))
		if !errors.Is(err, errBoom) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnnotate: the annotation is all that is written, and each hint is another value.
func TestAnnotate(t *testing.T) {
	g := hooked()
	g.Annotations = map[string]string{"example.com/kept": "yes"}

	var sent []map[string]any

	c := interceptor.NewClient(newClient(t, g), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			data, err := p.Data(o)
			if err != nil || p.Type() != types.MergePatchType {
				t.Errorf("%v %s", err, p.Type())
			}

			var body map[string]any
			if err := json.Unmarshal(data, &body); err != nil {
				t.Error(err)
			}

			sent = append(sent, body)

			return c.Patch(ctx, o, p, opts...)
		},
	})

	var values []string

	for range 2 {
		if err := Annotate(c)(t.Context(), client.ObjectKeyFromObject(g)); err != nil {
			t.Fatal(err)
		}

		var got gitopsv1.GitSync
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(g), &got); err != nil {
			t.Fatal(err)
		}

		value := got.Annotations[gitopsv1.AnnotationRequestedAt]
		if at, err := time.Parse(time.RFC3339Nano, value); err != nil || time.Since(at) > time.Minute {
			t.Errorf("the hint is %q", value)
		}

		if got.Annotations["example.com/kept"] != "yes" || got.Spec.Webhook == nil {
			t.Errorf("the rest is %+v", got)
		}

		values = append(values, value)

		time.Sleep(time.Microsecond)
	}

	if values[0] == values[1] {
		t.Error("two hints are the same")
	}

	want := map[string]any{"metadata": map[string]any{"annotations": map[string]any{gitopsv1.AnnotationRequestedAt: values[0]}}}
	if diff := cmp.Diff(want, sent[0]); diff != "" {
		t.Errorf("it was sent otherwise than wanted:\n%s", diff)
	}

	if err := Annotate(c)(t.Context(), key("gone")); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("for one that is not there: %v", err)
	}
}
