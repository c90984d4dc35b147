package volume

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
)

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
		v1alpha1.MoveMoved:      "it lives there now, and " + cmp.Or(why, "what is left on the node before is being removed"),
		v1alpha1.MoveAbandoning: "that is given up, and what was made there is being removed",
	}[m.Phase]
	out := fmt.Sprintf("Moving to the node %s: %s", host(m.To), text)
	if m.Phase == v1alpha1.MoveAbandoning && m.Message != "" {
		out += "; the reason: " + m.Message
	}
	if why != "" && m.Phase != v1alpha1.MoveMoved && !strings.Contains(why, "is being") {
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
