package volume

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
)

// lapse gives up what was under way when the store was put back to an earlier time: what has come of it since is not known, so that
// nothing of it may be removed.
func (c *Controller) lapse(v *v1alpha1.Volume) {
	s := &v.Status
	if !volume.PutBack(v, c.restores) {
		return
	}
	const why = "the store was put back to an earlier time meanwhile; what is on the nodes is left alone"
	if volume.Moves(v) {
		s.Move = s.Move.DeepCopy()
		s.Move.Phase, s.Move.Message = v1alpha1.MoveGivenUp, "the move was given up: "+why
	}
	if volume.Restores(v) {
		s.Restore = s.Restore.DeepCopy()
		s.Restore.Phase, s.Restore.Message = v1alpha1.RestoreGivenUp, "the restore was given up: "+why
	}
}

// recall finds out what a Volume has whose status was lost. Its error says what that waits for; when it is not known whether data is
// whole, that is people.
func (c *Controller) recall(ctx context.Context, v *v1alpha1.Volume) error {
	s := &v.Status
	if volume.PutBack(v, c.restores) && c.swarm.State() == nil {
		c.later(v)
	}
	if s.Restores != nil || s.Restored != nil || c.swarm.State() != nil {
		return nil
	}
	mounting := func(name string) []volume.Mounting {
		return volume.MountingOf(c.swarm.Mounting(v.Namespace, name), name)
	}
	name, doubtful := volume.Find(v, c.storage.Held, mounting)
	if name == "" && len(doubtful) > 0 || name != "" && len(mounting(name)) == 0 {
		// Lists are older than what has just been removed.
		gone := map[volume.Held]bool{}
		for _, n := range volume.Candidates(v) {
			for _, h := range c.storage.Held(n) {
				there, err := c.storage.Exists(ctx, h.Node, n)
				if err != nil {
					return &outcome.Wait{
						Reason: v1alpha1.ReasonNodeUnreachable, Ready: metav1.ConditionUnknown, Err: err, After: again,
						Message: "Its record was lost, and what it has may be on the node " + host(c.nodeNamed(v, h.Node)) + ", which cannot be asked",
					}
				}
				gone[volume.Held{Node: h.Node, Name: n}] = !there
			}
		}
		name, doubtful = volume.Find(v, func(n string) []volume.Held {
			return slices.DeleteFunc(c.storage.Held(n), func(h volume.Held) bool { return gone[volume.Held{Node: h.Node, Name: n}] })
		}, mounting)
	}

	switch {
	case name != "" && (name != volume.Name(v) || v.Spec.RestoreFrom != ""):
		s.Restored = &v1alpha1.VolumeRestored{Snapshot: v.Spec.RestoreFrom, At: c.timestamp(), VolumeName: name}
	case len(doubtful) > 0 && name == "":
		return &outcome.Stall{Reason: v1alpha1.ReasonAmbiguous, Message: volume.TellDoubt(doubtful)}
	}

	return nil
}

// ahead is how many generations are looked through that a Volume may have had since a backup was made.
const ahead = 64

// later finds data that was restored since the backup that the store was put back to: services mount it, which follow the record. What the
// record says is older, and belongs to nobody then.
func (c *Controller) later(v *v1alpha1.Volume) {
	s := &v.Status
	for g := v.Generation; g <= v.Generation+ahead; g++ {
		name := volume.RestoredName(v, g)
		mounts := volume.MountingOf(c.swarm.Mounting(v.Namespace, name), name)
		if name == volume.Name(v) || !slices.ContainsFunc(mounts, func(m volume.Mounting) bool { return m.For.UID == string(v.UID) }) {
			continue
		}
		s.Restored = &v1alpha1.VolumeRestored{Snapshot: v.Spec.RestoreFrom, At: c.timestamp(), VolumeName: name}
		if s.Restore != nil && s.Restore.VolumeName == name {
			s.Restore = nil
		}
	}
}

// doubt is an error when nodes have what was restored since the backup that the store was put back to, and no container tells whether that
// counts, as where only jobs mount a Volume: it may be all that was written since, or half of a restore, which looks alike. What the
// record says may be older data then, so that nothing is to use it before people have decided. It is asked after it was seen which nodes
// have told: what they have told of is known then.
func (c *Controller) doubt(ctx context.Context, view volume.View) error {
	v := view.Volume
	// A run goes on with what it has begun with.
	follows := func(m volume.Mounting) bool { return m.For.UID == string(v.UID) && m.Owner.Kind == kindContainer }
	if !volume.PutBack(v, c.restores) || c.swarm.State() != nil || slices.ContainsFunc(view.Mounting, follows) {
		return nil
	}

	var later []volume.Held
	for g := v.Generation; g <= v.Generation+ahead; g++ {
		if name := volume.RestoredName(v, g); name != volume.Name(v) {
			later = append(later, c.storage.Held(name)...)
		}
	}
	if len(later) == 0 {
		return nil
	}
	var all v1alpha1.VolumeList
	if err := c.live.List(ctx, &all); err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	later = slices.DeleteFunc(later, func(h volume.Held) bool { return volume.HasAnother(v, h.Name, all.Items) })
	if len(later) == 0 {
		return nil
	}

	var names []string
	for _, h := range later {
		names = append(names, h.Name+" on the node "+host(c.nodeNamed(v, h.Node)))
	}

	return &outcome.Stall{Reason: v1alpha1.ReasonAmbiguous, Message: volume.TellLater(names)}
}
