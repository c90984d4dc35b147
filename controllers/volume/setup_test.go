package volume

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestStepsOfContainerWakeVolumes: whatever a container reports may be that its service is there, until that is on record.
func TestStepsOfContainerWakeVolumes(t *testing.T) {
	w := newWorld(t, vol("new"), vol("old", func(v *v1alpha1.Volume) { v.Status.MountedAt = new(metav1.Now()) }))
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()

	before := container("web", "new", "old", "none")
	after := before.DeepCopy()
	after.Status.Revision = 1
	mounted(w.Client).Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: after}, queue)
	if queue.Len() != 1 {
		t.Fatalf("%d Volumes are woken, want 1", queue.Len())
	}
	if got, _ := queue.Get(); got.Name != "new" || got.Namespace != "acme" {
		t.Errorf("woken is %s", got)
	}
}
