//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func dependsOn(names ...string) change {
	return func(tc *v1alpha1.TenantContainer) {
		for _, name := range names {
			tc.Spec.DependsOn = append(tc.Spec.DependsOn, v1alpha1.Dependency{Name: v1alpha1.DNSLabel(name)})
		}
	}
}

// TestDependsOn creates a chain from its end, and wants each link started after the one it depends on was ready.
func TestDependsOn(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(app("front", "v1", dependsOn("back")))
	n.create(app("back", "v1", dependsOn("db")))
	tc := n.unready(soon, "front", v1alpha1.ReasonWaitingForDependency)
	if c := conditions.Get(tc, conditions.Ready); !strings.Contains(c.Message, "back") {
		t.Errorf("message: got %q, want the name of what it waits for", c.Message)
	}
	stays(t, 3*time.Second, "nothing starts before db is there", func() error {
		return errors.Join(n.noService("front"), n.noService("back"))
	})

	n.create(app("db", "v1", healthy, env("APP_START_DELAY", "2s")))
	for _, name := range []string{"db", "back", "front"} {
		n.ready(name)
	}
	db, back, front := n.service("db"), n.service("back"), n.service("front")
	if !db.CreatedAt.Before(back.CreatedAt) || !back.CreatedAt.Before(front.CreatedAt) {
		t.Errorf("services were created at %v, %v, %v; want db, back, front", db.CreatedAt, back.CreatedAt, front.CreatedAt)
	}

	// The order is for the start. Later one may restart without the others.
	n.remove(app("db", "v1"))
	stays(t, 3*time.Second, "the others go on", func() error {
		return errors.Join(n.unmoved(back), n.unmoved(front))
	})
}

// TestDependencyCycleIsRefused wants the API to say no, with the way round.
func TestDependencyCycleIsRefused(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(app("a", "v1", replicas(0), dependsOn("b")))
	n.create(app("b", "v1", replicas(0), dependsOn("c")))

	c := app("c", "v1", replicas(0), dependsOn("a"))
	c.Namespace = n.name
	err := n.api.Create(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "c → a → b → c") {
		t.Errorf("create a cycle: got %v, want a refusal that names c → a → b → c", err)
	}
}

// TestDeletionOrder watches a container go that takes its time to stop: service and network may only go after the last
// task, or the network's addresses are never given back.
func TestDeletionOrder(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"a": "1"}})
	n.run(app("slow", "v1", env("APP_IGNORE_TERM", "true"), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Files = []v1alpha1.File{{Path: "/a", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "conf", Key: "a"}}}
	}))
	s := n.service("slow")
	n.run(app("stays", "v1", replicas(0)))

	start := time.Now()
	n.remove(app("slow", "v1"))
	if took := time.Since(start); took < 5*time.Second {
		t.Errorf("deleted after %v, although the task takes its grace of 5s to stop", took)
	}

	wanted := []string{"POST /services/" + s.ID + "/update OK", "DELETE /services/" + s.ID + " OK",
		"DELETE /configs/" + s.Spec.TaskTemplate.ContainerSpec.Configs[0].ConfigID + " No Content"}
	got := strings.Join(n.meter.since(start), "\n")
	at := 0
	for _, w := range wanted {
		i := strings.Index(got[at:], w)
		if i < 0 {
			t.Fatalf("writes in order: got\n%s\nwant, among them and in this order, %q", got, wanted)
		}
		at += i
	}

	ctx, cancel := contextFor(instant)
	defer cancel()
	if left, err := n.containers(ctx, false); err != nil || len(left) > 0 {
		t.Errorf("containers that run after the object is gone: got %v, error %v, want none", left, err)
	}
	if _, err := n.docker().NetworkInspect(ctx, swarmobj.NetworkName(n.name), network.InspectOptions{}); err != nil {
		t.Errorf("the network goes with the last container, not before: %v", err)
	}
}

// TestNamespaceChurn creates and deletes namespaces with two containers each. Each end is checked for what it left;
// one address that is not given back for each would be enough to find out.
func TestNamespaceChurn(t *testing.T) {
	t.Parallel()
	const atOnce = 5
	times := 20
	if long() {
		times = 50
	}
	c := sharedCell(t)

	var wg sync.WaitGroup
	turn := make(chan int)
	for range atOnce {
		wg.Go(func() {
			for i := range turn {
				if err := c.churn(fmt.Sprintf("churn-%d", i)); err != nil {
					t.Errorf("round %d: %v", i, err)
				}
			}
		})
	}
	for i := range times {
		turn <- i
	}
	close(turn)
	wg.Wait()

	n := c.tenant(t)
	near := n.neighbour()
	n.run(app("web", "v1"))
	if _, err := near.ask("web", "/"); err != nil {
		t.Errorf("after %d namespaces: %v", times, err)
	}
}

// churn is one round: a namespace with two containers that share a Secret comes and goes.
func (c *cell) churn(name string) error {
	ctx, cancel := contextFor(2 * goneBy)
	defer cancel()

	n := &tenant{cell: c, name: name}
	uses := func(tc *v1alpha1.TenantContainer) {
		tc.Namespace = name
		tc.Spec.Files = []v1alpha1.File{{Path: "/token", SecretKeyRef: &v1alpha1.KeySelector{Name: "keys", Key: "token"}}}
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "keys"}, StringData: map[string]string{"token": "t"}},
		app("a", "v1", uses),
		app("b", "v1", uses),
	}
	for _, o := range objects {
		if err := c.api.Create(ctx, o); err != nil {
			return err
		}
	}
	for _, name := range []string{"a", "b"} {
		if _, err := poll(atLast, func() error { return n.isReady(name) }); err != nil {
			return err
		}
	}

	if err := n.deleteNamespace(); err != nil {
		return err
	}
	_, err := poll(soon, n.leftovers)

	return err
}

func (n *tenant) isReady(name string) error {
	tc, err := n.read(name)
	if err != nil {
		return err
	}

	return says(tc, conditions.Ready, metav1.ConditionTrue, "")
}
