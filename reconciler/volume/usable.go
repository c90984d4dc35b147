package volume

import (
	"fmt"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// Use is how a container may use a Volume.
type Use struct {
	// Node is the ID of the only node that its tasks may run on; empty when any will do.
	Node string
	// Hostname of that node, for people.
	Hostname string
	// Single is true when one task may mount it, because one node sees it and nothing keeps two apart.
	Single bool
}

// Obstacle is why a container may not be given a Volume.
type Obstacle struct {
	// Reason is one of v1alpha1's reasons of Volumes, Message a sentence for the owner of the container.
	Reason, Message string
	// Hold is true when what mounts it must not even go on running: its services have no tasks until the obstacle is gone.
	Hold bool
}

// hindering are the reasons for which a Volume can be mounted by nobody: where its data is, or whether there is any, is not
// known. That a node is down is none of them; its tasks wait for it.
var hindering = map[string]bool{
	v1alpha1.ReasonNodeGone:         true,
	v1alpha1.ReasonLost:             true,
	v1alpha1.ReasonNoSuitableNode:   true,
	v1alpha1.ReasonAmbiguous:        true,
	v1alpha1.ReasonClassNotFound:    true,
	v1alpha1.ReasonReleasedNotFound: true,
	v1alpha1.ReasonAlreadyAdopted:   true,
	v1alpha1.ReasonInUse:            true,
}

// Usable says how a container may use the Volume, or why it may not. class is nil when it is not there.
func Usable(v *v1alpha1.Volume, class *v1alpha1.VolumeClass) (Use, *Obstacle) {
	ready := conditions.Get(v, conditions.Ready)

	switch {
	case HeldBack(v):
		return Use{}, &Obstacle{Reason: v1alpha1.ReasonMoving, Message: fmt.Sprintf("Volume %s is being moved to the node %s", v.Name, host(&v.Status.Move.To)), Hold: true}
	case !v.DeletionTimestamp.IsZero():
		return obstacle(v1alpha1.ReasonDeleting, "Volume %s is being deleted", v.Name)
	case class == nil:
		return obstacle(v1alpha1.ReasonClassNotFound, "The class %q of Volume %s does not exist", v.Spec.ClassName, v.Name)
	case ready != nil && hindering[ready.Reason]:
		return obstacle(ready.Reason, "Volume %s: %s", v.Name, ready.Message)
	case ready == nil || v.Status.VolumeName != Name(v):
		return obstacle(v1alpha1.ReasonWaitForFirstConsumer, "Volume %s has not been looked at yet", v.Name)
	case Unfilled(v):
		return Use{}, unfilled(v)
	case class.Spec.Access == v1alpha1.AccessMany:
		return Use{}, nil
	case v.Status.Node == nil && ready.Reason == v1alpha1.ReasonNodeUnreachable:
		return obstacle(v1alpha1.ReasonWaitForFirstConsumer, "No node is chosen yet for Volume %s: %s", v.Name, ready.Message)
	case v.Status.Node == nil:
		return obstacle(v1alpha1.ReasonWaitForFirstConsumer, "No node is chosen yet for Volume %s", v.Name)
	default:
		return Use{Node: v.Status.Node.ID, Hostname: v.Status.Node.Hostname, Single: true}, nil
	}
}

func obstacle(reason, message string, args ...any) (Use, *Obstacle) {
	return Use{}, &Obstacle{Reason: reason, Message: fmt.Sprintf(message, args...)}
}

// unfilled is why a Volume cannot be used that has no data yet.
func unfilled(v *v1alpha1.Volume) *Obstacle {
	o := &Obstacle{
		Reason: v1alpha1.ReasonRestoring, Hold: true,
		Message: fmt.Sprintf("Volume %s does not have the data of VolumeSnapshot %s yet", v.Name, v.Spec.RestoreFrom),
	}
	if told := conditions.Get(v, v1alpha1.ConditionRestored); told != nil && told.Reason == v1alpha1.ReasonRestoreFailed {
		o.Reason = v1alpha1.ReasonRestoreFailed
		o.Message = fmt.Sprintf("Volume %s does not have the data of VolumeSnapshot %s: %s", v.Name, v.Spec.RestoreFrom, told.Message)
	}

	return o
}
