package volume

import (
	"context"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
)

// callOff ends what is under way with a Volume that is being deleted, and removes what it has made and nothing counts of. Its error says
// what it waits for. What was left behind by a move that is done is data, for the reclaim policy.
func (c *Controller) callOff(ctx context.Context, v *v1alpha1.Volume) error {
	var (
		done step
		err  error
	)
	switch m := v.Status.Move; {
	case volume.Restores(v):
		done, err = c.restore(ctx, v, restoring{node: v.Status.Restore.Node.ID, class: &v1alpha1.VolumeClass{}})
	case volume.Moves(v) && m.Phase != v1alpha1.MoveMoved:
		done, err = c.move(ctx, v, "", "")
	default:
		if !c.end(string(v.UID)) {
			return &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: "It is being deleted; what is being done with its data is ended first", After: soon}
		}

		return nil
	}
	if err != nil {
		return err
	}

	w := &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: "It is being deleted; what a move or a restore has made is removed first", After: soonest(soon, done.after)}
	switch {
	case done.recorded:
		w.After = atOnce
	case done.why != "":
		w.Message += ": " + done.why
	}

	return w
}
