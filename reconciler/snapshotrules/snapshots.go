package snapshotrules

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

// maxCommandBytes is how long the commands of both hooks may be together: they are written with every Volume and sent with every
// snapshot. What is longer is a script, and belongs into the image or a file.
const maxCommandBytes = 16 << 10

// CheckVolume says what is wrong with when snapshots of a Volume are made, and how: now is spec.snapshots, and before what it was;
// either may be nil. Classes are judged only when the class or the schedule changes, so that a Volume can still be edited when its
// class is gone.
func CheckVolume(now, before *v1alpha1.VolumeSnapshots, classes []v1alpha1.VolumeSnapshotClass) field.ErrorList {
	if now == nil {
		return nil
	}

	at := field.NewPath("spec", "snapshots")
	var out field.ErrorList

	if _, _, invalid := cron.Read(now.Schedule, now.TimeZone, at); invalid != nil {
		out = append(out, invalid)
	}
	if before == nil || now.ClassName != before.ClassName || now.Schedule != before.Schedule {
		out = append(out, checkClassName(at.Child("className"), now, classes)...)
	}

	return append(out, checkHooks(at.Child("hooks"), now.Hooks)...)
}

// checkClassName refuses a class that is not there, and a schedule by which no snapshot could ever be made.
func checkClassName(at *field.Path, s *v1alpha1.VolumeSnapshots, classes []v1alpha1.VolumeSnapshotClass) field.ErrorList {
	switch {
	case s.ClassName != "":
		return checkNamed(at, s.ClassName, classes)
	case s.Schedule != "" && Default(classes) == nil:
		return field.ErrorList{field.Required(at, "must be set, because no VolumeSnapshotClass is the default; "+ThereAre(classes))}
	default:
		return nil
	}
}

// checkNamed refuses a class that is not there, and one that is going: it would stay for what is made of it.
func checkNamed(at *field.Path, name v1alpha1.DNSLabel, classes []v1alpha1.VolumeSnapshotClass) field.ErrorList {
	switch class := Named(classes, name); {
	case class == nil:
		return field.ErrorList{field.Invalid(at, string(name), "there is no such VolumeSnapshotClass; "+ThereAre(classes))}
	case !class.DeletionTimestamp.IsZero():
		return field.ErrorList{field.Invalid(at, string(name), "the VolumeSnapshotClass is being deleted; "+ThereAre(classes))}
	default:
		return nil
	}
}

func checkHooks(at *field.Path, h *v1alpha1.SnapshotHooks) field.ErrorList {
	switch {
	case h == nil:
		return nil
	case h.Pre == nil && h.Post == nil:
		return field.ErrorList{field.Required(at, "must have pre, post, or both")}
	}

	var out field.ErrorList
	total := 0
	for _, hook := range []struct {
		name string
		*v1alpha1.SnapshotHook
	}{{"pre", h.Pre}, {"post", h.Post}} {
		if hook.SnapshotHook == nil {
			continue
		}
		for _, word := range hook.Command {
			total += len(word)
		}
		if len(hook.Command) > 0 && hook.Command[0] == "" {
			out = append(out, field.Invalid(at.Child(hook.name, "command").Index(0), "", "must be a program; it is not run in a shell"))
		}
	}
	if total > maxCommandBytes {
		out = append(out, field.Invalid(at, fmt.Sprintf("%d bytes", total),
			fmt.Sprintf("commands must have at most %d bytes together; put what is longer into a script of the image, or a file", maxCommandBytes)))
	}

	return out
}

// CheckSource says what is wrong with what a VolumeSnapshot is made of, and with its class.
func CheckSource(spec *v1alpha1.VolumeSnapshotSpec, classes []v1alpha1.VolumeSnapshotClass) field.ErrorList {
	at := field.NewPath("spec")
	out := checkNamed(at.Child("className"), spec.ClassName, classes)
	if archive := spec.Source.Archive; archive != nil {
		out = append(out, checkName(at.Child("source", "archive", "name"), archive.Name)...)
	}

	return out
}
