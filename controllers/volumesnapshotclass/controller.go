package volumesnapshotclass

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/inuse"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/snapshotrules"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Name of the control loop, in logs and metrics.
const Name = "volumesnapshotclass"

const (
	// probeEvery is how often a place is asked that could be used, and probeAgain one that could not.
	probeEvery = 10 * time.Minute
	probeAgain = time.Minute
	// probeTimeout bounds one probe: the other classes wait for it.
	probeTimeout = 20 * time.Second
)

// Places knows where archives are kept. An error of the place or the key has the method Fault() volumejob.Fault, and is told as it prints: it
// names no value of a Secret, and repeats nothing that a store has said.
type Places interface {
	// EnsureKey makes the key of a class that never had one, and says which age recipient its archives are made for. It is idempotent.
	EnsureKey(ctx context.Context, class string) (recipient string, err error)
	// Probe asks whether the place can be used. It blocks, and writes nothing.
	Probe(ctx context.Context, class string) error
}

// users are the snapshots of classes.
var users = inuse.Users[*v1alpha1.VolumeSnapshot]{
	List: func() client.ObjectList { return &v1alpha1.VolumeSnapshotList{} },
	Of:   func(s *v1alpha1.VolumeSnapshot) string { return string(s.Spec.ClassName) },
}

// Controller says how classes stand.
type Controller struct {
	cached, live client.Reader
	places       Places
	now          func() time.Time

	mu sync.Mutex
	// probed is what places have answered, so that a class which is only counted is not asked for.
	probed map[string]answer
}

// answer of a place.
type answer struct {
	uid        types.UID
	generation int64
	at         time.Time
	err        error
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader, places Places) *Controller {
	return &Controller{cached: cached, live: live, places: places, now: time.Now, probed: map[string]answer{}}
}

// Reconcile looks at one class. It writes nothing but the key; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, class *v1alpha1.VolumeSnapshotClass) (outcome.Result, error) {
	n, err := users.Count(ctx, inuse.Reader(class, c.cached, c.live), class.Name)
	if err != nil {
		return outcome.Result{}, err
	}
	class.Status.Snapshots = n
	if !class.DeletionTimestamp.IsZero() {
		return inuse.Release(n, "The class is being deleted, and there are still VolumeSnapshots of it; it goes when they are gone")
	}

	if wrong := snapshotrules.CheckClass(&class.Spec); len(wrong) > 0 {
		// Admission refuses it; it came into the store another way, or before the rule.
		return outcome.Result{}, &outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Message: wrong.ToAggregate().Error()}
	}

	recipient, err := c.places.EnsureKey(ctx, class.Name)
	if err != nil {
		return outcome.Result{}, cannot(err)
	}
	class.Status.Recipient = recipient

	next, err := c.probe(ctx, class)
	if err != nil {
		return outcome.Result{}, cannot(err)
	}
	conditions.MarkReady(class, v1alpha1.ReasonStoreReady, "Snapshots can be kept there")

	return outcome.Result{RequeueAfter: next}, nil
}

// probe asks the place, unless it has answered lately, and says when it is to be asked again.
func (c *Controller) probe(ctx context.Context, class *v1alpha1.VolumeSnapshotClass) (time.Duration, error) {
	c.mu.Lock()
	last, known := c.probed[class.Name]
	c.mu.Unlock()

	now, patience := c.now(), probeEvery
	if last.err != nil {
		patience = probeAgain
	}
	same := known && last.uid == class.UID && last.generation == class.Generation
	if age := now.Sub(last.at); same && age >= 0 && age < patience {
		return patience - age, last.err
	}

	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()

	err := c.places.Probe(ctx, class.Name)
	if err != nil && fault(err) == volumejob.FaultOther {
		return 0, fmt.Errorf("probe place of class %q: %w", class.Name, err)
	}
	c.mu.Lock()
	c.probed[class.Name] = answer{class.UID, class.Generation, now, err}
	c.mu.Unlock()

	return probeEvery, err
}

// Doubt has the place of a class asked at the next pass, however lately it has answered.
func (c *Controller) Doubt(class string) { c.Forget(types.NamespacedName{Name: class}) }

// Forget implements engine.Forgetter.
func (c *Controller) Forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()

	delete(c.probed, key.Name)
}

// fault is the class of an error; FaultOther when it says none.
func fault(err error) volumejob.Fault {
	var f interface{ Fault() volumejob.Fault }
	if errors.As(err, &f) {
		return f.Fault()
	}

	return volumejob.FaultOther
}

// cannot is a Wait for people or a store, or the error as it is when it is about neither. What is changed in a Secret wakes nobody.
func cannot(err error) error {
	reason := ""
	switch fault(err) {
	case volumejob.FaultKey:
		reason = v1alpha1.ReasonKeyInvalid
	case volumejob.FaultStore, volumejob.FaultFull:
		reason = v1alpha1.ReasonStoreUnavailable
	default:
		return err
	}

	return &outcome.Wait{Reason: reason, Message: sentence(err), Err: err, After: probeAgain}
}

// sentence is an error as people read it.
func sentence(err error) string {
	if fault(err) == volumejob.FaultKey {
		return "It cannot be used: " + err.Error()
	}

	return "The place where its snapshots are kept cannot be used: " + err.Error()
}
