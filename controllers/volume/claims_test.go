package volume

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
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

	start := w.controller.now
	w.ask("data", to("host-b"))
	w.looked("data")
	if m := conditions.Get(w.read("data"), v1alpha1.ConditionMoved); m == nil || m.Message != "The move has not begun: run copy-2 of TenantJob copy is about to mount it" {
		t.Fatalf("a run may begin, and it says %+v", m)
	}
	if w.read("data").Status.Move != nil {
		t.Fatalf("it has begun: %+v", w.read("data").Status.Move)
	}

	// It was read before that run was on record.
	if err := w.Delete(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	w.looked("data")
	j.ResourceVersion = ""
	if err := w.Create(t.Context(), j); err != nil {
		t.Fatal(err)
	}
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

// TestMoveBeginsAfterRuns wants containers to go on while a run of a job mounts the Volume, however long that takes, because a move waits for
// it all the same.
func TestMoveBeginsAfterRuns(t *testing.T) {
	w := running(t)
	run := service("acme", "copy", w.read("data"))
	run.Owner.Kind = kindJob
	run.Service.Spec.Labels = map[string]string{v1alpha1.SwarmLabelRun: "copy-2"}
	run.Service.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: new(uint64(1))}
	run.Tasks = []swarmobj.TaskDetail{{Task: swarmobj.Task{State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning}, Spec: &run.Service.Spec.TaskTemplate}}
	run.Tasks[0].NodeID = "a"
	// The container goes on by itself.
	w.services = append(w.services, run)
	stands := func(why string) {
		t.Helper()
		for range 5 {
			w.looked("data")
			w.work.work()
		}
		v := w.read("data")
		moved := conditions.Get(v, v1alpha1.ConditionMoved)
		if v.Status.Move != nil || volume.HeldBack(v) || standingOf(v, conditions.Ready) != "True Moving" || slices.Contains(w.events, eventMoving) {
			t.Fatalf("%s, and the Volume is %+v", why, v.Status)
		}
		if want := "The move has not begun: run copy-2 of TenantJob copy mounts it"; moved == nil || moved.Message != want || standingOf(v, v1alpha1.ConditionMoved) != "False Moving" {
			t.Fatalf("%s, and Moved is %+v, want %q", why, moved, want)
		}
	}

	w.ask("data", to("host-b"))
	stands("a run mounts it")
	w.services[1].Tasks = nil
	stands("it is to have a task again")
	w.services[1].Service.Spec.Mode.Replicated.Replicas = new(uint64(0))
	w.services[1].Tasks = run.Tasks
	stands("its task still ends")

	w.blind = errors.New("no manager")
	w.services = w.services[:1]
	w.looked("data")
	if m := w.read("data").Status.Move; m != nil {
		t.Fatalf("nobody knows whether one runs, and the move is %+v", m)
	}
	w.blind = nil
	w.rest("data")
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
