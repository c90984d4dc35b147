//go:build e2e

package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// jobChange is one way in which a job differs from the plain one.
type jobChange = func(*v1alpha1.TenantJob)

// lasting has each task end well after so long.
func lasting(d time.Duration) jobChange {
	return func(j *v1alpha1.TenantJob) {
		j.Spec.Template.Env = []v1alpha1.EnvVar{
			{Name: "APP_CRASH_AFTER", Value: new(v1alpha1.Text(d.String()))}, {Name: "APP_EXIT_CODE", Value: new(v1alpha1.Text("0"))},
		}
	}
}

func tasksOf(parallelism, completions int32) jobChange {
	return func(j *v1alpha1.TenantJob) { j.Spec.Parallelism, j.Spec.Completions = &parallelism, &completions }
}

// pulled takes the image of a job from a registry, with the Secret pull.
func pulled(ref string) jobChange {
	return func(j *v1alpha1.TenantJob) {
		j.Spec.Template.Image, j.Spec.Template.ImagePullPolicy = v1alpha1.Image(ref), v1alpha1.PullIfNotPresent
		j.Spec.Template.ImagePullSecrets = []v1alpha1.LocalObjectReference{{Name: "pull"}}
	}
}

func jobMounting(name string) jobChange {
	return func(j *v1alpha1.TenantJob) {
		j.Spec.Template.Volumes = []v1alpha1.VolumeMount{{Name: v1alpha1.DNSLabel(name), MountPath: v1alpha1.AbsolutePath("/" + name)}}
	}
}

// seenTasks are the tasks of a job by their ID, as they were seen last: Swarm forgets them.
type seenTasks map[string]swarm.Task

func (n *tenant) note(name string, into seenTasks) error {
	ctx, cancel := contextFor(soon)
	defer cancel()

	all, err := n.docker().TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(
		filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name), filters.Arg("label", v1alpha1.SwarmLabelName+"="+name),
		filters.Arg("label", v1alpha1.SwarmLabelKind+"=TenantJob"),
	)})
	for _, task := range all {
		into[task.ID] = task
	}

	return err
}

// nodes are the hostnames of nodes that had tasks.
func (s seenTasks) nodes(n *tenant) []string {
	names := map[string]bool{}
	for _, task := range s {
		for _, node := range n.nodes() {
			if node.ID == task.NodeID {
				names[node.Description.Hostname] = true
			}
		}
	}

	return slices.Sorted(maps.Keys(names))
}

// TestConfinedJobsOnThreeNodes: the image of a run comes from a private registry, is one that the plan's key has signed, and is the
// same for all of its tasks, which are on the workers and nowhere else.
func TestConfinedJobsOnThreeNodes(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3, Managers: 1})
	n := &tenant{cell: c, t: t, name: "errands"}
	r := n.registry("open sesame")
	first := n.push(r, "v1", "1")
	key := newSigner(t)
	plan := baseline("errands", r)
	plan.Spec.Images.Signatures = []v1alpha1.SignatureRule{{Name: "release", PublicKeys: []v1alpha1.PublicKey{key.public}}}
	n.declare(plan)

	credentials := func(password string) []byte {
		auth := base64.StdEncoding.EncodeToString([]byte("puller:" + password))
		return fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, r.host, auth)
	}
	pull := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pull"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: credentials("wrong")},
	}
	n.create(pull)
	n.create(jobOf("report", nil, pulled(r.ref("1")), tasksOf(4, 8), lasting(8*time.Second)))

	n.waits("report", v1alpha1.ReasonImageUnavailable, "spec.template.imagePullSecrets")
	n.replace(pull, func() { pull.Data[corev1.DockerConfigJsonKey] = credentials(r.password) })
	n.waits("report", v1alpha1.ReasonImageNotTrusted, "has no signature")
	n.sign(r, first, newSigner(t))
	n.waits("report", v1alpha1.ReasonImageNotTrusted, "no signature by one of the keys")
	if got := n.jobServices("report"); len(got) > 0 {
		t.Errorf("a run whose image nobody has signed has the services %v", got)
	}

	n.sign(r, first, key)
	n.runActive("report")
	// The tag goes elsewhere while tasks are still to be begun.
	n.push(r, "v2", "1")
	tasks := seenTasks{}
	await(t, goneBy, "all eight tasks have succeeded", func() error {
		if err := n.note("report", tasks); err != nil {
			return err
		}
		j, err := n.readJob("report")
		if err != nil {
			return err
		}
		if len(j.Status.History) == 0 {
			return fmt.Errorf("%+v", j.Status.Active)
		}

		return wantf(j.Status.History[0].Succeeded, 8, "tasks that have succeeded (%+v)", j.Status.History[0])
	})
	want := r.ref("1") + "@" + first
	for _, task := range tasks {
		if got := task.Spec.ContainerSpec.Image; got != want {
			t.Errorf("image of task %s: got %s, want %s", task.ID, got, want)
		}
	}
	if got := tasks.nodes(n); !slices.Equal(got, []string{"node2", "node3"}) {
		t.Errorf("tasks were on %v, want both workers and no manager", got)
	}
	if len(tasks) != 8 {
		t.Errorf("there were %d tasks, want 8", len(tasks))
	}
	for _, s := range n.jobServices("report") {
		if strings.Contains(fmt.Sprint(s.Spec), r.password) {
			t.Error("the password can be read in Swarm's service")
		}
	}

	// What the tag is now has no signature, and the registry is asked again for each job.
	n.create(jobOf("later", []string{"echo", "hello"}, pulled(r.ref("1"))))
	n.waits("later", v1alpha1.ReasonImageNotTrusted, "has no signature")
	n.remove(&v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Name: "later"}})
	n.wantNothingOfRuns()
	n.remove(pull) // A tenant that has data is not deleted in passing.
}

// waits waits until a run of the job is on record that waits for this reason, in these words.
func (n *tenant) waits(name, reason, words string) {
	n.t.Helper()

	await(n.t, soon, fmt.Sprintf("a run of %s waits: %s", name, reason), func() error {
		j, err := n.readJob(name)
		if err != nil {
			return err
		}
		if len(j.Status.Active) != 1 {
			return fmt.Errorf("its runs are %+v, %+v", j.Status.Active, j.Status.History)
		}
		if r := j.Status.Active[0]; r.Reason != reason || !strings.Contains(r.Message, words) {
			return fmt.Errorf("it says %s: %s", r.Reason, r.Message)
		}

		return wantf(conditions.IsTrue(j, conditions.Ready), false, "Ready")
	})
}

// TestJobsOutliveNodes loses nodes while jobs run there: what can run elsewhere does, and is counted as often as it has succeeded; what
// needs the data of the node that is gone waits for it.
func TestJobsOutliveNodes(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3, Managers: 1})
	n := c.namespace(t, "wander")
	n.create(volumeNamed("data", "node3"))

	n.create(jobOf("one", []string{"append", "/data/log", "the first run"}, jobMounting("data")))
	if run := n.runOver(atLast, "one", v1alpha1.RunSucceeded); run.LogTail != "the first run" {
		t.Errorf("the first run sees %q", run.LogTail)
	}

	on := func(node string) jobChange {
		return func(j *v1alpha1.TenantJob) {
			j.Spec.Template.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname == " + node}}
		}
	}
	off := func(node string) jobChange {
		return func(j *v1alpha1.TenantJob) {
			j.Spec.Template.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname != " + node}}
		}
	}
	n.create(jobOf("placed", []string{"echo", "from node 2"}, on("node2")))
	n.create(jobOf("wide", nil, tasksOf(2, 4), lasting(20*time.Second), off("node1")))
	wide := seenTasks{}
	await(t, atLast, "tasks of a run are on both workers", func() error {
		if err := n.note("wide", wide); err != nil {
			return err
		}
		running := 0
		for _, task := range wide {
			if task.Status.State == swarm.TaskStateRunning {
				running++
			}
		}
		if got := wide.nodes(n); running < 2 || !slices.Equal(got, []string{"node2", "node3"}) {
			return fmt.Errorf("%d run, on %v", running, got)
		}

		return nil
	})

	lost := c.lab.Nodes[2]
	if err := lost.PowerCut(); err != nil {
		t.Fatal(err)
	}
	n.create(jobOf("two", []string{"append", "/data/log", "the second run"}, jobMounting("data")))
	await(t, atLast, "a run waits for the node that has its data", func() error {
		j, err := n.readJob("two")
		if err != nil {
			return err
		}
		if len(j.Status.Active) != 1 {
			return fmt.Errorf("%+v", j.Status)
		}
		if r := j.Status.Active[0]; r.Reason != v1alpha1.ReasonNodeDown && !strings.Contains(r.Message, "no suitable node") {
			return fmt.Errorf("it says %s: %s", r.Reason, r.Message)
		}

		return nil
	})
	run := n.runOver(2*goneBy, "wide", v1alpha1.RunSucceeded)
	if run.Succeeded != 4 || run.Failed > 1 {
		t.Errorf("the run that lost a node: %+v", run)
	}
	if placed := n.runOver(soon, "placed", v1alpha1.RunSucceeded); !strings.Contains(placed.LogTail, "from node 2") {
		t.Errorf("the run on node 2: %+v", placed)
	}
	for _, node := range []string{"node1", "node2"} {
		if err := n.volumesOn(node); err != nil {
			t.Error(err)
		}
	}

	if err := lost.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if run := n.runOver(goneBy, "two", v1alpha1.RunSucceeded); run.LogTail != "the first run\nthe second run" {
		t.Errorf("the second run sees %q", run.LogTail)
	}
	n.wantNothingOfRuns()

	// The data stays with its Volume when the jobs go.
	var err error
	for _, name := range []string{"one", "two"} {
		err = errors.Join(err, n.api.Delete(t.Context(), &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: name}}, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	}
	if err != nil {
		t.Fatal(err)
	}
	n.run(app("reader", "v1", mounting("data"), readOnly))
	n.wantFile("reader", "/data/log", "the first run\nthe second run\n", "both jobs are gone")
	n.wantNodes("reader", map[string]int{"node3": 1})
}
