package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotplan"
)

const (
	// atOnce is when a pass goes on that has only put something on record.
	atOnce = time.Millisecond
	// createTimeout is how long the API server may take to make a snapshot. What takes longer is decided anew.
	createTimeout = 20 * time.Second
)

// eventSnapshotExpired is the reason of the event that says which snapshots were removed, because there are more than are to stay.
const eventSnapshotExpired = "SnapshotExpired"

// snapshots has snapshots made and removed by schedule, and says when to look again; zero for no need. What it decides it puts into the
// status, which is written when the pass is over, with the version that was read; what follows from that is done by the next pass. A Volume
// that is deleted leaves its snapshots: they are data, and kept until people delete them.
func (c *Controller) snapshots(ctx context.Context, v *v1alpha1.Volume) (time.Duration, error) {
	if v.Spec.Snapshots == nil || v.Spec.Snapshots.Schedule == "" {
		v.Status.Snapshots = nil

		return 0, nil
	}

	in, err := c.observeSnapshots(ctx, c.client, v)
	if err != nil {
		return 0, err
	}
	plan := snapshotplan.Decide(in)

	if !equality.Semantic.DeepEqual(v.Status.Snapshots, plan.Status) {
		for _, m := range plan.Missed {
			c.recorder.Event(v, corev1.EventTypeWarning, v1alpha1.ReasonMissedSnapshot, missedText(m))
		}
		if plan.Invalid != nil {
			c.recorder.Event(v, corev1.EventTypeWarning, v1alpha1.ReasonInvalidSchedule, plan.Invalid.Error())
		}
		v.Status.Snapshots = plan.Status

		return atOnce, nil
	}

	after := time.Duration(0)
	if !plan.Next.IsZero() {
		after = max(plan.Next.Sub(in.Now), atOnce)
	}
	if plan.Create != nil {
		if err := c.createSnapshot(ctx, v, plan.Create); err != nil {
			return 0, err
		}
		after = soonest(after, again) // Should it not have come to that.
	}

	return after, c.expire(ctx, v, plan.Delete)
}

// observeSnapshots collects what the schedule of a Volume is decided by, from a cache or from the store.
func (c *Controller) observeSnapshots(ctx context.Context, r client.Reader, v *v1alpha1.Volume) (snapshotplan.Input, error) {
	in := snapshotplan.Input{Now: c.now(), Volume: v, Restoring: map[string]bool{}}

	var list v1alpha1.VolumeSnapshotList
	if err := r.List(ctx, &list, client.InNamespace(v.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return in, fmt.Errorf("list snapshots: %w", err)
	}
	in.Snapshots = list.Items

	var volumes v1alpha1.VolumeList
	if err := r.List(ctx, &volumes, client.InNamespace(v.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return in, fmt.Errorf("list volumes: %w", err)
	}
	for i := range volumes.Items {
		other := &volumes.Items[i]
		if other.Spec.RestoreFrom != "" {
			in.Restoring[string(other.Spec.RestoreFrom)] = true
		}
		if at := other.Status.Restore; at != nil && at.Phase != v1alpha1.RestoreGivenUp {
			in.Restoring[string(at.Snapshot)] = true
		}
	}

	return in, nil
}

// createSnapshot makes what is pending, when the store says so, too. That it was made is put on record with the status of this pass. What
// refuses it is told there, and it is tried again until the next tick.
func (c *Controller) createSnapshot(ctx context.Context, v *v1alpha1.Volume, s *v1alpha1.VolumeSnapshot) error {
	var now v1alpha1.Volume
	if err := c.live.Get(ctx, client.ObjectKeyFromObject(v), &now); err != nil {
		return client.IgnoreNotFound(err)
	}
	if now.UID != v.UID || !now.DeletionTimestamp.IsZero() || now.Status.Snapshots == nil ||
		!snapshotplan.SamePending(now.Status.Snapshots.Pending, v.Status.Snapshots.Pending) {
		return nil // What was read is older.
	}

	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()

	switch err := c.client.Create(ctx, s); {
	case err == nil:
		v.Status.Snapshots.Pending = nil
	case apierrors.IsAlreadyExists(err):
		// Whose it is shows a moment later.
	case refused(err):
		v.Status.Snapshots.Pending.Message = brief(err.Error())
	default:
		return fmt.Errorf("make snapshot %q: %w", s.Name, err)
	}

	return nil
}

// refused is true when the API server has decided against an object, and would tomorrow.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsNotFound(err)
}

// expire removes those of the names that are to go by what the store has as well.
func (c *Controller) expire(ctx context.Context, v *v1alpha1.Volume, names []string) error {
	if len(names) == 0 {
		return nil
	}

	in, err := c.observeSnapshots(ctx, c.live, v)
	if err != nil {
		return err
	}

	var trouble []error
	for _, s := range snapshotplan.Expired(v, in.Snapshots, in.Restoring, in.Now) {
		if !slices.Contains(names, s.Name) {
			continue
		}
		still := client.Preconditions{UID: &s.UID, ResourceVersion: &s.ResourceVersion}
		if err := c.client.Delete(ctx, s, still); err != nil {
			if !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				trouble = append(trouble, fmt.Errorf("remove snapshot %q: %w", s.Name, err))
			}

			continue
		}
		c.recorder.Event(v, corev1.EventTypeNormal, eventSnapshotExpired, fmt.Sprintf("Removed snapshot %s: spec.snapshots.keep newer ones are there", s.Name))
	}

	return errors.Join(trouble...)
}

func missedText(m v1alpha1.MissedRuns) string {
	first, last := m.FirstTime.UTC().Format(time.RFC3339), m.LastTime.UTC().Format(time.RFC3339)
	if m.Count == 1 {
		return fmt.Sprintf("The tick %s has no snapshot: %s", first, m.Message)
	}

	return fmt.Sprintf("%d ticks from %s to %s have no snapshot: %s", m.Count, first, last, m.Message)
}

// brief is a message that fits into a record.
func brief(message string) string {
	if utf8.RuneCountInString(message) <= v1alpha1.MaxJobMessage {
		return message
	}

	return string([]rune(message)[:v1alpha1.MaxJobMessage-1]) + "…"
}

// soonest is the shorter of two durations of which zero is never.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}

	return min(a, b)
}
