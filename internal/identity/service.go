package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// maxSessions is how many sessions a User has at a time. One more ends the oldest.
	maxSessions = 32
	// maxAudiences is how many audiences a token may have, and maxAudience how long the name of one is.
	maxAudiences = 8
	maxAudience  = 253
	// tries is how often a write is tried again when somebody else was faster.
	tries = 5
)

// Options of a Service. All must be set.
type Options struct {
	Registration Registration
	Lifetimes    Lifetimes
	// Audiences are whom tokens are for that name nobody: the API.
	Audiences []string
	Metrics   *Metrics
	Log       *slog.Logger
}

// Service is what people can do about who they are. Errors are those of Kubernetes' API, to be shown to whoever asks.
type Service struct {
	Options
	store  *Store
	people People
	hasher *Hasher

	byUser, byAddress, registrations *throttle.Limiter
}

// NewService makes a service. It answers once its store and people are in sight.
func NewService(store *Store, people People, hasher *Hasher, o Options) *Service {
	return &Service{
		Options: o, store: store, people: people, hasher: hasher,
		// Whoever has forgotten which password it was may try ten of them. After that it is 8,640 a day for one user,
		// whoever guesses: none of the passwords that the rules let through is found in a lifetime of that.
		byUser: throttle.New(10, 10*time.Second),
		// An address may be that of a whole office.
		byAddress: throttle.New(60, time.Second),
		// Nobody registers often.
		registrations: throttle.New(5, time.Minute),
	}
}

// errCredentials does not say whether there is such a User.
var errCredentials = apierrors.NewUnauthorized("user name or password is wrong")

// Login begins a session for whoever knows the password. address is where the caller is.
func (s *Service) Login(ctx context.Context, r LoginRequest, address string) (Tokens, error) {
	audiences, err := s.audiences(r.Audiences)
	if err != nil {
		return Tokens{}, err
	}
	u, c, err := s.prove(ctx, r.Username, r.Password, address)
	if err != nil {
		return Tokens{}, err
	}
	if err := refuseAccess(u); err != nil {
		return Tokens{}, err
	}
	s.makeRoom(ctx, c.UID)

	now := time.Now()
	begun, out := begin(u.Name, c.UID, c.Epoch, audiences, s.Lifetimes, now)
	if err := s.store.put(ctx, sessionKeys+begun.ID, begun, 0); err != nil {
		return Tokens{}, internal("begin session", err)
	}
	s.report(ctx, u, func(status *v1alpha1.UserStatus) { status.LastLoginTime = stamp(now) })

	return out.tokens(), nil
}

func (i issued) tokens() Tokens {
	return Tokens{
		AccessToken: i.access.text, AccessExpirationTime: i.accessExpires.UTC().Truncate(time.Second),
		RefreshToken: i.refresh.text, SessionExpirationTime: i.sessionExpires.UTC().Truncate(time.Second),
	}
}

func (s *Service) audiences(asked []string) ([]string, error) {
	if len(asked) == 0 {
		return s.Audiences, nil
	}
	path := field.NewPath("audiences")
	if len(asked) > maxAudiences {
		return nil, invalid("login", field.ErrorList{field.TooMany(path, len(asked), maxAudiences)})
	}
	for i, a := range asked {
		if a == "" || len(a) > maxAudience {
			return nil, invalid("login", field.ErrorList{field.Invalid(path.Index(i), clip(a), fmt.Sprintf("must have from 1 to %d characters", maxAudience))})
		}
	}

	return asked, nil
}

// prove says who knows the password. Every failure looks the same and takes the same time.
func (s *Service) prove(ctx context.Context, name, password, address string) (*v1alpha1.User, credential, error) {
	if err := s.throttle(s.byAddress, throttle.AddressKey(address)); err != nil {
		return nil, credential{}, err
	}
	if !isUserName(name) || len(password) > maxPasswordBytes {
		return nil, credential{}, errCredentials
	}
	if err := s.throttle(s.byUser, name); err != nil {
		return nil, credential{}, err
	}

	// Where there is no such User, the same is done for nobody.
	key := credentialKeys
	u, known := s.people.User(name)
	if known {
		key += string(u.UID)
	}
	c, _, err := fetch[credential](ctx, s.store, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, credential{}, internal("read credential", err)
	}
	ok, outdated, err := s.hasher.verify(ctx, password, c.Hash)
	if err != nil {
		return nil, credential{}, busyOr("check password", err)
	}
	if !ok {
		return nil, credential{}, errCredentials
	}

	// It was not somebody who guesses.
	s.byUser.GiveBack(name)
	if outdated {
		s.rehash(ctx, c, password)
	}

	return u, c, nil
}

// rehash stores the password at the current cost. It is still the same password, so sessions go on.
func (s *Service) rehash(ctx context.Context, c credential, password string) {
	key := credentialKeys + c.UID
	now, version, err := fetch[credential](ctx, s.store, key)
	if err != nil || now.Hash != c.Hash {
		return
	}
	if now.Hash, err = s.hasher.hash(ctx, password); err == nil {
		err = s.store.put(ctx, key, now, version)
	}
	if err != nil && !errors.Is(err, ErrConflict) {
		s.Log.WarnContext(ctx, "Hashing a password anew failed", logkey.Object, c.User, logkey.Err, err)
	}
}

// refuseAccess is for those who have shown who they are.
func refuseAccess(u *v1alpha1.User) error {
	if lets(u) {
		return nil
	}
	why := "access is suspended"
	if u.Spec.Access == v1alpha1.AccessPending {
		why = "the registration waits for approval"
	}

	return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("users").GroupResource(), u.Name, errors.New(why))
}

// makeRoom ends the oldest session of a User that has as many as there may be.
func (s *Service) makeRoom(ctx context.Context, uid string) {
	count, oldest := 0, session{}
	for _, have := range all[session](s.store) {
		if have.UserUID != uid {
			continue
		}
		count++
		if oldest.ID == "" || have.Begun.Before(oldest.Begun) {
			oldest = have
		}
	}
	if count < maxSessions {
		return
	}
	if err := s.store.remove(ctx, sessionKeys+oldest.ID); err != nil {
		s.Log.WarnContext(ctx, "Ending the oldest session of a user failed", logkey.Object, oldest.User, logkey.Err, err)
	}
}

// throttle counts one more, or says when it may be tried again.
func (s *Service) throttle(l *throttle.Limiter, key string) error {
	wait := l.Take(key, time.Now())
	if wait == 0 {
		return nil
	}

	return apierrors.NewTooManyRequests("too many attempts", int(math.Ceil(wait.Seconds())))
}

// busyOr translates the errors of the hasher.
func busyOr(what string, err error) error {
	if errors.Is(err, errBusy) {
		return apierrors.NewTooManyRequests("the server is busy with other log-ins", 2)
	}

	return internal(what, err)
}

// internal is an error of ours. What the caller sees of it is what was tried.
func internal(what string, err error) error {
	return apierrors.NewInternalError(fmt.Errorf("%s: %w", what, err))
}

func invalid(what string, errs field.ErrorList) error {
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind("User").GroupKind(), what, errs)
}
