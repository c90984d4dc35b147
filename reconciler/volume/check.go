package volume

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// CheckVolume says what is wrong with a Volume that is new, or that has changed from before; that is nil for a new one. class is
// that of the Volume; nil when it is not there any more, and then only what has nothing to do with it is judged.
func CheckVolume(v, before *v1alpha1.Volume, class *v1alpha1.VolumeClass) field.ErrorList {
	var out field.ErrorList

	at := field.NewPath("spec")
	grew := before != nil && v.Spec.Size.Cmp(before.Spec.Size) > 0

	if class != nil && (before == nil || grew) {
		if most := class.Spec.MaxSize; most != nil && v.Spec.Size.Cmp(*most) > 0 {
			out = append(out, field.Invalid(at.Child("size"), v.Spec.Size.String(), fmt.Sprintf("must be at most %s, the maxSize of the VolumeClass %s", most, class.Name)))
		}
	}
	if grew && class != nil && class.Spec.SizeOption != "" {
		out = append(out, field.Invalid(at.Child("size"), v.Spec.Size.String(), fmt.Sprintf(
			"must stay %s: the VolumeClass %s holds volumes to the size that they were made with; make another Volume and copy what is in this one",
			&before.Spec.Size, class.Name)))
	}
	if class != nil && class.Spec.Access == v1alpha1.AccessMany {
		out = append(out, checkShared(at, v)...)
	}

	out = append(out, checkMove(at.Child("node"), v, before, class)...)

	return append(out, checkRestore(at.Child("restoreFrom"), v, before, class)...)
}

// checkShared: what all nodes see lives on none of them.
func checkShared(at *field.Path, v *v1alpha1.Volume) field.ErrorList {
	var out field.ErrorList
	if v.Spec.Node != "" {
		out = append(out, field.Forbidden(at.Child("node"), fmt.Sprintf("must not be set, because all nodes see Volumes of the VolumeClass %s", v.Spec.ClassName)))
	}
	if v.Spec.Adopt != "" {
		out = append(out, field.Forbidden(at.Child("adopt"), fmt.Sprintf("must not be set, because data of the VolumeClass %s is on no node; copy it on the server", v.Spec.ClassName)))
	}

	return out
}

// checkMove refuses another node for data that is not in the volumes of engines, which nobody can copy, and while it is being filled.
func checkMove(at *field.Path, v, before *v1alpha1.Volume, class *v1alpha1.VolumeClass) field.ErrorList {
	if before == nil || v.Spec.Node == before.Spec.Node || v.Spec.Node == "" || before.Status.Node == nil || before.Status.ProvisionedAt == nil && before.Status.MountedAt == nil {
		return nil
	}
	lives := before.Status.Node
	if v.Spec.Node == lives.ID || strings.EqualFold(v.Spec.Node, lives.Hostname) {
		return nil
	}

	switch {
	case !Portable(class):
		return field.ErrorList{field.Invalid(at, v.Spec.Node, fmt.Sprintf(
			"must be %s, where its data is: data of the VolumeClass %s is not in volumes of engines, and Dogker does not move it; make another Volume with spec.node %s and copy what is in this one",
			host(lives), v.Spec.ClassName, v.Spec.Node))}
	case Restores(before):
		return field.ErrorList{field.Invalid(at, v.Spec.Node, fmt.Sprintf("must be %s, where it is being restored from VolumeSnapshot %s; move it when that is done, or remove spec.restoreFrom",
			host(lives), before.Status.Restore.Snapshot))}
	default:
		return nil
	}
}

// checkRestore refuses a snapshot for data that is not in the volumes of engines, which nobody can fill, for what is adopted at the same
// time, and while it is being moved.
func checkRestore(at *field.Path, v, before *v1alpha1.Volume, class *v1alpha1.VolumeClass) field.ErrorList {
	if v.Spec.RestoreFrom == "" || before != nil && before.Spec.RestoreFrom == v.Spec.RestoreFrom {
		return nil
	}

	switch {
	case before == nil && v.Spec.Adopt != "":
		return field.ErrorList{field.Forbidden(at, "must not be set together with adopt in a new Volume, because that begins with other data; set it when the data is adopted")}
	case class != nil && !Portable(class):
		return field.ErrorList{field.Forbidden(at, fmt.Sprintf(
			"must not be set, because data of the VolumeClass %s is not in volumes of engines, and Dogker does not write it; restore into a Volume of a class of the driver local without options", class.Name))}
	case before != nil && Moves(before):
		return field.ErrorList{field.Forbidden(at, fmt.Sprintf("must not be set while the Volume moves to node %s; restore it when it has moved", host(&before.Status.Move.To)))}
	default:
		return nil
	}
}
