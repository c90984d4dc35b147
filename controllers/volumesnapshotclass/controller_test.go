package volumesnapshotclass

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// placeError is an error of a place.
type placeError struct {
	fault volumejob.Fault
	text  string
}

func (e *placeError) Error() string          { return e.text }
func (e *placeError) Fault() volumejob.Fault { return e.fault }

// world is a store and a place.
type world struct {
	client.Client
	*testing.T

	controller *Controller
	engine     *engine.Engine[*v1alpha1.VolumeSnapshotClass]
	key, place error
	probes     int
	clock      time.Time
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, clock: time.Unix(1_700_000_000, 0)}
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.VolumeSnapshotClass{}).Build()
	w.controller = New(w.Client, w.Client, w)
	w.controller.now = func() time.Time { return w.clock }
	w.engine = engine.New(w.Client, w.controller, engine.Options{Name: Name, Finalizer: v1alpha1.FinalizerVolumeSnapshotClass, Strict: true})

	return w
}

func (w *world) EnsureKey(context.Context, string) (string, error) {
	if w.key != nil {
		return "", w.key
	}

	return "age1abc", nil
}

func (w *world) Probe(context.Context, string) error {
	w.probes++
	return w.place
}

func (w *world) pass() (*v1alpha1.VolumeSnapshotClass, time.Duration) {
	w.Helper()

	key := types.NamespacedName{Name: "offsite"}
	result, err := w.engine.Reconcile(w.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.Fatal(err)
	}
	var class v1alpha1.VolumeSnapshotClass
	if err := w.Get(w.Context(), key, &class); err != nil {
		if client.IgnoreNotFound(err) != nil {
			w.Fatal(err)
		}

		return nil, result.RequeueAfter
	}
	check.Status(w, &class)

	return &class, result.RequeueAfter
}

func class() *v1alpha1.VolumeSnapshotClass {
	return &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{
		Name: "offsite", UID: "uid-1", Generation: 1, Finalizers: []string{v1alpha1.FinalizerVolumeSnapshotClass},
	}}
}

func snapshot(name, class string) *v1alpha1.VolumeSnapshot {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name}}
	s.Spec.ClassName = v1alpha1.DNSLabel(class)

	return s
}

func ready(c *v1alpha1.VolumeSnapshotClass) string {
	r := conditions.Get(c, conditions.Ready)

	return string(r.Status) + " " + r.Reason
}

func TestReady(t *testing.T) {
	w := newWorld(t, class(), snapshot("one", "offsite"), snapshot("two", "elsewhere"))
	c, after := w.pass()
	if ready(c) != "True StoreReady" || c.Status.Recipient != "age1abc" || c.Status.Snapshots != 1 || after != probeEvery || w.probes != 1 {
		t.Fatalf("got %s, %+v, next look in %v after %d probes", ready(c), c.Status, after, w.probes)
	}

	// Counting asks no place, and what is as it was is not written.
	version := c.ResourceVersion
	if c, _ = w.pass(); w.probes != 1 || c.ResourceVersion != version {
		t.Errorf("another look: %d probes, version %s after %s", w.probes, c.ResourceVersion, version)
	}
	w.clock = w.clock.Add(probeEvery)
	if c, _ = w.pass(); w.probes != 2 || c.ResourceVersion != version {
		t.Errorf("ten minutes later: %d probes, version %s after %s", w.probes, c.ResourceVersion, version)
	}
	w.controller.Doubt("offsite")
	if w.pass(); w.probes != 3 {
		t.Errorf("in doubt: %d probes", w.probes)
	}
}

func TestCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		why        string
		key, place error
		want       string
	}{
		"Key":   {"A key that opens nothing is the platform's to repair.", &placeError{volumejob.FaultKey, "Secret \"k\" has no identity"}, nil, "False KeyInvalid"},
		"Spec":  {"So are credentials that are not there.", nil, &placeError{volumejob.FaultKey, "there is no Secret \"c\""}, "False KeyInvalid"},
		"Place": {"A place may come back by itself.", nil, &placeError{volumejob.FaultStore, "it does not answer"}, "False StoreUnavailable"},
		"Other": {"What is neither is an error like any.", errors.New("etcd is away"), nil, "False Error"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, class())
			w.key, w.place = c.key, c.place
			got, after := w.pass()
			if ready(got) != c.want || after <= 0 || after > probeAgain {
				t.Fatalf("%s\ngot %s, next look in %v", c.why, ready(got), after)
			}
			if w.pass(); w.probes > 1 {
				t.Errorf("asked again at once: %d probes", w.probes)
			}

			w.key, w.place = nil, nil
			w.clock = w.clock.Add(probeAgain)
			time.Sleep(5 * time.Millisecond) // The engine's first retry of what is unexpected.
			for range 20 {
				if got, _ = w.pass(); ready(got) == "True StoreReady" {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("%s\nrepaired: %s", c.why, ready(got))
		})
	}
}

// TestInvalidSpec: what admission would refuse is not used, however it came into the store.
func TestInvalidSpec(t *testing.T) {
	bad := class()
	bad.Spec.Directory = &v1alpha1.SnapshotDirectory{Path: "/etc"}
	w := newWorld(t, bad)
	if c, after := w.pass(); ready(c) != "False InvalidSpec" || after != 0 || w.probes != 0 || c.Status.Recipient != "" {
		t.Errorf("got %s, next look in %v after %d probes", ready(c), after, w.probes)
	}
}

// TestRecipientStays: who archives were made for stays on record when the key is gone: another one must not be made then.
func TestRecipientStays(t *testing.T) {
	w := newWorld(t, class())
	w.pass()
	w.key = &placeError{volumejob.FaultKey, "the Secret is gone"}
	if c, _ := w.pass(); c.Status.Recipient != "age1abc" || ready(c) != "False KeyInvalid" {
		t.Errorf("got %s, recipient %q", ready(c), c.Status.Recipient)
	}
}

// TestDeleted: a class goes with the last snapshot, whatever has become of its place.
func TestDeleted(t *testing.T) {
	w := newWorld(t, class(), snapshot("one", "offsite"))
	w.place = &placeError{volumejob.FaultStore, "it does not answer"}
	c, _ := w.pass()
	if err := w.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if c, _ = w.pass(); c == nil || ready(c) != "False InUse" {
		t.Fatalf("with a snapshot: %+v", c)
	}
	if err := w.Delete(t.Context(), snapshot("one", "")); err != nil {
		t.Fatal(err)
	}
	if c, _ = w.pass(); c != nil {
		t.Errorf("without snapshots: %+v", c)
	}
}

// TestDoubts: a snapshot that fails because of the place has it asked at once; others do not.
func TestDoubts(t *testing.T) {
	w := newWorld(t)
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer q.ShutDown()

	before, after := snapshot("one", "offsite"), snapshot("one", "offsite")
	after.Status.Failures, after.Status.LastFailure = 1, &v1alpha1.SnapshotFailure{Reason: v1alpha1.ReasonHookFailed, Message: "no"}
	update := func() {
		doubts(w.controller).Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: after}, q)
	}
	if update(); q.Len() != 0 {
		t.Error("a hook that fails is no matter of the place")
	}
	after.Status.LastFailure.Reason = v1alpha1.ReasonStoreUnavailable
	if update(); q.Len() != 1 {
		t.Error("a place that fails is not asked")
	}
}
