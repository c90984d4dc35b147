package mounts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

var mountsData = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}

// moving is on its way from n1 to n2.
func moving(phase v1alpha1.MovePhase) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) {
		v.Status.Move = &v1alpha1.VolumeMove{From: v1alpha1.VolumeNode{ID: "n1"}, To: v1alpha1.VolumeNode{ID: "n2", Hostname: "node2"}, Phase: phase}
		if phase == v1alpha1.MoveMoved {
			v.Status.Node = &v1alpha1.VolumeNode{ID: "n2", Hostname: "node2"}
		}
	}
}

// restored has the data of a snapshot in place of what it had.
func restored(v *v1alpha1.Volume) {
	name := volume.RestoredName(v, 2)
	v.Spec.RestoreFrom, v.Status.Restored = "nightly", &v1alpha1.VolumeRestored{Snapshot: "nightly", VolumeName: name}
	v.Status.VolumeName = volume.Name(v)
}

func lost(v *v1alpha1.Volume) {
	conditions.MarkStalled(v, "False", v1alpha1.ReasonLost, "It is not there")
}

// anew is a Volume that was deleted and made again.
func anew(v *v1alpha1.Volume) {
	v.UID = types.UID("uid-other")
	v.Status.VolumeName = volume.Name(v)
}

func TestHeld(t *testing.T) {
	bare := &swarm.Service{Spec: swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{}}}, PreviousSpec: &live().Spec}
	old, current := swarmobj.Task{State: swarm.TaskStateRunning}, swarmobj.Task{State: swarm.TaskStateRunning, Current: true}
	ended := swarmobj.Task{State: swarm.TaskStateShutdown}

	for name, c := range map[string]struct {
		reason string
		volume *v1alpha1.Volume
		live   *swarm.Service
		tasks  []swarmobj.Task
		want   string
	}{
		"Rests":      {"Nothing moves.", data(), live(), nil, ""},
		"Stopping":   {"Tasks have to go first.", data(moving(v1alpha1.MoveStopping)), live(), nil, v1alpha1.ReasonMoving},
		"Copying":    {"And to stay away.", data(moving(v1alpha1.MoveCopying)), live(), nil, v1alpha1.ReasonMoving},
		"Verifying":  {"Until the last byte was read.", data(moving(v1alpha1.MoveVerifying)), live(), nil, v1alpha1.ReasonMoving},
		"Moved":      {"Then they run there.", data(moving(v1alpha1.MoveMoved)), live(), nil, ""},
		"Abandoning": {"Or where they ran.", data(moving(v1alpha1.MoveAbandoning)), live(), nil, ""},
		"NoService":  {"What is not there has no tasks.", data(moving(v1alpha1.MoveCopying)), nil, nil, ""},
		"Anew":       {"A Volume that was made anew is another one.", data(moving(v1alpha1.MoveCopying), anew), live(), nil, ""},
		"OldTasks":   {"Tasks that are being replaced have it still.", data(moving(v1alpha1.MoveStopping)), bare, []swarmobj.Task{current, old}, v1alpha1.ReasonMoving},
		"NewTasks":   {"Those in their place do not.", data(moving(v1alpha1.MoveCopying)), bare, []swarmobj.Task{current, ended}, ""},
		"Lost":       {"What is lost is told otherwise.", data(lost), live(), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mounts.Held(t.Context(), reader(t, c.volume, class("local", v1alpha1.AccessSingle, nil)), 0, "acme", c.live, c.tasks)
			if err != nil {
				t.Fatal(err)
			}
			reason := ""
			if got != nil {
				reason = got.Reason
			}
			if reason != c.want {
				t.Errorf("%s\ngot %q, want %q", c.reason, reason, c.want)
			}
		})
	}
}

// TestKeptWhereItLives wants what keeps a Volume that cannot be used to be held to where the record says that it lives, and not to where
// the service has run: what is left there is not the data.
func TestKeptWhereItLives(t *testing.T) {
	for name, c := range map[string]struct {
		volume *v1alpha1.Volume
		want   string
	}{
		"Lost":  {data(moving(v1alpha1.MoveMoved), lost), "n2"},
		"Other": {data(moving(v1alpha1.MoveMoved), lost, anew), "n1"},
		"NoRecord": {data(lost, func(v *v1alpha1.Volume) {
			v.Status.Node = nil
		}), "n1"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := mounts.Find(t.Context(), reader(t, c.volume, class("local", v1alpha1.AccessSingle, nil)), 0, "acme", mountsData, live())
			if err != nil || len(set.Volumes) != 1 || set.Volumes[0].NodeID != c.want {
				t.Errorf("got %+v and %v, want node %s", set.Volumes, err, c.want)
			}
		})
	}
}

// TestElsewhere wants a service to be told from one that mounts its data where it is.
func TestElsewhere(t *testing.T) {
	shared := class("local", v1alpha1.AccessMany, nil)
	local := class("local", v1alpha1.AccessSingle, nil)

	for name, c := range map[string]struct {
		volume *v1alpha1.Volume
		class  *v1alpha1.VolumeClass
		want   bool
	}{
		"Here":     {data(), local, false},
		"Moved":    {data(moving(v1alpha1.MoveMoved)), local, true},
		"Restored": {data(restored), local, true},
		"Shared":   {data(), shared, false},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := mounts.Find(t.Context(), reader(t, c.volume, c.class), 0, "acme", mountsData, live())
			if err != nil || set.Obstacle != nil {
				t.Fatalf("got %v, %v", err, set.Obstacle)
			}
			if got := set.Elsewhere(live(), "acme"); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
			if set.Elsewhere(nil, "acme") {
				t.Error("no service is elsewhere")
			}
		})
	}
}

// TestStill wants who has read a Volume before it began to move, has moved, or was restored to be kept from going on.
func TestStill(t *testing.T) {
	local := class("local", v1alpha1.AccessSingle, nil)
	set, err := mounts.Find(t.Context(), reader(t, data(), local), 0, "acme", mountsData, nil)
	if err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		now  *v1alpha1.Volume
		want bool
	}{
		"Same":     {data(), true},
		"Stopping": {data(moving(v1alpha1.MoveStopping)), false},
		"Moved":    {data(moving(v1alpha1.MoveMoved)), false},
		"Restored": {data(restored), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := set.Still(context.Background(), reader(t, c.now, local), 0, "acme")
			var wait *outcome.Wait
			if c.want != (err == nil) || err != nil && !errors.As(err, &wait) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWritesAfterRestore wants a service to be the writer of its Volume although the engine's name for the data has changed.
func TestWritesAfterRestore(t *testing.T) {
	local := class("local", v1alpha1.AccessSingle, nil)
	now := func(change ...func(*v1alpha1.Volume)) servicespec.ResolvedVolume {
		set, err := mounts.Find(t.Context(), reader(t, data(change...), local), 0, "acme", mountsData, nil)
		if err != nil || len(set.Volumes) != 1 {
			t.Fatalf("got %+v, %v", set, err)
		}

		return set.Volumes[0]
	}

	if !mounts.Writes(live(), now()) || !mounts.Writes(live(), now(restored)) {
		t.Error("it writes to its Volume, and is not known to")
	}
	if mounts.Writes(live(), now(anew)) {
		t.Error("it is taken for the writer of another Volume of that name")
	}
	reading := live()
	reading.Spec.TaskTemplate.ContainerSpec.Mounts[0].ReadOnly = true
	if mounts.Writes(reading, now(restored)) || mounts.Writes(nil, now()) {
		t.Error("who only reads is taken for a writer")
	}
}

// TestPutBack wants nothing to follow a record from a backup before it was held against what there is: what has the Volume keeps it as it has it,
// and nothing else is given it.
func TestPutBack(t *testing.T) {
	local := class("local", v1alpha1.AccessSingle, nil)
	moved := data(func(v *v1alpha1.Volume) {
		v.Status.Node, v.Status.Restores, v.Status.ProvisionedAt = &v1alpha1.VolumeNode{ID: "n0"}, new(int64(0)), &metav1.Time{Time: time.Unix(1, 0)}
	})
	r := reader(t, moved, local)

	set, err := mounts.Find(t.Context(), r, 1, "acme", mountsData, live())
	if err != nil || set.Obstacle != nil || len(set.Volumes) != 1 || set.Volumes[0].NodeID != "n1" || set.Elsewhere(live(), "acme") {
		t.Errorf("the service goes elsewhere: %+v, %v", set, err)
	}
	if err := set.Still(t.Context(), r, 1, "acme"); err != nil {
		t.Errorf("it cannot be changed any more: %v", err)
	}
	if set, err := mounts.Find(t.Context(), r, 1, "acme", mountsData, nil); err != nil || set.Obstacle == nil || set.Obstacle.Reason != v1alpha1.ReasonNodeUnreachable {
		t.Errorf("what does not have it yet is given it: %+v, %v", set, err)
	}
	if set, err := mounts.Find(t.Context(), r, 0, "acme", mountsData, live()); err != nil || set.Obstacle != nil || set.Volumes[0].NodeID != "n0" {
		t.Errorf("a record that stands is not followed: %+v, %v", set, err)
	}

	moving(v1alpha1.MoveCopying)(moved)
	if wait, err := mounts.Held(t.Context(), reader(t, moved, local), 1, "acme", live(), nil); err != nil || wait != nil {
		t.Errorf("what was moved in a backup holds it: %v, %v", wait, err)
	}
}
