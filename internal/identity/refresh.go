package identity

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Refresh hands out the next tokens of a session. A refresh token that was used before ends it.
func (s *Service) Refresh(ctx context.Context, r RefreshRequest) (Tokens, error) {
	refused := apierrors.NewUnauthorized("the refresh token is not good, or no longer: log in again")
	t, ok := parseToken(r.RefreshToken)
	if !ok || t.kind != refreshToken {
		return Tokens{}, refused
	}

	for range tries {
		// Another server may have handed out the last ones a moment ago: only the store knows.
		have, version, err := fetch[session](ctx, s.store, sessionKeys+t.id)
		if errors.Is(err, ErrNotFound) {
			return Tokens{}, refused
		}
		if err != nil {
			return Tokens{}, internal("read session", err)
		}
		now := time.Now()
		switch have.judge(t, now) {
		case refreshUnknown:
			return Tokens{}, refused
		case refreshReused:
			s.endStolen(ctx, have)
			return Tokens{}, refused
		}
		c, _, err := fetch[credential](ctx, s.store, credentialKeys+have.UserUID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Tokens{}, internal("read credential", err)
		}
		if _, err := s.bearer(have, c); err != nil {
			return Tokens{}, refused
		}

		next, out := have.step(t.family(), s.Lifetimes, now)
		err = s.store.put(ctx, sessionKeys+t.id, next, version)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Tokens{}, internal("write session", err)
		}

		return out.tokens(), nil
	}

	return Tokens{}, apierrors.NewTooManyRequests("the session is being refreshed by somebody else", 1)
}

func (s *Service) endStolen(ctx context.Context, have session) {
	s.Metrics.reused()
	s.Log.WarnContext(ctx, "A refresh token came a second time, and its session is ended", logkey.Object, have.User, logkey.Session, have.ID)
	if err := s.store.remove(ctx, sessionKeys+have.ID); err != nil {
		s.Log.ErrorContext(ctx, "Ending the session failed", logkey.Object, have.User, logkey.Session, have.ID, logkey.Err, err)
	}
}

// bearer is the User of a session, if the session is still good for them. c is their credential; empty when there is none.
func (s *Service) bearer(have session, c credential) (*v1alpha1.User, error) {
	u, ok := s.people.User(have.User)
	if !ok || string(u.UID) != have.UserUID {
		return nil, errors.New("its user is gone")
	}
	if !lets(u) {
		return nil, errors.New("its user is not let in")
	}
	if c.Epoch != have.Epoch {
		return nil, errors.New("it was ended")
	}

	return u, nil
}

// Logout ends the session of a token. A token that is good for nothing is no error: what was asked for is so.
func (s *Service) Logout(ctx context.Context, r LogoutRequest) error {
	t, ok := parseToken(r.Token)
	if !ok || t.kind == deployToken {
		return nil
	}
	have, _, err := fetch[session](ctx, s.store, sessionKeys+t.id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return internal("read session", err)
	}
	now := time.Now()
	mine := t.kind == accessToken && have.admits(t, now) != accessUnknown ||
		t.kind == refreshToken && have.judge(t, now) != refreshUnknown
	if !mine {
		return nil
	}

	if r.Everywhere {
		if err := s.endAll(ctx, have.UserUID); err != nil {
			return internal("end sessions", err)
		}
	}
	if err := s.store.remove(ctx, sessionKeys+have.ID); err != nil {
		return internal("end session", err)
	}

	return nil
}
