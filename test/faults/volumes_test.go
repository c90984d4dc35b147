package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	dswarm "github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/volume"
)

// volumeScenarios are what becomes of a container whose data must not get lost on the way. Where the data is, is said by the test:
// the loop of Volumes has scenarios of its own.
var volumeScenarios = []converge.Scenario{
	{Name: "volume-comes-later", Steps: []converge.Step{
		{Name: "create", Do: createMounting("web", imageV1), Until: all(waitsFor("web", v1alpha1.ReasonVolumeNotFound), nothingRuns("web"))},
		{Name: "volume", Do: createVolume, Until: all(runs("web", imageV1, 1), mounted("web"))},
	}},
	{Name: "volume-survives", Steps: []converge.Step{
		{Name: "create", Do: both(createVolume, createMounting("web", imageV1)), Until: all(runs("web", imageV1, 1), mounted("web"))},
		{Name: "mounts-taken", Do: tamper("web", func(s *dswarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Mounts, s.TaskTemplate.Placement = nil, nil
		}), Until: all(runs("web", imageV1, 1), mounted("web"))},
		{Name: "update", Do: setImage("web", imageV2), Until: all(runs("web", imageV2, 1), mounted("web"))},
		{Name: "bad-update", Do: setImage("web", imageCrash), Until: all(rolledBack("web", imageV2), mounted("web"))},
		{Name: "suspend", Do: annotate("web", v1alpha1.AnnotationSuspend, "Unpaid"), Until: all(suspended("web"), mounted("web"))},
	}},
	{Name: "volume-lost", Steps: []converge.Step{
		{Name: "create", Do: both(createVolume, createMounting("web", imageV1)), Until: runs("web", imageV1, 1)},
		{Name: "lost", Do: judgeVolume(metav1.ConditionFalse, v1alpha1.ReasonLost), Until: all(waitsFor("web", v1alpha1.ReasonLost), nothingRuns("web"), mounted("web"))},
		{Name: "found", Do: judgeVolume(metav1.ConditionTrue, v1alpha1.ReasonBound), Until: all(runs("web", imageV1, 1), mounted("web"))},
	}},
	{Name: "volume-of-another", Steps: []converge.Step{
		{Name: "first", Do: both(createVolume, createMounting("web", imageV1)), Until: runs("web", imageV1, 1)},
		{Name: "second", Do: createMounting("db", imageV2), Until: all(waitsFor("db", v1alpha1.ReasonVolumeConflict), nothingRuns("db"), runs("web", imageV1, 1))},
		{Name: "handed-over", Do: remove("web"), Until: all(runs("db", imageV2, 1), mounted("db"))},
	}},
	{Name: "volume-on-the-way", Steps: []converge.Step{
		{Name: "create", Do: both(addWorkers, both(createVolume, createMounting("web", imageV1))), Until: all(runs("web", imageV1, 1), mounted("web"))},
		{Name: "update", Do: both(setImage("web", imageV2), phase(v1alpha1.MoveStopping)), Until: all(waitsFor("web", v1alpha1.ReasonMoving), nothingRuns("web"))},
		{Name: "copying", Do: phase(v1alpha1.MoveCopying), Until: all(waitsFor("web", v1alpha1.ReasonMoving), nothingRuns("web"))},
		{Name: "moved", Do: phase(v1alpha1.MoveMoved), Until: all(runs("web", imageV2, 1), on("web", workers[0]), mounted("web"))},
		{Name: "restored", Do: restoreVolume, Until: all(runs("web", imageV2, 1), on("web", workers[0]), mounted("web"), rollsBack("web"))},
		{Name: "broken-data", Do: both(setImage("web", imageCrash), phase("")), Until: all(rolledBack("web", imageV2), mounted("web"))},
	}},
}

func TestVolumeFaults(t *testing.T) {
	for _, scenario := range volumeScenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor(t).Run(t, scenario, converge.EveryPoint) })
	}
}

func TestVolumeStaleViews(t *testing.T) {
	for _, scenario := range volumeScenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor(t).Run(t, scenario, converge.StaleRestarts(1, 2), converge.LostNotifications(10))
		})
	}
}

func data() *v1alpha1.Volume {
	return &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "data"}}
}

// createVolume makes a Volume that lives on the node that the swarm begins with.
func createVolume(r *converge.Run) {
	r.Store.Create(&v1alpha1.VolumeClass{
		ObjectMeta: metav1.ObjectMeta{Name: "local"}, Spec: v1alpha1.VolumeClassSpec{Driver: "local", Access: v1alpha1.AccessSingle},
	})

	v := data()
	v.Spec.ClassName = "local"
	r.Store.Create(v)
	judgeVolume(metav1.ConditionTrue, v1alpha1.ReasonBound)(r)
}

func judgeVolume(status metav1.ConditionStatus, reason string) func(*converge.Run) {
	return func(r *converge.Run) {
		nodes, err := r.World.(*world).admin.NodeList(context.Background(), dswarm.NodeListOptions{})
		must(err)

		v := data()
		r.Store.Edit(v, func() {
			v.Status.VolumeName = volume.Name(v)
			v.Status.Node = &v1alpha1.VolumeNode{ID: nodes[0].ID, Hostname: nodes[0].Description.Hostname}
			conditions.Set(v, conditions.Ready, status, reason, "So the test says")
		})
	}
}

// phase puts a move to the first worker on record, or its end.
func phase(p v1alpha1.MovePhase) func(*converge.Run) {
	return func(r *converge.Run) {
		v := data()
		r.Store.Edit(v, func() {
			to := r.World.(*world).node(workers[0])
			v.Status.Move = &v1alpha1.VolumeMove{Generation: 2, From: *v.Status.Node, To: to, Phase: p}
			switch p {
			case "":
				v.Status.Move = nil
			case v1alpha1.MoveMoved:
				v.Status.Node = &to
				conditions.MarkReady(v, v1alpha1.ReasonBound, "So the test says")
			default:
				conditions.Set(v, conditions.Ready, metav1.ConditionFalse, v1alpha1.ReasonMoving, "So the test says")
			}
		})
	}
}

// rollsBack is true when the service has its declared policy again, which it has not while it follows its data.
func rollsBack(name string) until {
	return func(r *converge.Run) error {
		s, err := service(r, name)
		if err != nil {
			return err
		}
		if c := s.Spec.UpdateConfig; c == nil || c.FailureAction != dswarm.UpdateFailureActionRollback {
			return fmt.Errorf("its policy is %+v", c)
		}

		return nil
	}
}

// restoreVolume gives a Volume other data, by another name.
func restoreVolume(r *converge.Run) {
	v := data()
	r.Store.Edit(v, func() {
		v.Status.Restored = &v1alpha1.VolumeRestored{Snapshot: "nightly", VolumeName: volume.RestoredName(v, 2)}
		v.Status.VolumeName = volume.Name(v)
	})
}

// node is one of the swarm, by its hostname.
func (w *world) node(hostname string) v1alpha1.VolumeNode {
	nodes, err := w.admin.NodeList(context.Background(), dswarm.NodeListOptions{})
	must(err)
	for _, n := range nodes {
		if n.Description.Hostname == hostname {
			return v1alpha1.VolumeNode{ID: n.ID, Hostname: hostname}
		}
	}
	panic("there is no node " + hostname)
}

func createMounting(name, image string) func(*converge.Run) {
	return func(r *converge.Run) {
		c := container(name)
		c.Finalizers = []string{v1alpha1.Finalizer}
		c.Spec = v1alpha1.TenantContainerSpec{
			Image: v1alpha1.Image(image), ImagePullPolicy: v1alpha1.PullIfNotPresent,
			Mode: v1alpha1.ModeReplicated, Replicas: ptr(int32(1)),
			Volumes: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}},
		}
		r.Store.Create(c)
	}
}

// mounted is true when the service has the volume, and is held to its node.
func mounted(name string) until {
	return func(r *converge.Run) error {
		s, err := service(r, name)
		if err != nil {
			return err
		}

		v := data()
		if !r.Store.Get(namespace, v.Name, v) {
			return errors.New("the Volume is gone")
		}

		task := s.Spec.TaskTemplate
		if len(task.ContainerSpec.Mounts) != 1 || task.ContainerSpec.Mounts[0].Source != volume.Name(v) {
			return fmt.Errorf("mounts are %+v", task.ContainerSpec.Mounts)
		}
		if task.Placement == nil || !slices.Contains(task.Placement.Constraints, "node.id=="+v.Status.Node.ID) {
			return fmt.Errorf("placement is %+v", task.Placement)
		}

		return nil
	}
}

func nothingRuns(name string) until {
	return func(r *converge.Run) error { return containersAre(r, name, "", 0) }
}

func waitsFor(name, reason string) until {
	return func(r *converge.Run) error {
		c := container(name)
		if !r.Store.Get(namespace, name, c) {
			return errors.New("the object is gone")
		}
		if got := conditions.Get(c, conditions.Ready); got == nil || got.Reason != reason {
			return fmt.Errorf("ready is %+v, want %s", got, reason)
		}

		return nil
	}
}
