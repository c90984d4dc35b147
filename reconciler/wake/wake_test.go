package wake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/reconciler/wake"
)

func configMap(namespace, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func requestFor(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}
}

func TestFound(t *testing.T) {
	store := fake.NewClientBuilder().WithObjects(configMap("acme", "a"), configMap("acme", "b"), configMap("globex", "c")).Build()
	away := interceptor.NewClient(store, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("boom")
		},
	})

	cases := map[string]struct {
		reason string
		from   client.Reader
		which  []client.ListOption
		want   []reconcile.Request
	}{
		"All":   {"Everything that is there.", store, nil, []reconcile.Request{requestFor(configMap("acme", "a")), requestFor(configMap("acme", "b")), requestFor(configMap("globex", "c"))}},
		"Some":  {"What the options leave.", store, []client.ListOption{client.InNamespace("globex")}, []reconcile.Request{requestFor(configMap("globex", "c"))}},
		"None":  {"Nothing is no mistake.", store, []client.ListOption{client.InNamespace("initech")}, nil},
		"Error": {"What cannot be read wakes nobody.", away, nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := wake.Found(t.Context(), tc.from, &corev1.ConfigMapList{}, tc.which...)
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// line is a queue that notes what is added later.
type line struct {
	wake.Queue
	added map[string]time.Duration
}

func (l *line) AddAfter(r reconcile.Request, after time.Duration) { l.added[r.Name] = after }

// TestLater: whatever happens to an object asks for it, as it is now, a while later.
func TestLater(t *testing.T) {
	q := &line{added: map[string]time.Duration{}}
	h := wake.Later(time.Second, requestFor)
	h.Create(t.Context(), event.CreateEvent{Object: configMap("acme", "made")}, q)
	h.Update(t.Context(), event.UpdateEvent{ObjectOld: configMap("acme", "was"), ObjectNew: configMap("acme", "is")}, q)
	h.Delete(t.Context(), event.DeleteEvent{Object: configMap("acme", "gone")}, q)

	if diff := cmp.Diff(map[string]time.Duration{"made": time.Second, "is": time.Second, "gone": time.Second}, q.added); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCameOrWent(t *testing.T) {
	o := configMap("acme", "a")
	p := wake.CameOrWent()

	if !p.Create(event.CreateEvent{Object: o}) || !p.Delete(event.DeleteEvent{Object: o}) || p.Update(event.UpdateEvent{ObjectOld: o, ObjectNew: o}) {
		t.Error("a change passes, or what comes or goes does not")
	}
}
