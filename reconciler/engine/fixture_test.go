package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

var key = types.NamespacedName{Namespace: "acme", Name: "web"}

// kindFunc is a kind that is one function.
type kindFunc func(context.Context, *v1alpha1.TenantContainer) (outcome.Result, error)

func (f kindFunc) Reconcile(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
	return f(ctx, c)
}

// ready is a kind that finds everything as declared.
func ready(_ context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
	conditions.MarkReady(c, v1alpha1.ReasonRunning, "1 of 1 tasks runs")

	return outcome.Result{}, nil
}

// ending is a kind whose passes all end in the same way.
func ending(result outcome.Result, err error) kindFunc {
	return func(context.Context, *v1alpha1.TenantContainer) (outcome.Result, error) { return result, err }
}

// bench is an engine on a store of one object, and what it does there.
type bench struct {
	t      *testing.T
	store  client.WithWatch
	engine *engine.Engine[*v1alpha1.TenantContainer]
	events []string
	// writes to the store, by what they were.
	writes []string
	// get replaces reads of the engine while set.
	get func(obj client.Object) error
	// patch fails writes of the engine while it returns an error.
	patch func() error
}

func newBench(t *testing.T, kind engine.Kind[*v1alpha1.TenantContainer], change ...func(*engine.Options)) *bench {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	b := &bench{t: t}
	b.store = fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&v1alpha1.TenantContainer{}).
		WithObjects(&v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: key.Name, UID: "uid-1", Generation: 1, Finalizers: []string{v1alpha1.Finalizer},
		}}).Build()

	opts := engine.Options{
		Name: "workload", Finalizer: v1alpha1.Finalizer, Recorder: b, Strict: true,
		Logger: slog.New(slog.DiscardHandler), Jitter: func() float64 { return 0 },
	}
	for _, f := range change {
		f(&opts)
	}

	b.engine = engine.New(client.Client(b.seam()), kind, opts)

	return b
}

// seam is the client of the engine: the store, with reads and writes in the hands of the test.
func (b *bench) seam() client.Client {
	return interceptor.NewClient(b.store, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, k client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if b.get != nil {
				return b.get(obj)
			}

			return c.Get(ctx, k, obj, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			b.writes = append(b.writes, "object")
			if b.patch != nil {
				if err := b.patch(); err != nil {
					return err
				}
			}

			return c.Patch(ctx, obj, patch, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			b.writes = append(b.writes, sub)
			if b.patch != nil {
				if err := b.patch(); err != nil {
					return err
				}
			}

			return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	})
}

func (b *bench) Event(_ runtime.Object, eventType, reason, message string) {
	b.events = append(b.events, eventType+" "+reason+": "+message)
}

// pass runs one pass and returns when the engine wants the next one.
func (b *bench) pass() time.Duration {
	b.t.Helper()

	result, err := b.engine.Reconcile(b.t.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		b.t.Fatalf("Reconcile returned an error, which it never does: %v", err)
	}

	return result.RequeueAfter
}

// stored reads the object from the store itself.
func (b *bench) stored() *v1alpha1.TenantContainer {
	b.t.Helper()

	c := &v1alpha1.TenantContainer{}
	if err := b.store.Get(b.t.Context(), key, c); err != nil {
		b.t.Fatal(err)
	}

	return c
}

// edit changes the object in the store, as a user does.
func (b *bench) edit(change func(*v1alpha1.TenantContainer)) {
	b.t.Helper()

	c := b.stored()
	change(c)

	if err := b.store.Update(b.t.Context(), c); err != nil {
		b.t.Fatal(err)
	}
}

// lint holds the stored status against the rules of status.
func (b *bench) lint() {
	b.t.Helper()
	check.Status(b.t, b.stored())
}
