package inuse_test

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/inuse"
	"github.com/dogker/dogker/reconciler/outcome"
)

var users = inuse.Users[*v1alpha1.Tenant]{
	List: func() client.ObjectList { return &v1alpha1.TenantList{} },
	Of:   func(t *v1alpha1.Tenant) string { return string(t.Spec.PlanName) },
}

func tenant(name, plan string) *v1alpha1.Tenant {
	return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TenantSpec{PlanName: v1alpha1.DNSLabel(plan)}}
}

func reader(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func TestCount(t *testing.T) {
	r := reader(t, tenant("a", "small"), tenant("b", "large"), tenant("c", "small"))
	for plan, want := range map[string]int32{"small": 2, "large": 1, "none": 0} {
		if got, err := users.Count(t.Context(), r, plan); err != nil || got != want {
			t.Errorf("of %s are %d, %v, want %d", plan, got, err, want)
		}
	}
}

// TestReader: what is let go must not have come into use meanwhile.
func TestReader(t *testing.T) {
	cached, live := reader(t), reader(t)
	plan := &v1alpha1.Plan{}
	if inuse.Reader(plan, cached, live) != client.Reader(cached) {
		t.Error("what stays is counted past the cache")
	}
	plan.DeletionTimestamp = new(metav1.Now())
	if inuse.Reader(plan, cached, live) != client.Reader(live) {
		t.Error("what goes is counted by the cache")
	}
}

func TestWake(t *testing.T) {
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer q.ShutDown()
	asked := func() map[string]bool {
		out := map[string]bool{}
		for q.Len() > 0 {
			r, _ := q.Get()
			out[r.Name] = true
			q.Done(r)
		}

		return out
	}

	h := users.Wake()
	h.Create(t.Context(), event.CreateEvent{Object: tenant("a", "small")}, q)
	h.Delete(t.Context(), event.DeleteEvent{Object: tenant("b", "large")}, q)
	h.Create(t.Context(), event.CreateEvent{Object: tenant("c", "")}, q)
	if got := asked(); len(got) != 2 || !got["small"] || !got["large"] {
		t.Errorf("who comes and goes asks for %v", got)
	}
	h.Update(t.Context(), event.UpdateEvent{ObjectOld: tenant("a", "small"), ObjectNew: tenant("a", "small")}, q)
	if got := asked(); len(got) != 0 {
		t.Errorf("who stays asks for %v", got)
	}
	h.Update(t.Context(), event.UpdateEvent{ObjectOld: tenant("a", "small"), ObjectNew: tenant("a", "large")}, q)
	if got := asked(); len(got) != 2 || !got["small"] || !got["large"] {
		t.Errorf("who changes asks for %v, want what it was of and what it is of", got)
	}
}

func TestRelease(t *testing.T) {
	if result, err := inuse.Release(0, "still"); err != nil || !result.Finalized {
		t.Errorf("of nobody: %+v, %v", result, err)
	}
	result, err := inuse.Release(1, "still")
	var wait *outcome.Wait
	if result.Finalized || !errors.As(err, &wait) || wait.Reason != v1alpha1.ReasonInUse || wait.Message != "still" {
		t.Errorf("of one: %+v, %v", result, err)
	}
}
