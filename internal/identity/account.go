package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/logkey"
)

// claimTime is how long an address is held for a registration that does not end: its server died.
const claimTime = 30 * time.Second

// Register makes a User of whoever asks for it, as the setting allows.
func (s *Service) Register(ctx context.Context, r RegisterRequest, address string) (RegisterResponse, error) {
	users := v1alpha1.GroupVersion.WithResource("users").GroupResource()
	if s.Registration == RegistrationOff {
		return RegisterResponse{}, apierrors.NewForbidden(users, "", errors.New("registration is off: ask an administrator for an account"))
	}
	if err := s.throttle(s.registrations, throttle.AddressKey(address)); err != nil {
		return RegisterResponse{}, err
	}
	if errs := checkRegistration(r); len(errs) > 0 {
		return RegisterResponse{}, invalid(clip(r.Username), errs)
	}

	release, err := s.claim(ctx, r.Email)
	if err != nil {
		return RegisterResponse{}, err
	}
	defer release()
	// Hashed first, so that a User that exists has a password.
	hash, err := s.hasher.hash(ctx, r.Password)
	if err != nil {
		return RegisterResponse{}, busyOr("hash password", err)
	}

	u := &v1alpha1.User{Spec: v1alpha1.UserSpec{Email: r.Email, DisplayName: r.DisplayName, Access: v1alpha1.AccessPending}}
	u.Name = r.Username
	if s.Registration == RegistrationOpen {
		u.Spec.Access = v1alpha1.AccessGranted
	}
	made, err := s.people.CreateUser(ctx, u)
	if err != nil {
		return RegisterResponse{}, err
	}
	now := time.Now()
	c := credential{User: made.Name, UID: string(made.UID), Hash: hash, Epoch: 1, Changed: now}
	if err := s.store.put(ctx, credentialKeys+c.UID, c, 0); err != nil {
		// Without a password it would only keep the name from whoever tries again.
		return RegisterResponse{}, errors.Join(internal("store password", err), s.people.DeleteUser(context.WithoutCancel(ctx), made))
	}
	s.report(ctx, made, func(status *v1alpha1.UserStatus) { status.PasswordChangeTime = stamp(now) })

	return RegisterResponse{Username: made.Name, Access: made.Spec.Access}, nil
}

// claim holds an address while a User is made, so that of two registrations at the same time, on whichever servers, one
// sees the other's User. That no two Users have one address is a rule of admission.
func (s *Service) claim(ctx context.Context, email string) (release func(), err error) {
	key := claimKeys + digest(strings.ToLower(email))
	version := int64(0)
	have, v, err := fetch[claim](ctx, s.store, key)
	switch {
	case err == nil && time.Now().Before(have.Until):
		return nil, errClaimed
	case err == nil:
		version = v
	case !errors.Is(err, ErrNotFound):
		return nil, internal("claim address", err)
	}

	err = s.store.put(ctx, key, claim{Until: time.Now().Add(claimTime)}, version)
	if errors.Is(err, ErrConflict) {
		return nil, errClaimed
	}
	if err != nil {
		return nil, internal("claim address", err)
	}

	return func() {
		if err := s.store.remove(context.WithoutCancel(ctx), key); err != nil {
			s.Log.WarnContext(ctx, "Releasing an address failed; it is free again in a moment", logkey.Err, err)
		}
	}, nil
}

var errClaimed = apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("users").GroupResource(), "",
	errors.New("somebody registers with this email address right now"))

// ChangePassword sets the password of whoever knows the old one, and ends all their sessions.
func (s *Service) ChangePassword(ctx context.Context, r PasswordRequest, address string) error {
	u, _, err := s.prove(ctx, r.Username, r.Password, address)
	if err != nil {
		return err
	}
	if err := refuseAccess(u); err != nil {
		return err
	}
	path := field.NewPath("newPassword")
	if r.NewPassword == r.Password {
		return invalid(u.Name, field.ErrorList{field.Invalid(path, field.OmitValueType{}, "must not be the old one")})
	}

	return s.setPassword(ctx, u, path, r.NewPassword)
}

// SetPassword sets the password of somebody else. Whether the caller may has been checked.
func (s *Service) SetPassword(ctx context.Context, name string, r SetPasswordRequest) error {
	u, err := s.people.ReadUser(ctx, name)
	if err != nil {
		return err
	}

	return s.setPassword(ctx, u, field.NewPath("password"), r.Password)
}

// setPassword sets a password. The sessions that began with the old one are void by that same write.
func (s *Service) setPassword(ctx context.Context, u *v1alpha1.User, path *field.Path, password string) error {
	if errs := checkPassword(path, password, u.Name, u.Spec.Email); len(errs) > 0 {
		return invalid(u.Name, errs)
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return busyOr("hash password", err)
	}
	now := time.Now()
	err = s.changeCredential(ctx, string(u.UID), func(c *credential) {
		c.User, c.UID, c.Hash, c.Changed = u.Name, string(u.UID), hash, now
		c.Epoch++
	})
	if err != nil {
		return internal("store password", err)
	}
	s.report(ctx, u, func(status *v1alpha1.UserStatus) { status.PasswordChangeTime = stamp(now) })

	return nil
}

// EndSessions ends all sessions of somebody. Whether the caller may has been checked.
func (s *Service) EndSessions(ctx context.Context, name string) error {
	u, err := s.people.ReadUser(ctx, name)
	if err != nil {
		return err
	}
	if err := s.endAll(ctx, string(u.UID)); err != nil {
		return internal("end sessions", err)
	}

	return nil
}

func (s *Service) endAll(ctx context.Context, uid string) error {
	if _, _, err := fetch[credential](ctx, s.store, credentialKeys+uid); errors.Is(err, ErrNotFound) {
		return nil
	}

	return s.changeCredential(ctx, uid, func(c *credential) { c.Epoch++ })
}

// changeCredential changes what is stored, or makes it, whoever else writes at the same time.
func (s *Service) changeCredential(ctx context.Context, uid string, change func(*credential)) error {
	key := credentialKeys + uid
	for range tries {
		c, version, err := fetch[credential](ctx, s.store, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		change(&c)
		if err := s.store.put(ctx, key, c, version); !errors.Is(err, ErrConflict) {
			return err
		}
	}

	return fmt.Errorf("change %q: %w", key, ErrConflict)
}

// IssueDeployToken makes the token of a DeployToken. The one before it, if there was one, is void from then on. Whether the
// caller may has been checked.
func (s *Service) IssueDeployToken(ctx context.Context, namespace, name string) (DeployTokenResponse, error) {
	d, err := s.people.ReadDeployToken(ctx, namespace, name)
	if err != nil {
		return DeployTokenResponse{}, err
	}
	id := deployID(string(d.UID))
	t := makeToken(deployToken, id, random(secretBytes))
	now := time.Now()
	g := deployGrant{
		UID: string(d.UID), Namespace: namespace, Name: name, Hash: t.hash(), Audiences: s.Audiences,
		Issued: now, Expires: now.Add(time.Duration(d.Spec.ExpirationSeconds) * time.Second),
	}

	_, version, err := fetch[deployGrant](ctx, s.store, deployKeys+id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return DeployTokenResponse{}, internal("read token", err)
	}
	if err := s.store.put(ctx, deployKeys+id, g, version); errors.Is(err, ErrConflict) {
		return DeployTokenResponse{}, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("deploytokens").GroupResource(), name, errors.New("somebody else issues a token for it right now"))
	} else if err != nil {
		return DeployTokenResponse{}, internal("store token", err)
	}
	status := v1alpha1.DeployTokenStatus{IssueTime: stamp(g.Issued), ExpirationTime: stamp(g.Expires)}
	if err := s.people.ReportDeployToken(ctx, d, status); err != nil {
		s.Log.WarnContext(ctx, "Reporting a deploy token failed", logkey.Object, namespace+"/"+name, logkey.Err, err)
	}

	return DeployTokenResponse{Token: t.text, ExpirationTime: g.Expires.UTC().Truncate(time.Second)}, nil
}

// deployID is the ID of the token of a DeployToken: its UID, without what a token cannot hold.
func deployID(uid string) string { return strings.ReplaceAll(uid, "-", "") }

func stamp(t time.Time) *metav1.Time {
	m := metav1.NewTime(t.UTC().Truncate(time.Second))
	return &m
}
