package workload

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// dataVolume is what is known of a Volume that lives on node 1.
func dataVolume() servicespec.ResolvedVolume {
	o := swarmobj.Owner{Tenant: "acme", Kind: v1alpha1.KindVolume, Name: "data", UID: "uid-data"}

	return servicespec.ResolvedVolume{Name: "data", Source: "acme_data_1", Labels: o.Labels(), NodeID: "1"}
}

// mountingData gives the scene a volume.
func mountingData(s *situation) {
	s.tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}
	s.template = servicespec.TemplateOf(&s.tc.Spec)
	s.supply.mounts = mounts.Set{Volumes: []servicespec.ResolvedVolume{dataVolume()}}
	again(s)
	s.world.Service.Spec = *s.want
}

func TestPlanWithVolumes(t *testing.T) {
	away := func(s *situation) { s.world.Nodes = []swarm.Node{node("1", down), node("2")} }

	cases := map[string]struct {
		reason string
		change func(*situation)
		steps  []string
		wait   string
		says   string
	}{
		"Quiet": {reason: "It runs where its data is.", change: func(*situation) {}},
		"MountsTakenAway": {
			reason: "The fault that the design begins with: a careless tool takes the mounts.",
			change: func(s *situation) {
				bare := *s.world.Service.Spec.TaskTemplate.ContainerSpec
				bare.Mounts, s.world.Service.Spec.TaskTemplate.ContainerSpec = nil, &bare
			},
			steps: []string{`update service "acme_web": mounts[/data].source none → acme_data_1`},
		},
		"PinTakenAway": {
			reason: "Elsewhere its data is not.",
			change: func(s *situation) { s.world.Service.Spec.TaskTemplate.Placement = nil },
			steps:  []string{`update service "acme_web": placement.constraints none → [node.id==1]`},
		},
		"ScaledWhileTheNodeIsDown": {
			reason: "What replaces no task waits for no node.",
			change: func(s *situation) {
				away(s)
				s.tc.Spec.Replicas = new(int32(0))
				again(s)
			},
			steps: []string{`update service "acme_web": replicas 1 → 0`},
		},
		"ChangedWhileTheNodeIsDown": {
			reason: "The old task would be given up for one that cannot start.",
			change: func(s *situation) {
				away(s)
				s.template.WorkingDir = "/srv"
				again(s)
			},
			wait: v1alpha1.ReasonNodeDown, says: "lives on node host-1, which is down",
		},
		"MadeWhileTheNodeIsDown": {
			reason: "Swarm starts it as soon as the node is back.",
			change: func(s *situation) {
				away(s)
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			steps: []string{`create service "acme_web"`},
		},
		"NeverThere": {
			reason: "A service that can never run is not made.",
			change: func(s *situation) {
				s.template.Placement = &v1alpha1.Placement{Constraints: []string{"node.id!=1"}}
				again(s)
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			wait: v1alpha1.ReasonVolumeConflict, says: "spec.placement.constraints leaves out",
		},
		"Lost": {
			reason: "Nothing starts on a volume that the engine would make anew.",
			change: func(s *situation) {
				s.supply.mounts.Lost = true
				again(s)
			},
			steps: []string{`update service "acme_web": replicas 1 → 0`},
		},
		"NotKnown": {
			reason: "Without its Volume nothing is rendered, and nothing that runs is touched.",
			change: func(s *situation) {
				s.supply.mounts = mounts.Set{Missing: true}
				again(s)
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t, mountingData, tc.change)
			steps, err := plan(s, noHolder)
			var got []string
			for _, st := range steps {
				got = append(got, st.String())
			}
			if len(got) != len(tc.steps) {
				t.Fatalf("%s\nsteps: got %q, want %q", tc.reason, got, tc.steps)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tc.steps[i]) {
					t.Errorf("%s\nstep: got %q, want %q", tc.reason, got[i], tc.steps[i])
				}
			}
			var wait *outcome.Wait
			switch {
			case tc.wait == "" && err != nil:
				t.Errorf("%s\ngot %v, want no wait", tc.reason, err)
			case tc.wait != "" && (!errors.As(err, &wait) || wait.Reason != tc.wait || !strings.Contains(wait.Message, tc.says)):
				t.Errorf("%s\ngot %v, want %s: %s", tc.reason, err, tc.wait, tc.says)
			}
		})
	}
}

// writing is a swarm of which only is known who writes.
type writing struct {
	Swarm
	by []swarmobj.Writer
}

func (w writing) Writers(context.Context, string, string) ([]swarmobj.Writer, error) {
	return w.by, nil
}

func noHolder(swarm.PortConfigPublishMode, swarm.PortConfig, string) (swarmobj.Owner, bool) {
	return swarmobj.Owner{}, false
}

func TestReportWithVolumes(t *testing.T) {
	pending := task(swarm.TaskStatePending, 0, on(""), saying("no suitable node (scheduling constraints not satisfied on 1 node)"))
	cases := map[string]struct {
		reason string
		change func(*situation)
		want   string
	}{
		"NodeDown": {
			reason: "That no node suits is the engine's word for it; whose data is where says more.",
			change: func(s *situation) {
				s.world.Nodes, s.world.Tasks = []swarm.Node{node("1", down), node("2")}, []swarmobj.Task{pending}
			},
			want: v1alpha1.ReasonNodeDown,
		},
		"NodeDownAndStopped": {
			reason: "What is not wanted waits for nothing.",
			change: func(s *situation) {
				s.world.Nodes, s.tc.Spec.Replicas = []swarm.Node{node("1", down), node("2")}, new(int32(0))
				again(s)
				s.world.Service.Spec = *s.want
			},
			want: v1alpha1.ReasonScaledToZero,
		},
		"NodeUp": {
			reason: "Then the task speaks for itself.",
			change: func(s *situation) { s.world.Tasks = []swarmobj.Task{pending} },
			want:   v1alpha1.ReasonUnschedulable,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t, mountingData, tc.change)
			if _, err := report(s, nil); err != nil {
				t.Fatal(err)
			}
			if c := conditions.Get(s.tc, conditions.Ready); c == nil || c.Reason != tc.want {
				t.Errorf("%s\ngot %+v, want %s", tc.reason, c, tc.want)
			}
		})
	}
}

func TestMountable(t *testing.T) {
	container := func(name string, change ...func(*v1alpha1.TenantContainer)) *v1alpha1.TenantContainer {
		tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name, UID: "uid-2"}}
		for _, c := range change {
			c(tc)
		}

		return tc
	}
	writes := func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/there"}}
	}
	reads := func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/there", ReadOnly: true}}
	}
	going := func(tc *v1alpha1.TenantContainer) {
		tc.DeletionTimestamp, tc.Finalizers = &metav1.Time{Time: time.Unix(1, 0)}, []string{v1alpha1.Finalizer}
	}
	wrote := &v1alpha1.ContainerRevision{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "backup-3", OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: "backup", UID: "uid-2"}}},
		Spec:       v1alpha1.ContainerRevisionSpec{Revision: 3, Template: v1alpha1.TenantContainerSpec{Volumes: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/there"}}}},
	}

	importing := func(reason string) client.Object {
		now := scene(t).now
		j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "import", UID: "uid-import"}}
		j.Spec.Template.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}
		j.Status.Active = []v1alpha1.JobRun{{Name: "import-1", Reason: reason, StartTime: metav1.NewTime(now), StartBefore: metav1.NewTime(now.Add(30 * time.Second))}}

		return j
	}

	cases := map[string]struct {
		reason  string
		others  []client.Object
		change  func(*situation)
		holding bool
		writers []swarmobj.Writer
		says    string
	}{
		"Alone":            {reason: "Nobody else writes."},
		"ReadBySomebody":   {reason: "Readers are many.", others: []client.Object{container("backup", reads)}},
		"WrittenByAnother": {reason: "Two would lose each other's data.", others: []client.Object{container("backup", writes)}, says: `is written by container "backup"`},
		"OfANamespace": {
			reason: "Names are a namespace's own.",
			others: []client.Object{container("backup", writes, func(tc *v1alpha1.TenantContainer) { tc.Namespace = "other" })},
		},
		"StillGoing":    {reason: "Its task may still be stopping.", others: []client.Object{container("backup", writes, going)}, says: `"backup"`},
		"StillRunning":  {reason: "What it runs writes, whatever is declared by now.", others: []client.Object{wrote, container("backup", reads, func(tc *v1alpha1.TenantContainer) { tc.Status.Revision = 3 })}, says: `"backup"`},
		"HasStopped":    {reason: "What it ran once does not count.", others: []client.Object{wrote, container("backup", reads, func(tc *v1alpha1.TenantContainer) { tc.Status.Revision = 4 })}},
		"Holds":         {reason: "Who has it keeps it, also when two were declared at once.", others: []client.Object{container("backup", writes)}, holding: true},
		"OnlyReads":     {reason: "A reader waits for no writer.", others: []client.Object{container("backup", writes)}, change: func(s *situation) { s.template.Volumes[0].ReadOnly = true }},
		"SharedByNodes": {reason: "Who may share is its owner's to say.", others: []client.Object{container("backup", writes)}, change: func(s *situation) { s.supply.mounts.Volumes[0].NodeID = "" }},
		"ManyTasks": {
			reason: "The class has become known after it was declared.", change: func(s *situation) { s.tc.Spec.Replicas = new(int32(3)) },
			says: "spec.replicas: Invalid value: 3: must be at most 1",
		},
		"WrittenByARun": {
			reason:  "A job writes at the moment; the container waits until it is over.",
			writers: []swarmobj.Writer{{Owner: swarmobj.Owner{Tenant: "acme", Kind: swarmobj.KindJob, Name: "import", UID: "uid-import"}, Live: true}},
			says:    `is written by a run of job "import"`,
		},
		"RunBegins": {
			reason: "Its service may be made at this moment.", others: []client.Object{importing(v1alpha1.ReasonWaitingForService)},
			says: `is written by a run of job "import"`,
		},
		"RunWaits":      {reason: "It waits for the container, which must not wait for it.", others: []client.Object{importing(v1alpha1.ReasonVolumeConflict)}},
		"StillStopping": {reason: "The service of a run is gone, its task is not.", writers: []swarmobj.Writer{{Live: true}}, says: "tasks that are being stopped"},
		"Obstacle": {
			reason: "The Volume's own word.", change: func(s *situation) {
				s.supply.mounts.Obstacle = &outcome.Wait{Reason: v1alpha1.ReasonLost, Message: "it is lost"}
			},
			says: "it is lost",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			b := fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc.others...).
				WithIndex(&v1alpha1.ContainerRevision{}, IndexRevisionOwner, ownerUIDs)
			c := &Controller{client: b.Build(), swarm: writing{by: tc.writers}}
			c.live = c.client

			s := scene(t, mountingData)
			s.owner = ownerOf(s.tc)
			if !tc.holding {
				s.world.Service.Spec.TaskTemplate.ContainerSpec.Mounts = nil
			}
			if tc.change != nil {
				tc.change(s)
			}
			err := c.mountable(t.Context(), s, s.template, s.supply.mounts)
			switch {
			case tc.says == "" && err != nil:
				t.Errorf("%s\ngot %v, want none", tc.reason, err)
			case tc.says != "" && (err == nil || !isOutcome(err) || !strings.Contains(err.Error(), tc.says)):
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}
}

// TestWakes: containers are woken by what matters to them of their Volumes and of each other, and by nothing else.
func TestWakes(t *testing.T) {
	v := func(change func(*v1alpha1.Volume)) *v1alpha1.Volume {
		out := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Name: "data", Generation: 1}}
		change(out)

		return out
	}
	volumes := volumeChanged()
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Volume)
		want   bool
	}{
		"Measured": {func(v *v1alpha1.Volume) { v.Status.MeasuredAt = &metav1.Time{Time: time.Unix(1, 0)} }, false},
		"Used":     {func(v *v1alpha1.Volume) { v.Status.UsedBy = []v1alpha1.VolumeUser{{Kind: kind, Name: "web"}} }, false},
		"Placed":   {func(v *v1alpha1.Volume) { v.Status.Node = &v1alpha1.VolumeNode{ID: "1"} }, true},
		"Named":    {func(v *v1alpha1.Volume) { v.Status.VolumeName = "acme_data_1" }, true},
		"Judged":   {func(v *v1alpha1.Volume) { conditions.MarkReady(v, v1alpha1.ReasonBound, "It lives on node1") }, true},
		"Deleted":  {func(v *v1alpha1.Volume) { v.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := event.UpdateEvent{ObjectOld: v(func(*v1alpha1.Volume) {}), ObjectNew: v(tc.change)}
			if got := volumes.Update(e); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}

	mountingContainer := &v1alpha1.TenantContainer{Spec: v1alpha1.TenantContainerSpec{Volumes: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/a"}}}}
	reading := mountingContainer.DeepCopy()
	reading.Spec.Volumes[0].ReadOnly = true
	plain := &v1alpha1.TenantContainer{}
	shared := mountsChanged()
	if shared.Update(event.UpdateEvent{ObjectOld: mountingContainer, ObjectNew: mountingContainer}) || shared.Update(event.UpdateEvent{ObjectOld: plain, ObjectNew: plain}) {
		t.Error("nobody waits for a container that changes nothing about its volumes")
	}
	if !shared.Update(event.UpdateEvent{ObjectOld: mountingContainer, ObjectNew: reading}) || !shared.Delete(event.DeleteEvent{Object: mountingContainer}) {
		t.Error("somebody may wait for a volume that has a writer less")
	}
	if shared.Delete(event.DeleteEvent{Object: plain}) {
		t.Error("nobody waits for a container without volumes")
	}
}
