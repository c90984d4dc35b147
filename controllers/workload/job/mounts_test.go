package job

import (
	"errors"
	"strings"
	"testing"

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

// TestAlone: runs of a job are not beside each other where they would write to the same data on one node.
func TestAlone(t *testing.T) {
	shared := dataVolume()
	shared.Status.Node = nil

	for name, tc := range map[string]struct {
		reason  string
		objects []client.Object
		mounts  []v1alpha1.VolumeMount
		want    string
	}{
		"NoVolume": {reason: "Only concurrencyPolicy decides."},
		"Writes": {
			reason: "Two would lose each other's data.", objects: []client.Object{dataVolume(), localClass(v1alpha1.AccessSingle)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}, want: `Volume "data", which they write to`,
		},
		"Reads": {
			reason: "Readers are many.", objects: []client.Object{dataVolume(), localClass(v1alpha1.AccessSingle)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d", ReadOnly: true}},
		},
		"Shared": {
			reason: "So are writers of what all nodes reach.", objects: []client.Object{shared, localClass(v1alpha1.AccessMany)},
			mounts: []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "nightly"}}
			j.Spec.Template.Volumes = tc.mounts

			got, err := (&Controller{client: fakeClient(t, tc.objects...)}).alone(t.Context(), j)
			if err != nil || (got != "") != (tc.want != "") || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s\ngot %q (%v), want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}

func TestMount(t *testing.T) {
	placed, local := dataVolume(), localClass(v1alpha1.AccessSingle)
	writes, reads := []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}, []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d", ReadOnly: true}}

	container := func(m []v1alpha1.VolumeMount) client.Object {
		return &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "db"}, Spec: v1alpha1.TenantContainerSpec{Volumes: m}}
	}
	other := func(active int) client.Object {
		j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "other", UID: "uid-other"}}
		j.Spec.Template.Volumes = writes
		j.Status.Active = make([]v1alpha1.JobRun, active)

		return j
	}

	cases := map[string]struct {
		reason      string
		objects     []client.Object
		mounts      []v1alpha1.VolumeMount
		parallelism int32
		nodes       []swarm.Node
		says        string
	}{
		"None":         {reason: "A job without Volumes asks nobody."},
		"Alone":        {reason: "Nobody else writes.", objects: []client.Object{placed, local, other(0)}, mounts: writes},
		"NotThere":     {reason: "It waits for its Volume.", objects: []client.Object{local}, mounts: writes, says: `Volume "data" does not exist`},
		"Container":    {reason: "A backup has to read.", objects: []client.Object{placed, local, container(writes)}, mounts: writes, says: `is written by container "db"`},
		"BesideReader": {reason: "The container only reads.", objects: []client.Object{placed, local, container(reads)}, mounts: writes},
		"Reads":        {reason: "Readers are many.", objects: []client.Object{placed, local, container(writes), other(1)}, mounts: reads, parallelism: 5},
		"OtherRun":     {reason: "A run of another job writes now.", objects: []client.Object{placed, local, other(1)}, mounts: writes, says: `is written by a run of job "other"`},
		"Parallel":     {reason: "Its own tasks would be two.", objects: []client.Object{placed, local}, mounts: writes, parallelism: 2, says: "spec.parallelism: 2: must be 1"},
		"NodeDown": {
			reason: "No run begins that could not start a task.", objects: []client.Object{placed, local}, mounts: writes,
			nodes: []swarm.Node{{ID: "n1", Status: swarm.NodeStatus{State: swarm.NodeStateDown}}}, says: "which is down",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &Controller{client: fakeClient(t, tc.objects...)}
			j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "nightly", UID: "uid-nightly"}}
			j.Spec.Template.Volumes = tc.mounts
			if tc.parallelism > 0 {
				j.Spec.Parallelism, j.Spec.Completions = &tc.parallelism, &tc.parallelism
			}

			s := &start{job: j, template: jobrun.Container(&j.Spec)}
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
