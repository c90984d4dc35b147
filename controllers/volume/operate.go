package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
)

// operation is how a move and a restore stand at the end of a pass.
type operation struct {
	move, restore step
	// after is when to look again for data that was superseded; zero for no need.
	after time.Duration
}

// recorded is true when something was put on record: the pass ends with that.
func (o operation) recorded() bool { return o.move.recorded || o.restore.recorded }

// operate goes one step with whatever is under way, or begins something: a move before a restore, and one at a time.
func (c *Controller) operate(ctx context.Context, view volume.View, verdict volume.Verdict) (operation, error) {
	var (
		out operation
		err error
		v   = view.Volume
	)
	switch {
	case volume.Restores(v):
		out.restore, err = c.restore(ctx, v, c.wishOf(view, verdict, ""))
	case volume.Moves(v):
		to, _ := wished(view)
		out.move, err = c.move(ctx, v, to, "")
	default:
		if v.Status.Move != nil || v.Spec.Node != "" {
			out.move, err = c.beginMove(ctx, view, verdict)
		}
		if err == nil && !out.recorded() {
			out.restore, err = c.restore(ctx, v, c.wishOf(view, verdict, c.obstacle(view, verdict, v1alpha1.ReasonBound, v1alpha1.ReasonLost, v1alpha1.ReasonNodeGone)))
		}
		if err == nil && !out.recorded() {
			c.tidyJob(v)
		}
	}
	if err != nil || out.recorded() {
		return out, err
	}

	out.after, err = c.letGo(ctx, v)

	return out, err
}

// tidyJob forgets what an earlier step has ordered, when nothing is under way any more.
func (c *Controller) tidyJob(v *v1alpha1.Volume) {
	if !volume.Moves(v) && !volume.Restores(v) {
		c.end(string(v.UID))
	}
}

// beginMove moves a Volume to the node that it is wished to live on.
func (c *Controller) beginMove(ctx context.Context, view volume.View, verdict volume.Verdict) (step, error) {
	v := view.Volume
	c.dropKept(view)
	if view.Class == nil || view.Class.Spec.Access != v1alpha1.AccessSingle || v.Status.Node == nil || len(view.Nodes) == 0 {
		return step{}, nil
	}
	to, why := wished(view)
	switch {
	case why != "":
		return step{why: why, refused: true}, nil
	case to != "" && to != v.Status.Node.ID && !volume.Portable(view.Class):
		return step{refused: true, why: fmt.Sprintf("data of the VolumeClass %q is not in volumes of engines, and is not moved by Dogker", v.Spec.ClassName)}, nil
	}

	return c.move(ctx, v, to, c.obstacle(view, verdict, v1alpha1.ReasonBound))
}

// dropKept forgets that data was kept at the source of a move when somebody has removed it there.
func (c *Controller) dropKept(view volume.View) {
	m := view.Volume.Status.Move
	if m == nil || m.Phase != v1alpha1.MoveKept || !c.storage.Told(m.From.ID) && slices.ContainsFunc(view.Nodes, func(n swarm.Node) bool { return n.ID == m.From.ID }) {
		return
	}
	if !slices.ContainsFunc(view.Held, func(h volume.Held) bool { return h.Node == m.From.ID }) && len(view.Nodes) > 0 {
		view.Volume.Status.Move = nil
	}
}

// wished is the ID of the node that spec.node names; why says that it names none.
func wished(view volume.View) (to, why string) {
	v := view.Volume
	if v.Spec.Node == "" {
		return "", ""
	}
	if id := volume.Wished(v, view.Nodes); id != "" {
		return id, ""
	}
	// One that has left the swarm meanwhile is still meant.
	if m := v.Status.Move; m != nil && (v.Spec.Node == m.To.ID || strings.EqualFold(v.Spec.Node, m.To.Hostname)) {
		return m.To.ID, ""
	}
	if at := v.Status.Node; at != nil && (v.Spec.Node == at.ID || strings.EqualFold(v.Spec.Node, at.Hostname)) {
		return at.ID, ""
	}

	return "", fmt.Sprintf("spec.node: %q is not the hostname or ID of exactly one node of the swarm", v.Spec.Node)
}

// obstacle is why nothing begins now: it is not known for sure where the data is, or the Volume does not stand in one of these ways.
func (c *Controller) obstacle(view volume.View, verdict volume.Verdict, reasons ...string) string {
	s := &view.Volume.Status
	switch {
	case !slices.Contains(reasons, verdict.Reason):
		return verdict.Message
	case s.Restores == nil || *s.Restores != c.restores:
		return "its record was lost or put back, and not all nodes have told yet what they have"
	default:
		return ""
	}
}

// wishOf is what is to be restored, and where: on the node that it lives on, or on the one that spec.node names when that has left the
// swarm.
func (c *Controller) wishOf(view volume.View, verdict volume.Verdict, obstacle string) restoring {
	v := view.Volume
	r := restoring{snapshot: string(v.Spec.RestoreFrom), class: view.Class, obstacle: obstacle}
	switch at := v.Status.Restore; {
	case volume.Restores(v):
		r.node = at.Node.ID
		if on := verdict.Node; on != nil && on.ID != r.node && verdict.Reason == v1alpha1.ReasonBound {
			r.node = on.ID
		}
	case verdict.Reason == v1alpha1.ReasonNodeGone:
		to, _ := wished(view)
		if r.obstacle == "" && (to == "" || verdict.Node != nil && to == verdict.Node.ID) {
			r.obstacle = "the node that it lived on has left the swarm; name another one in spec.node"
		}
		r.node = to
	case verdict.Node != nil:
		r.node = verdict.Node.ID
	}

	return r
}

// lapse gives up what was under way when the store was put back to an earlier time: what has come of it since is not known, so that
// nothing of it may be removed.
func (c *Controller) lapse(v *v1alpha1.Volume) {
	s := &v.Status
	if s.Restores == nil || *s.Restores == c.restores {
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

// recall finds out what a Volume has whose status was lost. Its error is for people: they have to say what counts.
func (c *Controller) recall(v *v1alpha1.Volume) error {
	s := &v.Status
	if s.Restores != nil || s.Restored != nil || c.swarm.State() != nil {
		return nil
	}
	name, doubtful := volume.Find(v, c.storage.Held, func(name string) []volume.Mounting {
		return volume.MountingOf(c.swarm.Mounting(v.Namespace, name), name)
	})
	switch {
	case name != "" && (name != volume.Name(v) || v.Spec.RestoreFrom != ""):
		s.Restored = &v1alpha1.VolumeRestored{Snapshot: v.Spec.RestoreFrom, At: c.timestamp(), VolumeName: name}
	case len(doubtful) > 0 && name == "":
		return &outcome.Stall{Reason: v1alpha1.ReasonAmbiguous, Message: volume.TellDoubt(doubtful)}
	}

	return nil
}

// tell puts into conditions how the move and the restore stand.
func tell(v *v1alpha1.Volume, view volume.View, o operation) {
	single := view.Class != nil && view.Class.Spec.Access == v1alpha1.AccessSingle
	if (v.Spec.Node == "" || !single || v.Status.Node == nil) && !volume.Moves(v) {
		conditions.Delete(v, v1alpha1.ConditionMoved)
	} else {
		tellMoved(v, o.move)
	}
	if v.Spec.RestoreFrom == "" && !volume.Restores(v) {
		conditions.Delete(v, v1alpha1.ConditionRestored)
	} else {
		tellRestored(v, o.restore)
	}
}

func tellMoved(v *v1alpha1.Volume, s step) {
	m, set := v.Status.Move, conditions.Set
	switch {
	case volume.Moves(v) && m.Phase != v1alpha1.MoveMoved:
		set(v, v1alpha1.ConditionMoved, metav1.ConditionFalse, v1alpha1.ReasonMoving, moving(m, s.why))
	case s.why != "" && s.refused:
		set(v, v1alpha1.ConditionMoved, metav1.ConditionFalse, v1alpha1.ReasonMoveFailed, capital(s.why))
	case s.why != "" && m == nil:
		set(v, v1alpha1.ConditionMoved, metav1.ConditionFalse, v1alpha1.ReasonMoving, "The move has not begun: "+s.why)
	case m != nil && m.Phase == v1alpha1.MoveGivenUp:
		set(v, v1alpha1.ConditionMoved, metav1.ConditionFalse, v1alpha1.ReasonMoveFailed, capital(m.Message))
	default:
		text := "It lives on the node " + host(*v.Status.Node)
		if m != nil && m.Phase == v1alpha1.MoveKept {
			text += "; on the node " + host(m.From) + " " + m.Message
		}
		set(v, v1alpha1.ConditionMoved, metav1.ConditionTrue, v1alpha1.ReasonMoved, text)
	}
}

// moving says how far a move is.
func moving(m *v1alpha1.VolumeMove, why string) string {
	text := map[v1alpha1.MovePhase]string{
		v1alpha1.MoveStopping:   "what mounts it is being stopped",
		v1alpha1.MoveCopying:    "its data is being copied",
		v1alpha1.MoveVerifying:  "the copy is being verified",
		v1alpha1.MoveMoved:      "it lives there now, and what is left on the node before is being removed",
		v1alpha1.MoveAbandoning: "that is given up, and what was made there is being removed",
	}[m.Phase]
	out := fmt.Sprintf("Moving to the node %s: %s", host(m.To), text)
	if m.Phase == v1alpha1.MoveAbandoning && m.Message != "" {
		out += "; the reason: " + m.Message
	}
	if why != "" && !strings.Contains(why, "is being") {
		out += "; " + why
	}

	return out
}

func tellRestored(v *v1alpha1.Volume, s step) {
	r, done, set := v.Status.Restore, v.Status.Restored, conditions.Set
	switch {
	case volume.Restores(v):
		set(v, v1alpha1.ConditionRestored, metav1.ConditionFalse, v1alpha1.ReasonRestoring, filling(v, s.why))
	case done != nil && done.Snapshot == v.Spec.RestoreFrom && !done.Removed && done.SnapshotUID == "":
		set(v, v1alpha1.ConditionRestored, metav1.ConditionUnknown, v1alpha1.ReasonRecordLost, fmt.Sprintf(
			"The status was lost; whether VolumeSnapshot %s had been restored is not known, and what there is is kept; to restore it, remove spec.restoreFrom and set it again", done.Snapshot))
	case done != nil && done.Snapshot == v.Spec.RestoreFrom && !done.Removed:
		set(v, v1alpha1.ConditionRestored, metav1.ConditionTrue, v1alpha1.ReasonRestored, fmt.Sprintf("It has the data of VolumeSnapshot %s", done.Snapshot))
	case s.refused:
		set(v, v1alpha1.ConditionRestored, metav1.ConditionFalse, v1alpha1.ReasonRestoreFailed, capital(s.why))
	case s.why == "" && r != nil:
		set(v, v1alpha1.ConditionRestored, metav1.ConditionFalse, v1alpha1.ReasonRestoreFailed, capital(r.Message))
	case s.why == "":
		set(v, v1alpha1.ConditionRestored, metav1.ConditionFalse, v1alpha1.ReasonRestoring, "The restore has not begun")
	default:
		set(v, v1alpha1.ConditionRestored, metav1.ConditionFalse, v1alpha1.ReasonRestoring, "The restore has not begun: "+s.why)
	}
}

// filling says how far a restore is.
func filling(v *v1alpha1.Volume, why string) string {
	r := v.Status.Restore
	text := "its data is being verified and written"
	if r.Phase == v1alpha1.RestoreAbandoning {
		text = "that is given up, and what was written is being removed"
	}
	out := fmt.Sprintf("Restoring VolumeSnapshot %s on the node %s: %s", r.Snapshot, host(r.Node), text)
	if why != "" && !strings.Contains(why, "is being") && why != text {
		out += "; " + why
	}

	return out
}

// merge lets what is under way say how the pass ends, where it takes something away or is to be known.
func merge(v *v1alpha1.Volume, verdict volume.Verdict, o operation, result outcome.Result, err error) (outcome.Result, error) {
	after := soonest(soonest(o.move.after, o.restore.after), o.after)
	if o.recorded() {
		after = atOnce
	}
	moved, restored := conditions.Get(v, v1alpha1.ConditionMoved), conditions.Get(v, v1alpha1.ConditionRestored)
	m := v.Status.Move

	switch {
	case volume.HeldBack(v):
		return result, waiting(metav1.ConditionFalse, v1alpha1.ReasonMoving, moving(m, o.move.why), after)
	case volume.Unfilled(v) && verdict.Node == nil:
		return sooner(result, err, after)
	case volume.Unfilled(v) && restored != nil:
		if restored.Reason == v1alpha1.ReasonRestoreFailed {
			return outcome.Result{RequeueAfter: soonest(again, after)}, &outcome.Stall{Reason: restored.Reason, Message: restored.Message}
		}

		return result, waiting(metav1.ConditionFalse, restored.Reason, restored.Message, after)
	case err != nil:
		return sooner(result, err, after)
	case volume.Moves(v):
		return result, waiting(metav1.ConditionTrue, v1alpha1.ReasonMoving, moving(m, o.move.why), after)
	case volume.Restores(v):
		return result, waiting(metav1.ConditionTrue, restored.Reason, restored.Message, after)
	}
	for _, told := range []*metav1.Condition{moved, restored} {
		switch {
		case told == nil || told.Status != metav1.ConditionFalse:
		case told.Reason == v1alpha1.ReasonMoveFailed || told.Reason == v1alpha1.ReasonRestoreFailed:
			return outcome.Result{RequeueAfter: soonest(again, after)}, &outcome.Stall{Reason: told.Reason, Message: told.Message, Ready: metav1.ConditionTrue}
		default:
			return result, waiting(metav1.ConditionTrue, told.Reason, told.Message, after)
		}
	}

	return sooner(result, err, after)
}

func waiting(ready metav1.ConditionStatus, reason, message string, after time.Duration) error {
	return &outcome.Wait{Reason: reason, Message: message, Ready: ready, After: soonest(again, after)}
}

// sooner has a pass looked at again after that at the latest.
func sooner(result outcome.Result, err error, after time.Duration) (outcome.Result, error) {
	var wait *outcome.Wait
	if errors.As(err, &wait) {
		wait.After = soonest(wait.After, after)

		return result, err
	}
	result.RequeueAfter = soonest(result.RequeueAfter, after)

	return result, err
}
