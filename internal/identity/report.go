package identity

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// tidyPeriod is how often what is over is removed and status is looked at.
	tidyPeriod = 10 * time.Minute
	// reportPause gathers changes of many Users into one pass.
	reportPause = 200 * time.Millisecond
	// keptExpired is how long the record of an expired token of a DeployToken is kept: until then its bearer is told that
	// it has expired.
	keptExpired = 7 * 24 * time.Hour
)

// desiredStatus is what the status of a User should say, given what is known of their password. Log-in times are kept as
// they are: nothing else knows them.
func desiredStatus(u *v1alpha1.User, c credential, hasPassword bool) v1alpha1.UserStatus {
	status := *u.Status.DeepCopy()
	status.ObservedGeneration = u.Generation
	status.PasswordChangeTime = nil
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, ObservedGeneration: u.Generation}

	if hasPassword {
		status.PasswordChangeTime = stamp(c.Changed)
	}
	switch {
	case u.Spec.Access == v1alpha1.AccessPending:
		ready.Reason, ready.Message = v1alpha1.ReasonPending, "The registration waits for approval: set spec.access to Granted"
	case u.Spec.Access == v1alpha1.AccessSuspended:
		ready.Reason, ready.Message = v1alpha1.ReasonSuspended, "Access is suspended by spec.access"
	case !hasPassword:
		ready.Reason, ready.Message = v1alpha1.ReasonNoPassword, "No password has been set"
	default:
		ready.Status = metav1.ConditionTrue
		ready.Reason, ready.Message = v1alpha1.ReasonGranted, "The user can log in"
	}
	meta.SetStatusCondition(&status.Conditions, ready)

	return status
}

// report writes the status of a User with one thing changed in it. It is for people to read and nothing depends on it, so
// that a failure is only told.
func (s *Service) report(ctx context.Context, u *v1alpha1.User, change func(*v1alpha1.UserStatus)) {
	c, _, ok := look[credential](s.store, credentialKeys+string(u.UID))
	status := desiredStatus(u, c, ok)
	if equality.Semantic.DeepEqual(u.Status, status) && change == nil {
		return
	}
	// It is written by who knows it; what is in memory may be older.
	status.LastLoginTime = nil
	if change != nil {
		change(&status)
	}
	if err := s.people.ReportUser(ctx, u, status); err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "Reporting the status of a user failed", logkey.Object, u.Name, logkey.Err, err)
	}
}

// Tidy keeps the status of Users true, and removes what is over and what belongs to nobody, until the context ends. One
// server does it, the leader. changed has a value whenever a User may have changed or gone.
func (s *Service) Tidy(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTicker(tidyPeriod)
	defer timer.Stop()

	for {
		if s.people.Synced() && s.store.Ready(time.Now()) == nil {
			for _, u := range s.people.Users() {
				s.report(ctx, u, nil)
			}
			s.sweep(ctx, time.Now())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-changed:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(reportPause):
			}
		}
	}
}

// sweep removes what is over, and what belongs to nobody.
func (s *Service) sweep(ctx context.Context, now time.Time) {
	for key := range s.overdue(ctx, now) {
		if err := s.store.remove(ctx, key); err != nil {
			s.Log.WarnContext(ctx, "Removing a record of identity failed", logkey.Object, key, logkey.Err, err)
		}
	}
}

// overdue are the keys of records that can go.
func (s *Service) overdue(ctx context.Context, now time.Time) map[string]bool {
	keys := map[string]bool{}
	for key, have := range all[session](s.store) {
		c, _, _ := look[credential](s.store, credentialKeys+have.UserUID)
		keys[key] = have.over(now) || (c.UID != "" && c.Epoch > have.Epoch) || s.userIsGone(ctx, have.User, have.UserUID)
	}
	for key, c := range all[credential](s.store) {
		keys[key] = s.userIsGone(ctx, c.User, c.UID)
	}
	for key, g := range all[deployGrant](s.store) {
		keys[key] = now.After(g.Expires.Add(keptExpired)) || s.deployTokenIsGone(ctx, g)
	}
	for key, c := range all[claim](s.store) {
		keys[key] = now.After(c.Until)
	}
	for key, over := range keys {
		if !over {
			delete(keys, key)
		}
	}

	return keys
}

// userIsGone asks the API before it says so: what this server has in memory may be a moment old, and a password that is
// removed is gone for good.
func (s *Service) userIsGone(ctx context.Context, name, uid string) bool {
	if u, ok := s.people.User(name); ok && string(u.UID) == uid {
		return false
	}
	u, err := s.people.ReadUser(ctx, name)

	return apierrors.IsNotFound(err) || (err == nil && string(u.UID) != uid)
}

func (s *Service) deployTokenIsGone(ctx context.Context, g deployGrant) bool {
	if d, ok := s.people.DeployToken(g.Namespace, g.Name); ok && string(d.UID) == g.UID {
		return false
	}
	d, err := s.people.ReadDeployToken(ctx, g.Namespace, g.Name)

	return apierrors.IsNotFound(err) || (err == nil && string(d.UID) != g.UID)
}

// Ready is a ready check: it fails while tokens cannot be judged.
func (s *Service) Ready() error {
	if !s.people.Synced() {
		return errors.New("users are not known yet")
	}

	return s.store.Ready(time.Now())
}
