package volume

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestMoveWaitsForRunsThatBegin wants nothing to be copied while the service of a run may be on its way, and a run that has withdrawn to
// be in nobody's way.
func TestMoveWaitsForRunsThatBegin(t *testing.T) {
	w := running(t)
	j := job("@hourly", "data")
	now := w.controller.now()
	j.Status.History = nil
	j.Status.Active = []v1alpha1.JobRun{{
		Name: "copy-2", Reason: v1alpha1.ReasonWaitingForService, StartTime: metav1.NewTime(now), StartBefore: metav1.NewTime(now.Add(30 * time.Second)),
	}}
	if err := w.Create(t.Context(), j); err != nil {
		t.Fatal(err)
	}

	w.ask("data", to("host-b"))
	start := w.controller.now
	for range 10 {
		w.turn("data")
		w.controller.now = start // A claim lapses by itself.
	}
	if m := w.read("data").Status.Move; m == nil || m.Phase != v1alpha1.MoveStopping {
		t.Fatalf("a run may begin, and the move is %+v", m)
	}

	j.Status.Active[0].Reason = v1alpha1.ReasonMoving
	if err := w.Update(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		w.turn("data")
	}
	w.whole("b", "1,")
}

// TestMoveWaitsForTasksWithoutService wants nothing to be copied while a container still writes whose service was removed: it is not among the
// services that mount the Volume any more.
func TestMoveWaitsForTasksWithoutService(t *testing.T) {
	w := running(t)
	w.lingering = []swarmobj.Writer{{Live: true}}
	w.ask("data", to("host-b"))
	for range 10 {
		w.turn("data")
	}
	if m := w.read("data").Status.Move; m == nil || m.Phase != v1alpha1.MoveStopping || len(w.work.orders) > 0 {
		t.Fatalf("a container still stops, and the move is %+v with the orders %+v", m, w.work.orders)
	}

	// A service that stands and has no tasks is judged by these.
	w.lingering = []swarmobj.Writer{{Owner: swarmobj.Owner{Tenant: "acme", Kind: kindContainer, Name: "web", UID: "uid-web"}, Live: true}, {}}
	for range 30 {
		w.turn("data")
	}
	w.whole("b", "1,")
}
