// Package snapshotrules says what a VolumeSnapshotClass, a VolumeSnapshot and the part of a Volume that is about snapshots may ask
// for, and which class is the default. It is pure.
//
// What it refuses it names: the field, the value, and what is allowed. Recipients are not read here: whoever seals archives reads them.
//
// Callers: internal/controlplane/admission, and controllers that meet objects which came into the store past it. It imports api,
// reconciler/cron and apimachinery's field errors.
package snapshotrules
