package volumesnapshot

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/volume"
)

// observe collects all that a snapshot is decided by. For one that is made, or never will be, that is nothing but its job.
func (c *Controller) observe(ctx context.Context, s *v1alpha1.VolumeSnapshot) (snapshotrun.Seen, error) {
	seen := snapshotrun.Seen{Now: c.now(), Process: c.process, Node: c.node}
	if last := c.ordered[client.ObjectKeyFromObject(s)]; last.uid == s.UID {
		seen.Ordered = last.operation
	}
	if job, is := c.Jobs.Job(string(s.UID)); is {
		seen.Job = &job
	}
	deleted := !s.DeletionTimestamp.IsZero()
	if !deleted && (snapshotrun.Made(&s.Status) || snapshotrun.Failed(&s.Status)) {
		return seen, nil
	}

	if err := c.observeClass(ctx, s, &seen); err != nil {
		return seen, err
	}
	if err := c.observeVolume(ctx, s, &seen); err != nil {
		return seen, err
	}
	if deleted {
		return seen, c.observeUse(ctx, s, &seen)
	}

	if a := s.Status.Attempt; a != nil && !a.Undone || seen.Volume == nil {
		return seen, nil
	}
	// The cache may not show yet what was begun a moment ago.
	for _, r := range []client.Reader{c.client, c.live} {
		var err error
		if seen.Other, err = other(ctx, r, s); err != nil || seen.Other {
			return seen, err
		}
	}

	return seen, nil
}

// observeClass reads the class. What becomes of an archive is decided by the class as it is now.
func (c *Controller) observeClass(ctx context.Context, s *v1alpha1.VolumeSnapshot, seen *snapshotrun.Seen) error {
	var r client.Reader = c.client
	if !s.DeletionTimestamp.IsZero() {
		r = c.live
	}
	var class v1alpha1.VolumeSnapshotClass
	switch err := r.Get(ctx, client.ObjectKey{Name: string(s.Spec.ClassName)}, &class); {
	case err == nil:
		seen.Class = &class
	case !apierrors.IsNotFound(err) && s.Spec.ClassName != "":
		return fmt.Errorf("read class %q: %w", s.Spec.ClassName, err)
	}

	return nil
}

// observeVolume reads the Volume, and finds out where its data can be read.
func (c *Controller) observeVolume(ctx context.Context, s *v1alpha1.VolumeSnapshot, seen *snapshotrun.Seen) error {
	if s.Spec.Source.VolumeName == "" {
		return nil
	}
	var v v1alpha1.Volume
	key := client.ObjectKey{Namespace: s.Namespace, Name: string(s.Spec.Source.VolumeName)}
	if err := c.client.Get(ctx, key, &v); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read volume %q: %w", key.Name, err)
	}
	seen.Volume = &v

	var class v1alpha1.VolumeClass
	if err := c.client.Get(ctx, client.ObjectKey{Name: string(v.Spec.ClassName)}, &class); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read class %q: %w", v.Spec.ClassName, err)
	}
	data := snapshotrun.Data{Name: volume.Name(&v), Many: class.Spec.Access == v1alpha1.AccessMany, Told: c.Storage.Told}
	for _, h := range c.Storage.Held(data.Name) {
		data.Held = append(data.Held, h.Node)
	}
	seen.Source, seen.Obstacle = snapshotrun.Source(&v, data, c.node)

	if v.Spec.Snapshots == nil || v.Spec.Snapshots.Hooks == nil {
		return nil
	}
	var containers v1alpha1.TenantContainerList
	if err := c.client.List(ctx, &containers, client.InNamespace(s.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	seen.Container = snapshotrun.HookContainer(&v, containers.Items)

	return nil
}

// node says how a node stands. One that is missing has left only when the swarm can be asked.
func (c *Controller) node(id string) snapshotrun.Node {
	nodes := c.Swarm.Nodes()
	for i := range nodes {
		if nodes[i].ID != id {
			continue
		}
		if nodes[i].Status.State == swarm.NodeStateReady {
			return snapshotrun.NodeReady
		}

		return snapshotrun.NodeDown
	}
	if c.Swarm.State() != nil || len(nodes) == 0 {
		return snapshotrun.NodeUnknown
	}

	return snapshotrun.NodeGone
}

// other is true while another snapshot of the same Volume is being made.
func other(ctx context.Context, r client.Reader, s *v1alpha1.VolumeSnapshot) (bool, error) {
	var all v1alpha1.VolumeSnapshotList
	if err := r.List(ctx, &all, client.InNamespace(s.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list snapshots: %w", err)
	}
	for i := range all.Items {
		o := &all.Items[i]
		if o.UID != s.UID && o.Spec.Source.VolumeName == s.Spec.Source.VolumeName && snapshotrun.Busy(&o.Status) {
			return true, nil
		}
	}

	return false, nil
}

// observeUse finds out who needs the archive of a snapshot that is being deleted.
func (c *Controller) observeUse(ctx context.Context, s *v1alpha1.VolumeSnapshot, seen *snapshotrun.Seen) error {
	var volumes v1alpha1.VolumeList
	if err := c.live.List(ctx, &volumes, client.InNamespace(s.Namespace)); err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	for i := range volumes.Items {
		v := &volumes.Items[i]
		if r := v.Status.Restore; r != nil && r.SnapshotUID == string(s.UID) && r.Phase == v1alpha1.RestoreWriting {
			seen.Restoring = v.Name
		}
	}

	// Only what the platform has taken up again is an archive of two. Who goes first of two that are being deleted leaves it to the other.
	for _, r := range []client.Reader{c.client, c.live} {
		shared, err := shared(ctx, r, s)
		if err != nil {
			return err
		}
		if seen.Shared = shared; !shared {
			break
		}
	}

	return nil
}

// shared is true while another snapshot is of the same archive.
func shared(ctx context.Context, r client.Reader, s *v1alpha1.VolumeSnapshot) (bool, error) {
	var all v1alpha1.VolumeSnapshotList
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list snapshots: %w", err)
	}
	for i := range all.Items {
		o := &all.Items[i]
		if o.UID != s.UID && o.Spec.ClassName == s.Spec.ClassName && snapshotrun.ArchiveName(o) == s.Status.ArchiveName {
			return true, nil
		}
	}

	return false, nil
}
