package alert

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// errBoom is what fails in tests.
var errBoom = errors.New("boom")

// world is a controller with everything around it. All time in it is fake.
type world struct {
	t      *testing.T
	client client.Client
	loop   *engine.Engine[*monitoringv1.Alert]
	kind   *Controller
	key    client.ObjectKey
	// writes counts patches of status. noPatch fails the next one.
	writes  int
	noPatch bool
	// told are the notices in the outbox, each once, which does not answer while outboxDown.
	told       []alert.Notification
	outboxDown bool
	// samples are those of the one task that there is; results those of every query, which failed if queryErr is set.
	samples  []telemetry.Sample
	results  []Result
	queryErr error
	asked    string
	tasks    []swarmobj.Task
}

// play makes a world with an Alert, and what else there is, and runs a test in it.
func play(t *testing.T, a *monitoringv1.Alert, objects []client.Object, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		scheme := runtime.NewScheme()
		if err := errors.Join(
			corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme), billingv1.AddToScheme(scheme),
			monitoringv1.AddToScheme(scheme),
		); err != nil {
			t.Fatal(err)
		}

		w := &world{t: t, key: client.ObjectKeyFromObject(a)}
		store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, a)...).
			WithStatusSubresource(&monitoringv1.Alert{}, &v1alpha1.TenantContainer{}).Build()
		w.client = interceptor.NewClient(store, interceptor.Funcs{
			SubResourcePatch: func(
				ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption,
			) error {
				if _, ours := o.(*monitoringv1.Alert); ours {
					if w.noPatch {
						w.noPatch = false

						return errBoom
					}
					w.writes++
				}

				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
		})
		w.begin()
		test(w)
	})
}

// begin makes a new process, which knows nothing.
func (w *world) begin() {
	w.kind = New(w.client, w.client, Ports{Telemetry: w, Swarm: w, Queries: w, Outbox: w}, Options{Platform: "dogker-system"})
	w.loop = engine.New(w.client, w.kind, engine.Options{Name: Name, Strict: true})
}

// run passes time, with all the passes that a queue would start.
func (w *world) run(d time.Duration) {
	w.t.Helper()

	for end := time.Now().Add(d); ; {
		r, err := w.loop.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: w.key})
		if err != nil {
			w.t.Fatal(err)
		}

		if a := w.alert(); len(a.Status.Conditions) > 0 { // Some tests lose the first status.
			check.Status(w.t, a)
		}

		next := time.Now().Add(r.RequeueAfter)
		if r.RequeueAfter == 0 || next.After(end) {
			time.Sleep(time.Until(end))

			return
		}

		time.Sleep(r.RequeueAfter)
	}
}

func (w *world) alert() *monitoringv1.Alert {
	w.t.Helper()

	var a monitoringv1.Alert
	if err := w.client.Get(w.t.Context(), w.key, &a); err != nil {
		w.t.Fatal(err)
	}

	return &a
}

// ready sets the condition Ready of a container.
func (w *world) ready(name string, status metav1.ConditionStatus, reason string) {
	w.t.Helper()

	var tc v1alpha1.TenantContainer
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "acme", Name: name}, &tc); err != nil {
		w.t.Fatal(err)
	}

	tc.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: status, Reason: reason, LastTransitionTime: metav1.Now()}}
	if err := w.client.Status().Update(w.t.Context(), &tc); err != nil {
		w.t.Fatal(err)
	}
}

// statuses are those of the notices that were told, in order.
func (w *world) statuses() []alert.Status {
	var out []alert.Status
	for _, n := range w.told {
		out = append(out, n.Status)
	}

	return out
}

// Put implements alert.Outbox.
func (w *world) Put(_ context.Context, n alert.Notification) error {
	if w.outboxDown {
		return errBoom
	}

	if !slices.ContainsFunc(w.told, func(have alert.Notification) bool { return have.ID == n.ID }) {
		w.told = append(w.told, n)
	}

	return nil
}

// Query implements Queries.
func (w *world) Query(_ context.Context, namespace, query string) ([]Result, error) {
	w.asked = namespace + ": " + query

	return w.results, w.queryErr
}

// Look implements Swarm.
func (w *world) Look(context.Context, swarmobj.Owner) (swarmobj.World, error) {
	return swarmobj.World{Tasks: w.tasks, TasksFresh: true}, nil
}

// Subjects implements telemetry.Reader.
func (w *world) Subjects(o swarmobj.Owner) []telemetry.Subject {
	if len(w.samples) == 0 {
		return nil
	}

	return []telemetry.Subject{{Owner: o, Task: "task"}}
}

// Window implements telemetry.Reader.
func (w *world) Window(_ string, since time.Time) []telemetry.Sample {
	i := slices.IndexFunc(w.samples, func(s telemetry.Sample) bool { return !s.At.Before(since) })
	if i < 0 {
		return nil
	}

	return w.samples[i:]
}

// Latest implements telemetry.Reader.
func (w *world) Latest(string) (telemetry.Sample, bool) {
	if len(w.samples) == 0 || time.Since(w.samples[len(w.samples)-1].At) > telemetry.Stale {
		return telemetry.Sample{}, false
	}

	return w.samples[len(w.samples)-1], true
}

// Machine implements telemetry.Reader.
func (*world) Machine(string) (telemetry.Machine, float64, bool) {
	return telemetry.Machine{}, 0, false
}

// Totals implements telemetry.Reader.
func (*world) Totals(swarmobj.Owner) (telemetry.Totals, time.Time) {
	return telemetry.Totals{}, time.Time{}
}

// sample adds a sample that was taken now.
func (w *world) sample(memory uint64) {
	s := telemetry.Sample{At: time.Now(), Container: "c", Task: "task"}
	s.Memory.WorkingSet, s.Memory.Limit = memory, 1000
	w.samples = append(w.samples, s)
}

// tenant is one with a contact, and its container.
func tenant() []client.Object {
	t := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	t.Spec.Contacts = []v1alpha1.Contact{{Email: "ada@acme.example"}}
	t.Status.Namespace = "acme"

	return []client.Object{t, &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", UID: "web"}}}
}

// watch is an Alert with the times of the one that each tenant has.
func watch(change func(*monitoringv1.AlertSpec)) *monitoringv1.Alert {
	a := &monitoringv1.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "a", UID: "a", Generation: 1}, Spec: alert.ContainersDown()}
	if change != nil {
		change(&a.Spec)
	}

	return a
}
