package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// pin shows the engine the object as it is now, whatever becomes of it in the store.
func (b *bench) pin() {
	pinned := b.stored()
	b.get = func(obj client.Object) error {
		pinned.DeepCopyInto(obj.(*v1alpha1.TenantContainer))

		return nil
	}
}

func TestLaggingCacheCausesNoSecondWrite(t *testing.T) {
	b := newBench(t, kindFunc(ready))
	b.pin()

	for range 5 {
		b.pass()
	}

	if diff := cmp.Diff([]string{"status"}, b.writes); diff != "" {
		t.Errorf("the cache never showed our own write; writes (-want +got):\n%s", diff)
	}
}

func TestCacheThatGoesBackInTimeIsNotObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var generations []int64

		b := newBench(t, kindFunc(func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
			generations = append(generations, c.Generation)

			return ready(ctx, c)
		}))

		b.pass()
		b.pin()
		old := b.get
		b.get = nil
		b.edit(func(c *v1alpha1.TenantContainer) { c.Generation = 2 })
		b.pass()

		// A new version by somebody else, seen once; then the cache falls back behind it.
		b.edit(func(c *v1alpha1.TenantContainer) { c.Generation = 3 })
		b.pass()
		b.edit(func(c *v1alpha1.TenantContainer) { c.Labels = map[string]string{"a": "b"} })
		b.pass()

		b.get = old
		if after := b.pass(); after == 0 {
			t.Error("a stale read must be looked at again")
		}

		if diff := cmp.Diff([]int64{1, 2, 3, 3}, generations); diff != "" {
			t.Errorf("generations that passes acted on (-want +got):\n%s", diff)
		}

		time.Sleep(time.Hour)
		b.pass()

		if got := generations[len(generations)-1]; got != 1 {
			t.Error("a store that was put back to an earlier state must be obeyed in the end")
		}
	})
}

func TestOwnWriteStartsNoPass(t *testing.T) {
	b := newBench(t, kindFunc(ready))
	filter := b.engine.IgnoreOwnWrites()
	before := b.stored()

	b.pass()

	update := event.UpdateEvent{ObjectOld: before, ObjectNew: b.stored()}
	if filter.Update(update) {
		t.Error("our own status patch starts another pass")
	}

	if !filter.Update(update) {
		t.Error("a resync of the same version must start a pass")
	}

	b.edit(func(c *v1alpha1.TenantContainer) { c.Generation = 2 })

	if !filter.Update(event.UpdateEvent{ObjectOld: update.ObjectNew, ObjectNew: b.stored()}) {
		t.Error("a change by somebody else must start a pass")
	}
}

func TestUnreadableStoreIsRetried(t *testing.T) {
	b := newBench(t, kindFunc(ready))
	b.get = func(client.Object) error { return apierrors.NewInternalError(errBoom) }

	if after := b.pass(); after != 5*time.Millisecond {
		t.Errorf("next pass after %v", after)
	}
}

func TestStatusIsRestored(t *testing.T) {
	b := newBench(t, kindFunc(ready))
	b.pass()

	c := b.stored()
	c.Status = v1alpha1.TenantContainerStatus{}

	if err := b.store.Status().Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}

	b.pass()

	if !conditions.IsTrue(b.stored(), conditions.Ready) {
		t.Error("a deleted status was not restored")
	}
}

func TestStatusPatchThatFailsIsToldToNobodyAndRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, kindFunc(ready))
		b.patch = func() error { return apierrors.NewInternalError(errBoom) }

		after := b.pass()
		if after == 0 || len(b.events) > 0 {
			t.Fatalf("next pass after %v, events %q", after, b.events)
		}

		b.patch = nil

		time.Sleep(after)
		b.pass()
		b.lint()
	})
}

func TestStatusPatchOfVanishedObjectIsNoError(t *testing.T) {
	b := newBench(t, kindFunc(ready))
	b.patch = func() error { return apierrors.NewNotFound(schema.GroupResource{}, key.Name) }

	if after := b.pass(); after != 0 {
		t.Errorf("next pass after %v", after)
	}
}

func TestStatusIsWrittenForTheVersionThatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		edited := false

		var b *bench

		b = newBench(t, kindFunc(func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
			if !edited {
				edited = true

				b.edit(func(c *v1alpha1.TenantContainer) { c.Generation = 2 })
			}

			return ready(ctx, c)
		}))

		after := b.pass()
		if len(b.stored().Status.Conditions) > 0 || len(b.events) > 0 || after != 5*time.Millisecond {
			t.Fatalf("a status made from an old version was written or told; next pass after %v", after)
		}

		time.Sleep(after)
		b.pass()

		if got := b.stored().Status.ObservedGeneration; got != 2 {
			t.Errorf("observedGeneration %d", got)
		}
	})
}
