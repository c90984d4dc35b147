//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

// How long things may take on a machine that runs other tests at the same time. What a test measures, it compares with
// a limit of its own.
const (
	soon    = time.Minute
	atLast  = 2 * time.Minute
	goneBy  = 3 * time.Minute
	instant = 15 * time.Second
)

// tenant is a namespace that belongs to one test.
type tenant struct {
	*cell

	t    *testing.T
	name string
}

// tenants numbers the namespaces.
var tenants atomic.Int64

// tenant makes a namespace. When the test ends it is deleted, and nothing of it may be left in Swarm.
func (c *cell) tenant(t *testing.T) *tenant {
	t.Helper()

	n := c.namespace(t, fmt.Sprintf("t%d", tenants.Add(1)))
	t.Cleanup(n.cleanUp)

	return n
}

// namespace makes a namespace whose end is the test's own business.
func (c *cell) namespace(t *testing.T, name string) *tenant {
	t.Helper()

	n := &tenant{cell: c, t: t, name: name}
	n.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})

	return n
}

func (n *tenant) cleanUp() {
	if n.t.Failed() {
		n.diagnose()
	}

	if err := n.deleteNamespace(); err != nil {
		n.t.Errorf("delete namespace %q: %v", n.name, err)
		return
	}
	if _, err := poll(soon, n.leftovers); err != nil {
		n.t.Errorf("namespace %q is gone and left in Swarm: %v", n.name, err)
	}
}

// deleteNamespace deletes the namespace and waits until it is gone. It outlives the test's own context.
func (n *tenant) deleteNamespace() error {
	ctx, cancel := contextFor(goneBy)
	defer cancel()

	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.name}}
	if err := n.api.Delete(ctx, ns); client.IgnoreNotFound(err) != nil {
		return err
	}

	_, err := poll(goneBy, func() error {
		err := n.api.Get(ctx, client.ObjectKeyFromObject(ns), ns)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return fmt.Errorf("it is still there: %+v", ns.Status)
		}
	})

	return err
}

// app declares a container that runs a version of the lab's image. No registry is asked, because none has it.
func app(name, version string, changes ...func(*v1alpha1.TenantContainer)) *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.TenantContainerSpec{
			Image:                         v1alpha1.Image(lab.Image(version)),
			ImagePullPolicy:               v1alpha1.PullNever,
			TerminationGracePeriodSeconds: new(int64(5)),
		},
	}
	for _, change := range changes {
		change(tc)
	}

	return tc
}

// change is one way in which a container differs from the plain one.
type change = func(*v1alpha1.TenantContainer)

func replicas(count int32) change {
	return func(tc *v1alpha1.TenantContainer) { tc.Spec.Replicas = new(count) }
}

func version(v string) change {
	return func(tc *v1alpha1.TenantContainer) { tc.Spec.Image = v1alpha1.Image(lab.Image(v)) }
}

// env sets a variable, also one that is there already.
func env(name, value string) change {
	return func(tc *v1alpha1.TenantContainer) {
		for i := range tc.Spec.Env {
			if tc.Spec.Env[i].Name == name {
				tc.Spec.Env[i].Value = new(v1alpha1.Text(value))
				return
			}
		}
		tc.Spec.Env = append(tc.Spec.Env, v1alpha1.EnvVar{Name: name, Value: new(v1alpha1.Text(value))})
	}
}

func annotation(key, value string) change {
	return func(tc *v1alpha1.TenantContainer) {
		if tc.Annotations == nil {
			tc.Annotations = map[string]string{}
		}
		tc.Annotations[key] = value
	}
}

// create creates an object. What belongs to a namespace goes to the tenant's.
func (n *tenant) create(o client.Object) {
	n.t.Helper()

	if _, cluster := o.(*corev1.Namespace); !cluster {
		o.SetNamespace(n.name)
	}
	if err := n.api.Create(n.t.Context(), o); err != nil {
		n.t.Fatalf("create %T %q: %v", o, o.GetName(), err)
	}
}

// run creates a container and waits until it is ready.
func (n *tenant) run(tc *v1alpha1.TenantContainer) *v1alpha1.TenantContainer {
	n.t.Helper()

	n.create(tc)

	return n.ready(tc.Name)
}

// get reads a container.
func (n *tenant) get(name string) *v1alpha1.TenantContainer {
	n.t.Helper()

	tc, err := n.read(name)
	if err != nil {
		n.t.Fatal(err)
	}

	return tc
}

func (n *tenant) read(name string) (*v1alpha1.TenantContainer, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var tc v1alpha1.TenantContainer
	if err := n.api.Get(ctx, client.ObjectKey{Namespace: n.name, Name: name}, &tc); err != nil {
		return nil, fmt.Errorf("read container %q: %w", name, err)
	}

	return &tc, nil
}

// edit changes a container, as `kubectl patch` would.
func (n *tenant) edit(name string, changes ...change) {
	n.t.Helper()

	before := n.get(name)
	after := before.DeepCopy()
	for _, change := range changes {
		change(after)
	}
	if err := n.api.Patch(n.t.Context(), after, client.MergeFrom(before)); err != nil {
		n.t.Fatalf("change container %q: %v", name, err)
	}
}

// remove deletes an object and waits until it is gone.
func (n *tenant) remove(o client.Object) {
	n.t.Helper()

	o.SetNamespace(n.name)
	if err := n.api.Delete(n.t.Context(), o); err != nil {
		n.t.Fatalf("delete %T %q: %v", o, o.GetName(), err)
	}
	await(n.t, goneBy, fmt.Sprintf("%T %q is gone", o, o.GetName()), func() error {
		err := n.api.Get(n.t.Context(), client.ObjectKeyFromObject(o), o)
		if err == nil {
			return errors.New("it is still there")
		}

		return client.IgnoreNotFound(err)
	})
}

// ready waits until the container is ready as it is declared now.
func (n *tenant) ready(name string) *v1alpha1.TenantContainer {
	n.t.Helper()

	return n.condition(atLast, name, conditions.Ready, metav1.ConditionTrue, "")
}

// unready waits until the container is not ready for that reason.
func (n *tenant) unready(within time.Duration, name, reason string) *v1alpha1.TenantContainer {
	n.t.Helper()

	return n.condition(within, name, conditions.Ready, metav1.ConditionFalse, reason)
}

// condition waits until the condition says so about the present generation, for the reason if one is given.
func (n *tenant) condition(within time.Duration, name, kind string, status metav1.ConditionStatus, reason string) *v1alpha1.TenantContainer {
	n.t.Helper()

	var tc *v1alpha1.TenantContainer
	await(n.t, within, fmt.Sprintf("%s of %q is %s %s", kind, name, status, reason), func() (err error) {
		if tc, err = n.read(name); err != nil {
			return err
		}

		return says(tc, kind, status, reason)
	})
	check.Status(n.t, tc)

	return tc
}

// says holds a condition against what it should be.
func says(tc *v1alpha1.TenantContainer, kind string, status metav1.ConditionStatus, reason string) error {
	got := conditions.Get(tc, kind)
	switch {
	case got == nil:
		return fmt.Errorf("there is no condition %s", kind)
	case got.Status != status, reason != "" && got.Reason != reason:
		return fmt.Errorf("%s is %s %s: %s", kind, got.Status, got.Reason, got.Message)
	case got.ObservedGeneration != tc.Generation:
		return fmt.Errorf("%s is about generation %d of %d", kind, got.ObservedGeneration, tc.Generation)
	default:
		return nil
	}
}

// events are the texts of the events about an object, as "Reason: message".
func (n *tenant) events(name string) []string {
	n.t.Helper()

	texts, err := n.eventTexts(n.t.Context(), name)
	if err != nil {
		n.t.Fatal(err)
	}

	return texts
}

func (n *tenant) eventTexts(ctx context.Context, name string) ([]string, error) {
	var list corev1.EventList
	if err := n.api.List(ctx, &list, client.InNamespace(n.name)); err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}

	var texts []string
	for _, e := range list.Items {
		if e.InvolvedObject.Name == name {
			texts = append(texts, e.Reason+": "+e.Message)
		}
	}

	return texts, nil
}

// event waits for an event of that reason whose text holds the words.
func (n *tenant) event(name, reason, words string) {
	n.t.Helper()

	await(n.t, soon, fmt.Sprintf("event %s of %q says %q", reason, name, words), func() error {
		texts := n.events(name)
		for _, text := range texts {
			if strings.HasPrefix(text, reason+": ") && strings.Contains(text, words) {
				return nil
			}
		}

		return fmt.Errorf("there are %q", texts)
	})
}

// revisions are the records of a container, by number.
func (n *tenant) revisions(name string) map[int64]v1alpha1.ContainerRevision {
	n.t.Helper()

	var list v1alpha1.ContainerRevisionList
	err := n.api.List(n.t.Context(), &list, client.InNamespace(n.name), client.MatchingLabels{v1alpha1.LabelContainer: name})
	if err != nil {
		n.t.Fatalf("list revisions: %v", err)
	}

	all := map[int64]v1alpha1.ContainerRevision{}
	for _, r := range list.Items {
		all[r.Spec.Revision] = r
	}

	return all
}
