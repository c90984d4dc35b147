package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Reasons of events.
const (
	eventReleased = "Released"
	eventRemoved  = "DataRemoved"
)

// finalize takes a Volume down: not before nothing mounts it, and then as its reclaim policy says.
func (c *Controller) finalize(ctx context.Context, v *v1alpha1.Volume) (outcome.Result, error) {
	// What is under way is called off first: it may hold what mounts the Volume, and fills what nobody will have.
	c.lapse(v)
	if err := c.callOff(ctx, v); err != nil {
		return outcome.Result{}, err
	}

	// What is let go must not have come into use meanwhile.
	using, err := consumers(ctx, c.live, v)
	if err != nil {
		return outcome.Result{}, err
	}
	v.Status.UsedBy = users(using)
	if len(using) > 0 {
		return outcome.Result{}, &outcome.Wait{Reason: v1alpha1.ReasonInUse, Message: inUse(using), After: again}
	}

	owner := ""
	if volume.Name(v) == v.Spec.Adopt {
		if owner, err = c.adoptedBy(ctx, v); err != nil {
			return outcome.Result{}, err
		}
	}
	if owner == "" { // Otherwise the data was never its own.
		if err := c.reclaim(ctx, v); err != nil {
			return outcome.Result{}, err
		}
	}
	c.forget(v.UID)

	return outcome.Result{Finalized: true}, nil
}

// inUse names what mounts it.
func inUse(using []volume.Consumer) string {
	const few = 5

	var names []string
	for _, u := range using {
		names = append(names, u.Kind+" "+u.Name)
	}
	if len(names) > few {
		names = append(names[:few], "and more")
	}

	return "It is being deleted, and goes when nothing mounts it any more: " + strings.Join(names, ", ")
}

// stillRuns names what still mounts it in Swarm, and nobody of another namespace.
func stillRuns(v *v1alpha1.Volume, running []volume.Mounting) string {
	var using []volume.Consumer
	for _, m := range running {
		if m.Owner.Tenant == v.Namespace {
			using = append(using, volume.Consumer{Kind: m.Owner.Kind, Name: m.Owner.Name})
		}
	}
	if len(using) == 0 {
		return "It is being deleted, and goes when nothing mounts it any more: a container of another namespace still does"
	}
	slices.SortFunc(using, func(a, b volume.Consumer) int { return strings.Compare(a.Kind+"/"+a.Name, b.Kind+"/"+b.Name) })

	return inUse(slices.CompactFunc(using, func(a, b volume.Consumer) bool { return a.Kind == b.Kind && a.Name == b.Name })) + ", in Swarm"
}

// reclaim obeys the reclaim policy where data is, or may be: what it has, and what it had.
func (c *Controller) reclaim(ctx context.Context, v *v1alpha1.Volume) error {
	if c.swarm.State() != nil || len(c.swarm.Nodes()) == 0 {
		return &outcome.Wait{Reason: v1alpha1.ReasonEngineUnavailable, Message: "The nodes of the swarm are not known at the moment", After: again}
	}

	// What no spec mentions any more may go on running: of an earlier revision, or of who is not gone yet.
	names := volume.Names(v)
	for _, name := range names {
		if running := volume.MountingOf(c.swarm.Mounting("", name), name); len(running) > 0 {
			return &outcome.Wait{Reason: v1alpha1.ReasonInUse, Message: stillRuns(v, running)}
		}
	}

	var all v1alpha1.VolumeList
	if len(names) > 1 {
		if err := c.live.List(ctx, &all); err != nil {
			return fmt.Errorf("list volumes: %w", err)
		}
	}
	for _, name := range names {
		places := c.places(v, name)
		if len(places) == 0 || name != volume.Name(v) && volume.HasAnother(v, name, all.Items) {
			continue
		}
		if err := c.reclaimName(ctx, v, name, places); err != nil {
			return err
		}
	}

	return nil
}

func (c *Controller) reclaimName(ctx context.Context, v *v1alpha1.Volume, name string, places []v1alpha1.VolumeNode) error {
	// What does not say that it may go stays.
	if v.Spec.ReclaimPolicy != v1alpha1.ReclaimDelete {
		return c.release(ctx, v, name, places)
	}

	for _, at := range places {
		if err := c.remove(ctx, name, at); err != nil {
			return err
		}
	}
	c.recorder.Event(v, corev1.EventTypeNormal, eventRemoved, fmt.Sprintf("Removed the data from %s", hosts(places)))

	return nil
}

// places are the nodes of the swarm that have data of that name, or may have it: where it lives, where it lived before a move that has not
// removed it there, and where nodes have told of it. One that has left the swarm took it along.
func (c *Controller) places(v *v1alpha1.Volume, name string) []v1alpha1.VolumeNode {
	var out []v1alpha1.VolumeNode
	held, s := c.storage.Held(name), &v.Status
	mayHave := func(id string) bool {
		if slices.ContainsFunc(s.Superseded, func(o v1alpha1.SupersededData) bool { return o.VolumeName == name && o.Node == id }) {
			return true
		}
		if name != volume.Name(v) {
			return false
		}
		left := s.Move != nil && (s.Move.Phase == v1alpha1.MoveMoved || s.Move.Phase == v1alpha1.MoveKept) && s.Move.From.ID == id

		return left || s.Node != nil && s.Node.ID == id
	}

	for _, n := range c.swarm.Nodes() {
		if mayHave(n.ID) || slices.ContainsFunc(held, func(h volume.Held) bool { return h.Node == n.ID }) {
			out = append(out, v1alpha1.VolumeNode{ID: n.ID, Hostname: n.Description.Hostname})
		}
	}

	return out
}

// release keeps the data, and puts on record that it is there.
func (c *Controller) release(ctx context.Context, v *v1alpha1.Volume, name string, places []v1alpha1.VolumeNode) error {
	if v.Status.ProvisionedAt == nil && len(c.storage.Held(name)) == 0 {
		// No task that would have made it was ever seen; a node that has told, or can be asked, knows.
		var there bool
		for _, at := range places {
			found, err := c.storage.Exists(ctx, at.ID, name)
			if err != nil {
				return unreachable(at, err)
			}
			there = there || found
		}
		if !there {
			return nil
		}
	}

	if err := c.record(ctx, volume.Release(v, name, places)); err != nil {
		return err
	}
	c.recorder.Event(v, corev1.EventTypeNormal, eventReleased, fmt.Sprintf("The data stays on %s, as ReleasedVolume %s", hosts(places), volume.ReleasedName(name)))

	return nil
}

// record puts released data on record. A record that is just going, because this Volume had adopted the data, would take the data
// along if the Volume were gone before it.
func (c *Controller) record(ctx context.Context, r *v1alpha1.ReleasedVolume) error {
	err := c.client.Create(ctx, r)
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("put released data %q on record: %w", r.Spec.VolumeName, err)
	}

	var have v1alpha1.ReleasedVolume
	if err := c.live.Get(ctx, client.ObjectKeyFromObject(r), &have); err != nil {
		return fmt.Errorf("read record of released data %q: %w", r.Spec.VolumeName, err)
	}
	if !have.DeletionTimestamp.IsZero() {
		return &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: "An earlier record of the released data is being taken back"}
	}

	return nil
}

// remove removes the data from one node.
func (c *Controller) remove(ctx context.Context, name string, at v1alpha1.VolumeNode) error {
	err := c.storage.Remove(ctx, at.ID, name)

	switch {
	case err == nil:
		return nil
	case errors.Is(err, swarmobj.ErrInUse):
		return &outcome.Wait{
			Reason: v1alpha1.ReasonInUse, Err: err,
			Message: fmt.Sprintf("A container on node %s still refers to the data, though it may have ended; the data goes when that container is removed", host(at)),
		}
	default:
		return unreachable(at, err)
	}
}

// unreachable is a Wait for a node that cannot be asked, or will not answer.
func unreachable(at v1alpha1.VolumeNode, err error) error {
	if !errors.Is(err, swarmobj.ErrUnavailable) && !errors.Is(err, swarmobj.ErrRefused) {
		return err
	}

	return &outcome.Wait{
		Reason: v1alpha1.ReasonNodeUnreachable, Err: err, After: again,
		Message: fmt.Sprintf("The node %s cannot be asked to remove the data: it is down, or its agent is not there or older than the server; "+
			"when the node is gone for good, remove it from the swarm", host(at)),
	}
}

func hosts(places []v1alpha1.VolumeNode) string {
	var out []string
	for _, at := range places {
		out = append(out, host(at))
	}

	return strings.Join(out, ", ")
}

func host(at v1alpha1.VolumeNode) string {
	if at.Hostname != "" {
		return at.Hostname
	}

	return at.ID
}
