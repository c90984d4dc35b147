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

	return append(out, checkMove(at, v, before)...)
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

// checkMove refuses another node for what lives on one.
func checkMove(at *field.Path, v, before *v1alpha1.Volume) field.ErrorList {
	if before == nil || v.Spec.Node == before.Spec.Node || v.Spec.Node == "" || before.Status.Node == nil || before.Status.ProvisionedAt == nil && before.Status.MountedAt == nil {
		return nil
	}
	lives := before.Status.Node
	if v.Spec.Node == lives.ID || strings.EqualFold(v.Spec.Node, lives.Hostname) {
		return nil
	}

	return field.ErrorList{field.Invalid(at.Child("node"), v.Spec.Node, fmt.Sprintf(
		"must be %s, where its data is: a Volume cannot be moved yet; make another one with spec.node %s and copy what is in this one", host(lives), v.Spec.Node))}
}
