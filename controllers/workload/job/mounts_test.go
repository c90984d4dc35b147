package job

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// dataVolume is one whose data is on a node.
func dataVolume() *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: "uid-data"}, Spec: v1alpha1.VolumeSpec{ClassName: "local"}}
	v.Status.VolumeName, v.Status.Node = volume.Name(v), &v1alpha1.VolumeNode{ID: "n1"}
	conditions.MarkReady(v, v1alpha1.ReasonBound, "It lives on node1")

	return v
}

func localClass(access v1alpha1.VolumeAccess) *v1alpha1.VolumeClass {
	return &v1alpha1.VolumeClass{ObjectMeta: metav1.ObjectMeta{Name: "local"}, Spec: v1alpha1.VolumeClassSpec{Driver: "local", Access: access}}
}

func fakeClient(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func TestMount(t *testing.T) {
	placed, local := dataVolume(), localClass(v1alpha1.AccessSingle)
	writes, reads := []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}, []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d", ReadOnly: true}}

	container := func(m []v1alpha1.VolumeMount) client.Object {
		return &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "db"}, Spec: v1alpha1.TenantContainerSpec{Volumes: m}}
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	other := func(runs ...v1alpha1.JobRun) client.Object {
		j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "other", UID: "uid-other"}}
		j.Spec.Template.Volumes = writes
		j.Status.Active = runs

		return j
	}
	claims := func(before time.Duration) v1alpha1.JobRun {
		return v1alpha1.JobRun{
			Name: "other-1", Reason: v1alpha1.ReasonWaitingForService, StartTime: metav1.NewTime(now.Add(-before)), StartBefore: metav1.NewTime(now.Add(30*time.Second - before)),
		}
	}
	waits, interrupted := claims(time.Second), other()
	waits.Reason = v1alpha1.ReasonVolumeConflict
	interrupted.(*v1alpha1.TenantJob).Status.History = []v1alpha1.JobRun{claims(time.Second)}
	writer := func(kind, name string, live bool) []swarmobj.Writer {
		return []swarmobj.Writer{{Owner: swarmobj.Owner{Tenant: "acme", Kind: kind, Name: name, UID: "uid-" + name}, Run: name + "-1", Live: live}}
	}

	moving := dataVolume()
	moving.Status.Move = &v1alpha1.VolumeMove{Phase: v1alpha1.MoveCopying, From: *moving.Status.Node, To: v1alpha1.VolumeNode{ID: "n2"}}

	cases := map[string]struct {
		reason      string
		objects     []client.Object
		mounts      []v1alpha1.VolumeMount
		parallelism int32
		nodes       []swarm.Node
		writers     []swarmobj.Writer
		says        string
	}{
		"None":         {reason: "A job without Volumes asks nobody."},
		"Alone":        {reason: "Nobody else writes.", objects: []client.Object{placed, local, other()}, mounts: writes},
		"NotThere":     {reason: "It waits for its Volume.", objects: []client.Object{local}, mounts: writes, says: `Volume "data" does not exist`},
		"Moving":       {reason: "Nothing may run that mounts it.", objects: []client.Object{moving, local}, mounts: reads, says: "is being moved to the node n2"},
		"Container":    {reason: "A backup has to read.", objects: []client.Object{placed, local, container(writes)}, mounts: writes, says: `is written by container "db"`},
		"BesideReader": {reason: "The container only reads.", objects: []client.Object{placed, local, container(reads)}, mounts: writes},
		"Reads":        {reason: "Readers are many.", objects: []client.Object{placed, local, container(writes), other(claims(0))}, mounts: reads, parallelism: 5},
		"OtherRun":     {reason: "A run of another job writes now.", objects: []client.Object{placed, local}, writers: writer("TenantJob", "other", true), mounts: writes, says: `is written by a run of job "other"`},
		"OtherStopped": {reason: "What is left of a run that is over writes no more.", objects: []client.Object{placed, local}, writers: writer("TenantJob", "other", false), mounts: writes},
		"OtherBetween": {reason: "A run that is not over has further tasks.", objects: []client.Object{placed, local, other(v1alpha1.JobRun{Name: "other-1", ServiceID: "svc"})}, writers: writer("TenantJob", "other", false), mounts: writes, says: `job "other"`},
		"OldRevision":  {reason: "A container is declared to read by now, and what runs of it writes.", objects: []client.Object{placed, local, container(reads)}, writers: writer("TenantContainer", "db", true), mounts: writes, says: `is written by container "db"`},
		"OldAtZero":    {reason: "Nobody would ask before it has tasks again.", objects: []client.Object{placed, local, container(reads)}, writers: writer("TenantContainer", "db", false), mounts: writes, says: `is written by container "db"`},
		"Stopping":     {reason: "Its service is gone, its task is not.", objects: []client.Object{placed, local}, writers: []swarmobj.Writer{{Live: true}}, mounts: writes, says: "tasks that are being stopped"},
		"ItsOwn":       {reason: "Runs of one job wait for each other elsewhere.", objects: []client.Object{placed, local}, writers: writer("TenantJob", "nightly", true), mounts: writes},
		"OtherWaits":   {reason: "Who waits is in nobody's way.", objects: []client.Object{placed, local, other(waits)}, mounts: writes},
		"OtherClaims":  {reason: "Its service may be made at this moment.", objects: []client.Object{placed, local, other(claims(time.Second))}, mounts: writes, says: `job "other"`},
		"OtherLater":   {reason: "This one is to begin, the other to give way, and it has not said so yet.", objects: []client.Object{placed, local, other(claims(0))}, mounts: writes, says: "about to give way"},
		"ClaimOver":    {reason: "Nobody may make it any more.", objects: []client.Object{placed, local, other(claims(time.Minute))}, mounts: writes},
		"Interrupted":  {reason: "A call may be on its way.", objects: []client.Object{placed, local, interrupted}, mounts: writes, says: `job "other"`},
		"Parallel":     {reason: "Its own tasks would be two.", objects: []client.Object{placed, local}, mounts: writes, parallelism: 2, says: "spec.parallelism: 2: must be 1"},
		"NodeDown": {
			reason: "No run begins that could not start a task.", objects: []client.Object{placed, local}, mounts: writes,
			nodes: []swarm.Node{{ID: "n1", Status: swarm.NodeStatus{State: swarm.NodeStateDown}}}, says: "which is down",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &Controller{client: fakeClient(t, tc.objects...), swarm: &writing{writers: tc.writers}}
			c.live = c.client
			j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "nightly", UID: "uid-nightly"}}
			j.Spec.Template.Volumes = tc.mounts
			if tc.parallelism > 0 {
				j.Spec.Parallelism, j.Spec.Completions = &tc.parallelism, &tc.parallelism
			}

			j.Status.Active = []v1alpha1.JobRun{{Name: "nightly-1", Reason: v1alpha1.ReasonWaitingForService, StartTime: metav1.NewTime(now.Add(-500 * time.Millisecond))}}
			s := &start{job: j, owner: ownerOfJob("nightly"), now: now, template: jobrun.Container(&j.Spec)}
			s.owner.UID = string(j.UID)
			s.seen.Nodes = tc.nodes
			err := c.mount(t.Context(), s)
			if err == nil {
				p := &swarm.Placement{}
				if len(tc.mounts) > 0 {
					p.Constraints = []string{servicespec.PinnedConstraint("n1")}
				}
				err = s.placeable(p)
			}
			if tc.says == "" && err != nil || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}
}
