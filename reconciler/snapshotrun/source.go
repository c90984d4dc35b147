package snapshotrun

import (
	"slices"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Data is what is known of where the data of a Volume is.
type Data struct {
	// Name is what engines call it.
	Name string
	// Many is true when all nodes see it. Then Held are those that have told of it.
	Many bool
	Held []string
	// Told says whether a node tells what it has: what it has not told of is not there yet.
	Told func(node string) bool
}

// there is true once there is data, as far as that can be known.
func (d Data) there(v *v1alpha1.Volume) bool {
	if v.Status.ProvisionedAt != nil || v.Status.MountedAt == nil {
		return v.Status.ProvisionedAt != nil
	}

	// A service mounts it, whose first task may still be on its way.
	return d.Many || v.Status.Node == nil || !d.Told(v.Status.Node.ID)
}

// Source is where the data of a Volume can be read now, or why it cannot be.
func Source(v *v1alpha1.Volume, d Data, node func(id string) Node) (volumejob.Place, *Obstacle) {
	none := volumejob.Place{}
	ready := conditions.Get(v, conditions.Ready)

	switch m, r := v.Status.Move, v.Status.Restore; {
	case m != nil && (m.Phase == v1alpha1.MoveStopping || m.Phase == v1alpha1.MoveCopying || m.Phase == v1alpha1.MoveVerifying):
		return none, &Obstacle{v1alpha1.ReasonMoving, "The Volume is being moved; the snapshot is made afterwards"}
	case r != nil && r.Phase != v1alpha1.RestoreGivenUp:
		return none, &Obstacle{v1alpha1.ReasonRestoring, "The Volume is being restored; the snapshot is made afterwards"}
	case !d.there(v):
		return none, &Obstacle{v1alpha1.ReasonWaitForFirstConsumer, "The Volume has no data yet; the snapshot is made when a container has mounted it"}
	case ready != nil && ready.Reason == v1alpha1.ReasonLost:
		return none, &Obstacle{v1alpha1.ReasonLost, "The data of the Volume is gone from its node"}
	}

	if d.Many {
		held := slices.Sorted(slices.Values(d.Held))
		if i := slices.IndexFunc(held, func(id string) bool { return node(id) == NodeReady }); i >= 0 {
			return volumejob.Place{Node: held[i], Name: d.Name}, nil
		}

		return none, &Obstacle{v1alpha1.ReasonNodeUnreachable, "No node that has told of the data is ready"}
	}

	at := v.Status.Node
	if at == nil {
		return none, &Obstacle{v1alpha1.ReasonWaitForFirstConsumer, "It is not known which node the Volume lives on"}
	}
	switch n := node(at.ID); {
	case n == NodeReady && !d.Told(at.ID):
		// To begin with one that cannot be asked costs an attempt, and nobody knows then what has become of its containers.
		return none, &Obstacle{v1alpha1.ReasonNodeUnreachable, "The node that the Volume lives on has not told lately what it has; it is waited for"}
	case n == NodeReady:
		return volumejob.Place{Node: at.ID, Name: d.Name}, nil
	case n == NodeDown:
		return none, &Obstacle{v1alpha1.ReasonNodeDown, "The node that the Volume lives on is down"}
	case n == NodeGone:
		return none, &Obstacle{v1alpha1.ReasonNodeGone, "The node that the Volume lives on has left the swarm"}
	default:
		return none, &Obstacle{v1alpha1.ReasonEngineUnavailable, "The nodes of the swarm are not known at the moment"}
	}
}

// quiet is what is done around reading: what comes before as the Volume declares it, what comes after as it is on record.
func quiet(s *v1alpha1.VolumeSnapshot, v *v1alpha1.Volume, container string) volumejob.Quiet {
	a := s.Status.Attempt
	q := volumejob.Quiet{Pause: a.Quiesce == v1alpha1.QuiescePause, Namespace: s.Namespace, Container: container}

	if p := a.PostHook; p != nil {
		q.Container = p.Container
		q.Post = &volumejob.Hook{Command: p.Command, Timeout: seconds(&p.TimeoutSeconds), Continue: p.OnError == v1alpha1.HookContinue}
	}
	if v == nil || v.Spec.Snapshots == nil || v.Spec.Snapshots.Hooks == nil {
		return q
	}
	if pre := v.Spec.Snapshots.Hooks.Pre; pre != nil && q.Container != "" {
		q.Pre = &volumejob.Hook{Command: command(pre), Timeout: seconds(pre.TimeoutSeconds), Continue: pre.OnError == v1alpha1.HookContinue}
	}

	return q
}
