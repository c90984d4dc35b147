//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// This file holds the faults that earlier platforms of this kind were known for.

// TestNothingIsLostOnTheWay stops, starts, scales and changes a container that uses every field. Platforms that built
// the spec of each action anew from what they remembered lost files, limits and mounts that way.
func TestNothingIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "s3cr3t"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "blue"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "raw"}, BinaryData: map[string][]byte{"bytes": {1}}})
	n.kubectl("apply", "-f", n.manifest(fmt.Sprintf(everythingYAML, lab.Image("v1"))))
	n.ready("all")
	before := n.service("all").Spec.TaskTemplate

	for _, action := range []struct {
		name string
		do   func()
	}{
		{"scaled", func() { n.kubectl("scale", "tc/all", "--replicas=2") }},
		{"stopped", func() { n.kubectl("scale", "tc/all", "--replicas=0") }},
		{"started", func() { n.kubectl("scale", "tc/all", "--replicas=1") }},
		{"suspended", func() { n.kubectl("annotate", "tc/all", v1alpha1.AnnotationSuspend+"=Overdue") }},
		{"resumed", func() { n.kubectl("annotate", "tc/all", v1alpha1.AnnotationSuspend+"-") }},
		{"changed", func() { n.edit("all", env("PLAIN", "other")) }},
		{"changed back", func() { n.edit("all", env("PLAIN", "a b=c $HOME")) }},
	} {
		action.do()
		await(t, atLast, action.name, func() error {
			tc := n.get("all")
			if action.name == "suspended" {
				return says(tc, conditions.Ready, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
			}

			return says(tc, conditions.Ready, metav1.ConditionTrue, "")
		})
		if action.name == "changed" {
			continue
		}
		if diff := cmp.Diff(before, n.service("all").Spec.TaskTemplate); diff != "" {
			t.Errorf("after the container was %s (-before +after):\n%s", action.name, diff)
		}
	}
}

// TestTwoTenantsOneName gives two tenants a container of the same name, and wants them to be strangers.
func TestTwoTenantsOneName(t *testing.T) {
	t.Parallel()
	c := sharedCell(t)
	a, b := c.tenant(t), c.tenant(t)
	publish := func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Ports = []v1alpha1.Port{{ContainerPort: 8080, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 18080}}}
	}

	a.run(app("web", "v1"))
	b.run(app("web", "v2"))
	nearA, nearB := a.neighbour(), b.neighbour()
	if body, err := nearA.ask("web", "/"); err != nil || !strings.Contains(body, "version=v1") {
		t.Errorf("web, asked in %q: got %q, error %v, want v1", a.name, body, err)
	}
	if body, err := nearB.ask("web", "/"); err != nil || !strings.Contains(body, "version=v2") {
		t.Errorf("web, asked in %q: got %q, error %v, want v2", b.name, body, err)
	}

	b.run(app("hidden", "v1"))
	if body, err := nearA.ask("hidden", "/"); err == nil {
		t.Errorf("a container of another tenant answers: %q", body)
	}

	a.run(app("port", "v1", publish))
	b.create(app("port", "v1", publish))
	tc := b.unready(soon, "port", v1alpha1.ReasonPortConflict)
	message := conditions.Get(tc, conditions.Ready).Message
	if !strings.Contains(message, "18080") || strings.Contains(message, a.name) {
		t.Errorf("message: got %q, want the port and not who has it", message)
	}
	a.remove(app("port", "v1"))
	b.ready("port")
}

// TestNothingRunsUntilItDoes wants status to count what runs, and not what is meant to.
func TestNothingRunsUntilItDoes(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(app("slow", "v1", replicas(3), healthy, env("APP_START_DELAY", "3s")))
	n.create(app("loop", "v1", replicas(3), healthy, env("APP_CRASH_AFTER", "0s")))
	stays(t, 2*time.Second, "nothing is healthy yet", func() error {
		for _, name := range []string{"slow", "loop"} {
			if tc := n.get(name); tc.Status.ReadyReplicas != 0 {
				return fmt.Errorf("status of %q: %+v", name, tc.Status)
			}
		}

		return nil
	})
	if got := n.ready("slow").Status; got.Tasks != "3/3" || got.ReadyReplicas != 3 || got.UpdatedReplicas != 3 {
		t.Errorf("status when all run: got %+v, want 3 everywhere", got)
	}
	n.unready(soon, "loop", v1alpha1.ReasonCrashLoop)
	if got := n.get("loop").Status.Tasks; got != "0/3" {
		t.Errorf("tasks of a crash loop: got %s, want 0/3", got)
	}
}

// TestOOMKillIsTold lets a container use more memory than it may.
func TestOOMKillIsTold(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(app("eater", "v1", env("APP_EAT", "64"), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Memory: new(resource.MustParse("16Mi"))}}
	}))
	n.unready(soon, "eater", v1alpha1.ReasonOOMKilled)
}
