//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestUndoBringsEverythingBack goes back to a revision whose Secret and ConfigMap have changed since.
func TestUndoBringsEverythingBack(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	near := n.neighbour()
	keys := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "old"}}
	conf := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "red"}}
	n.create(keys)
	n.create(conf)
	n.run(app("web", "v1", refers, annotation(v1alpha1.AnnotationChangeCause, "first")))
	n.wantContents(near, "old", "red")

	n.replace(keys, func() { keys.StringData = map[string]string{"token": "new"} })
	await(t, soon, "the Secret's change makes revision 2", func() error { return wantf(n.get("web").Status.Revision, 2, "revision") })
	n.replace(conf, func() { conf.Data["color"] = "blue" })
	await(t, soon, "the ConfigMap's change makes revision 3", func() error { return wantf(n.get("web").Status.Revision, 3, "revision") })
	n.edit("web", version("v2"))
	n.ready("web")
	n.wantContents(near, "new", "blue")
	if causes := n.revisions("web")[1].Annotations[v1alpha1.AnnotationChangeCause]; causes != "first" {
		t.Errorf("cause of revision 1: got %q, want first", causes)
	}

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.RollbackTo = new(int64(1)) })
	n.ready("web")
	n.wantContents(near, "old", "red")
	if got, want := n.service("web").Spec.TaskTemplate.ContainerSpec.Image, n.imageID("v1"); got != want {
		t.Errorf("image after undo: got %s, want %s", got, want)
	}
	if got := n.get("web").Status.Revision; got != 1 {
		t.Errorf("revision after undo: got %d, want 1", got)
	}

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.RollbackTo = nil })
	n.ready("web")
	n.wantContents(near, "new", "blue")

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.RollbackTo = new(int64(99)) })
	n.condition(soon, "web", conditions.Stalled, metav1.ConditionTrue, v1alpha1.ReasonRevisionNotFound)
	n.wantContents(near, "new", "blue")
}

// TestUndoFromTheCommandLine is the same by the binary's own commands.
func TestUndoFromTheCommandLine(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1"))
	n.edit("web", version("v2"))
	n.ready("web")

	for _, args := range [][]string{
		{"rollout", "status", "web"},
		{"rollout", "history", "web"},
		{"rollout", "undo", "web"},
		{"rollout", "status", "web"},
	} {
		out, err := n.dogker(append(args, "--namespace", n.name)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("dogker %s:\n%s", strings.Join(args, " "), out)
	}
	if got := n.get("web").Status.Revision; got != 1 {
		t.Errorf("revision after dogker rollout undo: got %d, want 1", got)
	}
}

// refers makes a container use one key of each kind as a file and as a variable.
func refers(tc *v1alpha1.TenantContainer) {
	token := &v1alpha1.KeySelector{Name: "keys", Key: "token"}
	color := &v1alpha1.KeySelector{Name: "conf", Key: "color"}
	tc.Spec.Env = []v1alpha1.EnvVar{
		{Name: "TOKEN", ValueFrom: &v1alpha1.EnvVarSource{SecretKeyRef: token}},
		{Name: "COLOR", ValueFrom: &v1alpha1.EnvVarSource{ConfigMapKeyRef: color}},
	}
	tc.Spec.Files = []v1alpha1.File{{Path: "/token", SecretKeyRef: token}, {Path: "/color", ConfigMapKeyRef: color}}
}

// wantContents asks the container itself, until the tasks that still answer are the new ones.
func (n *tenant) wantContents(near *neighbour, token, color string) {
	n.t.Helper()

	want := []string{token, token, color, color}
	await(n.t, soon, fmt.Sprintf("the container holds %q", want), func() error {
		var got []string
		for _, path := range []string{"/env?name=TOKEN", "/file?path=/token", "/env?name=COLOR", "/file?path=/color"} {
			body, err := near.ask("web", path)
			if err != nil {
				return err
			}
			got = append(got, body)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("it holds %q", got)
		}

		return nil
	})
}

// replace changes an object that is not a container.
func (n *tenant) replace(o client.Object, set func()) {
	n.t.Helper()

	if err := n.api.Get(n.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		n.t.Fatal(err)
	}
	set()
	if err := n.api.Update(n.t.Context(), o); err != nil {
		n.t.Fatalf("change %T %q: %v", o, o.GetName(), err)
	}
}

// TestMissingReferenceHeals creates a container before what it refers to, and takes a key away from one that runs.
func TestMissingReferenceHeals(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "t"}})
	n.create(app("web", "v1", refers))
	tc := n.unready(soon, "web", v1alpha1.ReasonReferenceNotFound)
	if c := conditions.Get(tc, conditions.Ready); !strings.Contains(c.Message, "conf") || !strings.Contains(c.Message, "spec.") {
		t.Errorf("message: got %q, want the field and the name of the ConfigMap", c.Message)
	}
	if err := n.noService("web"); err != nil {
		t.Errorf("with a reference that is missing: %v", err)
	}

	conf := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"other": "x"}}
	n.create(conf)
	n.unready(soon, "web", v1alpha1.ReasonReferenceNotFound)
	n.replace(conf, func() { conf.Data["color"] = "green" })
	n.ready("web")

	// What runs goes on, and is still scaled and repaired.
	old := n.taskIDs("web")
	n.replace(conf, func() { delete(conf.Data, "color") })
	n.unready(soon, "web", v1alpha1.ReasonReferenceNotFound)
	n.edit("web", replicas(2))
	await(t, soon, "it is scaled all the same", func() error { return wantf(len(n.running("web")), 2, "running tasks") })
	for id := range old {
		if !n.taskIDs("web")[id] {
			t.Errorf("task %s was replaced because a key went missing", id)
		}
	}
	n.replace(conf, func() { conf.Data["color"] = "green" })
	n.ready("web")
	if got := n.get("web").Status.Revision; got != 1 {
		t.Errorf("revision after the same content came back: got %d, want 1", got)
	}
}

// TestPausedHoldsChangesBack is spec.paused.
func TestPausedHoldsChangesBack(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1"))
	old := n.taskIDs("web")

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.Paused = true }, version("v2"), replicas(2))
	n.condition(soon, "web", v1alpha1.ConditionPaused, metav1.ConditionTrue, v1alpha1.ReasonPaused)
	await(t, soon, "it is scaled all the same", func() error { return wantf(len(n.running("web")), 2, "running tasks") })
	for _, task := range n.running("web") {
		if got, want := task.Spec.ContainerSpec.Image, n.imageID("v1"); got != want {
			t.Errorf("image of a task while paused: got %s, want %s", got, want)
		}
	}
	if now := n.taskIDs("web"); !slices.ContainsFunc(slices.Collect(maps.Keys(old)), func(id string) bool { return now[id] }) {
		t.Error("the task from before was replaced")
	}

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.Paused = false })
	n.ready("web")
	if got := n.get("web").Status.Revision; got != 2 {
		t.Errorf("revision after the pause: got %d, want 2", got)
	}
}

// TestRestartAnnotation replaces the tasks once for each value, and makes no revision.
func TestRestartAnnotation(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	near := n.neighbour()
	n.run(app("web", "v1", replicas(2), healthy))

	for round := range 2 {
		old := n.taskIDs("web")
		p := near.probe("web")
		n.edit("web", annotation(v1alpha1.AnnotationRestartedAt, fmt.Sprint(round)))
		await(t, atLast, "all tasks are new", func() error {
			now := n.taskIDs("web")
			for id := range now {
				if old[id] {
					return fmt.Errorf("task %s is still there", id)
				}
			}

			return wantf(len(now), 2, "running tasks")
		})
		p.finish(n)
	}
	n.ready("web")
	was := n.settled("web")
	stays(t, 5*time.Second, "restarted once", func() error { return n.unmoved(was) })
	if got := len(n.revisions("web")); got != 1 {
		t.Errorf("revisions after restarts: got %d, want 1", got)
	}
}

// TestSuspendKeepsEverything is dogker.io/suspend, which billing and people use.
func TestSuspendKeepsEverything(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "t"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "c"}})
	for name, tc := range map[string]*v1alpha1.TenantContainer{
		"many":  app("many", "v1", replicas(2), refers),
		"every": app("every", "v1", refers, func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeGlobal }),
	} {
		n.run(tc)
		before := n.service(name)
		tasks := len(n.running(name))

		n.edit(name, annotation(v1alpha1.AnnotationSuspend, "Overdue"))
		got := n.unready(soon, name, v1alpha1.ReasonSuspended)
		if c := conditions.Get(got, v1alpha1.ConditionSuspended); c == nil || !strings.Contains(c.Message, "Overdue") {
			t.Errorf("condition Suspended of %q: got %+v, want the annotation's reason", name, c)
		}
		await(t, soon, "nothing runs", func() error { return wantf(len(n.running(name)), 0, "running tasks") })
		if now := n.service(name); now.ID != before.ID || now.Spec.TaskTemplate.ContainerSpec.Secrets[0].SecretID != before.Spec.TaskTemplate.ContainerSpec.Secrets[0].SecretID {
			t.Errorf("the service of %q was made anew or lost its secret", name)
		}

		n.edit(name, func(tc *v1alpha1.TenantContainer) { delete(tc.Annotations, v1alpha1.AnnotationSuspend) })
		n.ready(name)
		if got := len(n.running(name)); got != tasks {
			t.Errorf("tasks of %q after it was resumed: got %d, want %d", name, got, tasks)
		}
		if got := len(n.revisions(name)); got != 1 {
			t.Errorf("revisions of %q after it was suspended and resumed: got %d, want 1", name, got)
		}
		if now := n.service(name); now.ID != before.ID {
			t.Errorf("the service of %q was made anew", name)
		}
	}
}

// TestHistoryLimit keeps as many old revisions as the spec says, and the contents that they refer to.
func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	conf := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "0"}}
	n.create(conf)
	n.run(app("web", "v1", replicas(0), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.RevisionHistoryLimit = new(int32(2))
		tc.Spec.Files = []v1alpha1.File{{Path: "/color", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "conf", Key: "color"}}}
	}))

	const changes = 6
	for i := range int64(changes) {
		n.replace(conf, func() { conf.Data["color"] = fmt.Sprint(i + 1) })
		// One that was overtaken before it was complete would be nothing to go back to, and an older one kept instead.
		await(t, soon, "the change is a complete revision", func() error {
			return wantf(n.revisions("web")[i+2].Status.Outcome, v1alpha1.OutcomeComplete, "outcome of revision %d", i+2)
		})
	}

	await(t, soon, "old revisions are removed", func() error {
		numbers := slices.Sorted(maps.Keys(n.revisions("web")))
		if !slices.Equal(numbers, []int64{changes - 1, changes, changes + 1}) {
			return fmt.Errorf("there are revisions %v", numbers)
		}

		return nil
	})
	// The collector waits a minute before it believes that nobody needs a config, and looks every half minute.
	await(t, 3*time.Minute, "contents that no revision refers to are collected", func() error {
		return wantf(n.configs(), 3, "configs in Swarm")
	})
}
