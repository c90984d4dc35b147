package volume

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Name is what engines call the data that the Volume has. A restore gives it data of another name.
func Name(v *v1alpha1.Volume) string {
	if r := v.Status.Restored; r != nil && r.VolumeName != "" {
		return r.VolumeName
	}

	return firstName(v)
}

// firstName is what engines call the data that it has before any restore.
func firstName(v *v1alpha1.Volume) string {
	if v.Spec.Adopt != "" {
		return v.Spec.Adopt
	}

	return swarmobj.VolumeName(Owner(v))
}

// RestoredName is what engines call the data of a restore that the spec of that generation asks for.
func RestoredName(v *v1alpha1.Volume, generation int64) string {
	return fmt.Sprintf("%s-r%d", swarmobj.VolumeName(Owner(v)), generation)
}

// Names are what engines call all that belongs to the Volume: what it has, what a restore is filling, and what it had before and
// that is not gone yet. It holds each once, what it has first.
func Names(v *v1alpha1.Volume) []string {
	out := []string{Name(v)}
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if r := v.Status.Restore; r != nil && r.Phase != v1alpha1.RestoreGivenUp {
		add(r.VolumeName)
	}
	for _, s := range v.Status.Superseded {
		add(s.VolumeName)
	}

	return out
}

// Owned are the names of all that belongs to one of the Volumes.
func Owned(volumes []v1alpha1.Volume) map[string]bool {
	out := make(map[string]bool, len(volumes))
	for i := range volumes {
		for _, name := range Names(&volumes[i]) {
			out[name] = true
		}
	}

	return out
}

// Portable tells whether the data of a class is in the volumes of engines, where it can be read and written: what moves and restores
// need. Elsewhere it is on a share or behind a plugin, which several nodes may see, or in the memory of one.
func Portable(class *v1alpha1.VolumeClass) bool {
	return class != nil && class.Spec.Driver == localDriver && len(class.Spec.Options) == 0 && class.Spec.SizeOption == "" &&
		class.Spec.Access == v1alpha1.AccessSingle
}

// Unfilled tells whether it is to have the data of a snapshot, and has had none yet: until then nothing may mount it, because that would
// make an empty one.
func Unfilled(v *v1alpha1.Volume) bool {
	s := &v.Status

	return v.Spec.RestoreFrom != "" && s.Restored == nil && s.ProvisionedAt == nil && s.MountedAt == nil
}

// HeldBack tells whether nothing may mount the Volume because it is being moved.
func HeldBack(v *v1alpha1.Volume) bool {
	m := v.Status.Move
	if m == nil {
		return false
	}

	return m.Phase == v1alpha1.MoveStopping || m.Phase == v1alpha1.MoveCopying || m.Phase == v1alpha1.MoveVerifying
}

// Moves tells whether a move is under way, so that its record alone says where the data is.
func Moves(v *v1alpha1.Volume) bool {
	m := v.Status.Move

	return m != nil && (HeldBack(v) || m.Phase == v1alpha1.MoveMoved || m.Phase == v1alpha1.MoveAbandoning)
}

// Restores tells whether a restore is under way.
func Restores(v *v1alpha1.Volume) bool {
	r := v.Status.Restore

	return r != nil && r.Phase != v1alpha1.RestoreGivenUp
}

// Candidates are all names that data of the Volume may have whose status was lost, the latest last.
func Candidates(v *v1alpha1.Volume) []string {
	out := []string{firstName(v)}
	for g := int64(1); g <= v.Generation; g++ {
		out = append(out, RestoredName(v, g))
	}

	return out
}

// Find says which of the Candidates the Volume has whose status was lost: what a service mounts for it, and of several the latest,
// because services follow the record. Without one it is what nodes have, if that is one and is whole for sure. Otherwise it is
// empty, and doubtful are those that it might be; when there are none either, nothing is known of any.
func Find(v *v1alpha1.Volume, held func(name string) []Held, mounting func(name string) []Mounting) (name string, doubtful []string) {
	for _, n := range Candidates(v) {
		if slices.ContainsFunc(mounting(n), func(m Mounting) bool { return m.For.UID == string(v.UID) }) {
			name = n
		}
		if len(held(n)) > 0 {
			doubtful = append(doubtful, n)
		}
	}
	switch {
	case name != "":
		return name, nil
	case len(doubtful) == 1 && (doubtful[0] == firstName(v) || v.Spec.RestoreFrom == ""):
		// What a restore has begun to fill is taken for whole only when somebody has said so, by taking the wish back.
		return doubtful[0], nil
	default:
		return "", doubtful
	}
}

// TellDoubt says what is to be done about data of which it is not known whether it is whole.
func TellDoubt(doubtful []string) string {
	return fmt.Sprintf("Its record was lost, and whether a restore had ended is not known: there is %s. Remove from the nodes all but the one that counts; "+
		"when that was restored, remove spec.restoreFrom as well to use it as it is", strings.Join(doubtful, " and "))
}

// TellLater says what is to be done about data that was restored after the record was backed up that is there again.
func TellLater(names []string) string {
	return fmt.Sprintf("Its record is from a backup, and a snapshot was restored since then, at least in part: there is %s, which no container mounts. "+
		"To go on with what the Volume had at the time of the backup, remove that there; to keep it, adopt it in another Volume first", strings.Join(names, " and "))
}
