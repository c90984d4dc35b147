package volume

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestStepsOfContainerWakeVolumes: whatever a container reports may be that its service is there, until that is on record, or that what a move
// waits for has ended.
func TestStepsOfContainerWakeVolumes(t *testing.T) {
	old := func(v *v1alpha1.Volume) { v.Status.MountedAt = new(metav1.Now()) }
	w := newWorld(t, vol("new"), vol("old", old), vol("waits", old, func(v *v1alpha1.Volume) {
		conditions.Set(v, v1alpha1.ConditionMoved, metav1.ConditionFalse, v1alpha1.ReasonMoving, "The move has not begun")
	}))
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()

	before := container("web", "new", "old", "waits", "none")
	after := before.DeepCopy()
	after.Status.Revision = 1
	mounted(w.Client).Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: after}, queue)
	if queue.Len() != 2 {
		t.Fatalf("%d Volumes are woken, want 2", queue.Len())
	}
	for _, want := range []string{"new", "waits"} {
		if got, _ := queue.Get(); got.Name != want || got.Namespace != "acme" {
			t.Errorf("woken is %s, want %s", got, want)
		}
	}
}
