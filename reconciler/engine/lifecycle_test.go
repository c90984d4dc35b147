package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

func TestFinalizerComesBeforeTheFirstPass(t *testing.T) {
	b := newBench(t, kindFunc(func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
		if diff := cmp.Diff([]string{v1alpha1.Finalizer}, c.Finalizers); diff != "" {
			t.Errorf("finalizers during the pass (-want +got):\n%s", diff)
		}

		return ready(ctx, c)
	}))
	b.edit(func(c *v1alpha1.TenantContainer) { c.Finalizers = nil })
	b.pass()
	b.pass()

	if diff := cmp.Diff([]string{"object", "status"}, b.writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestDeletion(t *testing.T) {
	left := 2
	b := newBench(t, &finalizing{left: &left})
	b.edit(func(c *v1alpha1.TenantContainer) { c.Finalizers = append(c.Finalizers, "example.org/other") })
	b.pass()

	if err := b.store.Delete(t.Context(), b.stored()); err != nil {
		t.Fatal(err)
	}

	b.pin()

	for range 5 {
		b.pass()
	}

	if left != 0 {
		t.Errorf("%d passes of finalization too few or too many", left)
	}

	if diff := cmp.Diff([]string{"example.org/other"}, b.stored().Finalizers); diff != "" {
		t.Errorf("finalizers left (-want +got):\n%s", diff)
	}

	if diff := cmp.Diff([]string{"status", "status", "object"}, b.writes); diff != "" {
		t.Errorf("writes, with a cache that lags (-want +got):\n%s", diff)
	}
}

// finalizing is a kind that takes so many passes to take an object down.
type finalizing struct {
	left      *int
	forgotten []types.NamespacedName
}

func (f *finalizing) Reconcile(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
	if c.DeletionTimestamp == nil {
		return ready(ctx, c)
	}

	*f.left--
	if *f.left > 0 {
		return outcome.Result{}, &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: "tasks are stopping"}
	}

	return outcome.Result{Finalized: true}, nil
}

func (f *finalizing) Forget(key types.NamespacedName) { f.forgotten = append(f.forgotten, key) }

func TestGoneObjectIsForgotten(t *testing.T) {
	left := 1
	kind := &finalizing{left: &left}
	b := newBench(t, kind)

	if err := b.store.Delete(t.Context(), b.stored()); err != nil {
		t.Fatal(err)
	}

	b.pass()

	if err := b.store.Get(t.Context(), key, &v1alpha1.TenantContainer{}); !apierrors.IsNotFound(err) {
		t.Fatalf("Get = %v, want not found", err)
	}

	b.pass()

	if diff := cmp.Diff([]types.NamespacedName{key}, kind.forgotten); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
}

func TestPassThatChangesSpec(t *testing.T) {
	meddle := kindFunc(func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
		c.Spec.Image = "other"

		return ready(ctx, c)
	})

	t.Run("PanicsInTests", func(t *testing.T) {
		defer func() {
			if p := fmt.Sprint(recover()); !strings.Contains(p, "[spec]") {
				t.Errorf("a pass that changed the spec ended in %q", p)
			}
		}()

		newBench(t, meddle).pass()
	})

	t.Run("IsDroppedInProduction", func(t *testing.T) {
		b := newBench(t, meddle, func(o *engine.Options) { o.Strict = false })
		b.pass()

		if got := b.stored().Spec.Image; got != "" {
			t.Errorf("the store has image %q", got)
		}

		b.lint()
	})
}

func TestMetricsCountEndings(t *testing.T) {
	reg := prometheus.NewRegistry()
	b := newBench(t, kindFunc(func(context.Context, *v1alpha1.TenantContainer) (outcome.Result, error) { panic("x") }),
		func(o *engine.Options) { o.Metrics = engine.NewMetrics(reg) })
	b.pass()

	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}

	got := map[string]float64{}

	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}

	want := map[string]float64{
		"dogker_reconcile_duration_seconds":     1,
		"dogker_reconcile_total":                1,
		"dogker_reconcile_panics_total":         1,
		"dogker_reconcile_status_patches_total": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}
