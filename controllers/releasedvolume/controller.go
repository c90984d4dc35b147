package releasedvolume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Name of the control loop, in logs and metrics.
const Name = "releasedvolume"

// Storage is what nodes tell of volumes of ours.
type Storage interface {
	// All are all volumes that nodes have told of, and Held those of one name. They ask nobody.
	All() []volume.Held
	Held(name string) []volume.Held
	// Told tells whether a node has told lately what it has: what is missing was not there then.
	Told(node string) bool
	// Exists asks a node for one volume.
	Exists(ctx context.Context, node, name string) (bool, error)
	// Remove removes one, with what is in it. It is idempotent. It fails with swarmobj.ErrInUse while a container refers to it,
	// ErrRefused when the node will not, and ErrUnavailable when it cannot be asked.
	Remove(ctx context.Context, node, name string) error
}

// Swarm knows the nodes.
type Swarm interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Nodes of the swarm, as last seen. Nobody changes them.
	Nodes() []swarm.Node
}

// Controller decides about ReleasedVolumes. It keeps nothing in memory.
type Controller struct {
	client  client.Client
	live    client.Reader
	storage Storage
	swarm   Swarm
}

// New returns the controller. c may read from a cache; live asks the API server itself.
func New(c client.Client, live client.Reader, storage Storage, nodes Swarm) *Controller {
	return &Controller{client: c, live: live, storage: storage, swarm: nodes}
}

// again is when one is looked at that waits for a node, and measuredAgain one whose size may have been measured meanwhile.
const (
	again         = time.Minute
	measuredAgain = 30 * time.Minute
)

// Reconcile looks at one ReleasedVolume. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, r *v1alpha1.ReleasedVolume) (outcome.Result, error) {
	if !r.DeletionTimestamp.IsZero() {
		return c.finalize(ctx, r)
	}

	held := c.storage.Held(r.Spec.VolumeName)
	var bytes int64
	for _, h := range held {
		bytes += h.Bytes
	}
	if bytes > 0 && (r.Status.Used == nil || r.Status.Used.Value() != bytes) {
		r.Status.Used = resource.NewQuantity(bytes, resource.BinarySI)
	}
	conditions.MarkReady(r, v1alpha1.ReasonReleased, "The data belongs to no Volume; a Volume whose spec.adopt is its volumeName takes it over, and to delete this removes it")

	return outcome.Result{RequeueAfter: measuredAgain}, nil
}

// finalize removes the data, unless it belongs to a Volume again.
func (c *Controller) finalize(ctx context.Context, r *v1alpha1.ReleasedVolume) (outcome.Result, error) {
	// Whether the data has an owner may change at any moment; who deletes the record does not.
	if r.Annotations[v1alpha1.AnnotationTakenBack] != "" {
		return outcome.Result{Finalized: true}, nil
	}
	owned, err := c.owned(ctx)
	if err != nil {
		return outcome.Result{}, err
	}
	if owned[r.Spec.VolumeName] {
		return outcome.Result{Finalized: true}, nil
	}
	if c.swarm.State() != nil || len(c.swarm.Nodes()) == 0 {
		return outcome.Result{}, &outcome.Wait{Reason: v1alpha1.ReasonEngineUnavailable, Message: "The nodes of the swarm are not known at the moment", After: again}
	}

	hostnames := map[string]string{}
	for _, n := range c.swarm.Nodes() {
		hostnames[n.ID] = n.Description.Hostname
	}
	places := map[string]bool{}
	for _, n := range r.Spec.Nodes {
		places[n.ID] = true
	}
	for _, h := range c.storage.Held(r.Spec.VolumeName) {
		places[h.Node] = true
	}
	for id := range places {
		hostname, there := hostnames[id]
		if !there {
			continue // It has left the swarm and taken the data along.
		}
		if err := c.storage.Remove(ctx, id, r.Spec.VolumeName); err != nil {
			return outcome.Result{}, waiting(hostname, err)
		}
	}

	return outcome.Result{Finalized: true}, nil
}

// waiting is a Wait for what keeps data from being removed.
func waiting(hostname string, err error) error {
	w := &outcome.Wait{Err: err, After: again, Ready: metav1.ConditionFalse}

	switch {
	case errors.Is(err, swarmobj.ErrInUse):
		w.Reason, w.Message = v1alpha1.ReasonInUse, fmt.Sprintf("A container on node %s refers to the data", hostname)
	case errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, swarmobj.ErrRefused):
		w.Reason = v1alpha1.ReasonNodeUnreachable
		w.Message = fmt.Sprintf("The node %s cannot be asked to remove the data: it is down, or its agent is not there or older than the server", hostname)
	default:
		return err
	}

	return w
}

// owned are the names of all data that belongs to a Volume, as the API server itself says.
func (c *Controller) owned(ctx context.Context) (map[string]bool, error) {
	var all v1alpha1.VolumeList
	if err := c.live.List(ctx, &all); err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}

	return volume.Owned(all.Items), nil
}

// Setup registers the reconciler with a manager. It is woken by its own kind.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.ReleasedVolume{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Complete(r)
}
