package identity

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/request/websocket"
	"k8s.io/apiserver/pkg/authentication/user"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

const (
	// secondLooks and secondLooksBurst are how often a second, and at once, a server asks the store about a token that it
	// does not know: another server may have issued it a moment ago. Who floods it with tokens that nobody has issued
	// makes it ask no more often than that.
	secondLooks      = 50
	secondLooksBurst = 100
	// credentialID is the key by which Kubernetes' audit log names the credential that was used.
	credentialID = user.CredentialIDKey
)

// Errors of tokens. They end in the server's log and name no token.
var (
	errUnknownToken = errors.New("the token is not known")
	errExpiredToken = errors.New("the token has expired")
	errAudience     = errors.New("the token is for another audience")
)

// Authenticator knows the bearers of our tokens.
type Authenticator struct {
	service *Service
	looks   *rate.Limiter
}

// NewAuthenticator makes an authenticator of the tokens that the service issues.
func NewAuthenticator(s *Service) *Authenticator {
	return &Authenticator{service: s, looks: rate.NewLimiter(secondLooks, secondLooksBurst)}
}

var _ authenticator.Token = (*Authenticator)(nil)

// Requests authenticates requests: those with one of our tokens by this authenticator and nobody else, all others by
// next.
func (a *Authenticator) Requests(next authenticator.Request) authenticator.Request {
	ours := []authenticator.Request{bearertoken.New(a), websocket.NewProtocolAuthenticator(a)}

	return authenticator.RequestFunc(func(r *http.Request) (*authenticator.Response, bool, error) {
		if !slices.ContainsFunc(bearerTokens(r), isOurs) {
			return next.AuthenticateRequest(r)
		}
		var errs []error
		for _, candidate := range ours {
			resp, ok, err := candidate.AuthenticateRequest(r)
			if ok {
				return resp, true, nil
			}
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil {
			return nil, false, err
		}

		return nil, false, errUnknownToken
	})
}

// bearerTokens are the bearer tokens of a request, from wherever Kubernetes' API takes one. There can be two, of which it
// takes the one that is good.
func bearerTokens(r *http.Request) []string {
	var found []string
	probe := authenticator.TokenFunc(func(_ context.Context, text string) (*authenticator.Response, bool, error) {
		found = append(found, text)
		return nil, false, nil
	})
	_, _, _ = bearertoken.New(probe).AuthenticateRequest(r)
	_, _, _ = websocket.NewProtocolAuthenticator(probe).AuthenticateRequest(r)

	return found
}

// AuthenticateToken implements authenticator.Token.
func (a *Authenticator) AuthenticateToken(ctx context.Context, text string) (*authenticator.Response, bool, error) {
	t, ok := parseToken(text)
	if !ok {
		return nil, false, errUnknownToken
	}
	now := time.Now()
	if err := a.service.store.Ready(now); err != nil {
		return nil, false, err
	}
	if !a.service.people.Synced() {
		return nil, false, errBlind
	}

	var who identified
	var err error
	switch t.kind {
	case accessToken:
		who, err = a.person(ctx, t, now)
	case deployToken:
		who, err = a.program(ctx, t, now)
	default:
		err = errors.New("a refresh token authenticates nobody")
	}
	if err != nil {
		return nil, false, err
	}

	return who.respond(ctx)
}

// identified is whom a token stands for, and before whom.
type identified struct {
	info      user.DefaultInfo
	audiences []string
}

func (i identified) respond(ctx context.Context) (*authenticator.Response, bool, error) {
	asked, limited := authenticator.AudiencesFrom(ctx)
	if !limited {
		return &authenticator.Response{User: &i.info}, true, nil
	}
	common := authenticator.Audiences(i.audiences).Intersect(asked)
	if len(common) == 0 {
		return nil, false, errAudience
	}

	return &authenticator.Response{User: &i.info, Audiences: common}, true, nil
}

// person finds the User of an access token. What this server knows decides, and where that says no, what is stored.
func (a *Authenticator) person(ctx context.Context, t token, now time.Time) (identified, error) {
	s := a.service
	have, _, _ := look[session](s.store, sessionKeys+t.id)
	c, _, _ := look[credential](s.store, credentialKeys+have.UserUID)
	verdict := have.admits(t, now)
	if verdict == accessUnknown || (verdict == accessGood && c.Epoch != have.Epoch) {
		if !a.looks.Allow() {
			return identified{}, errUnknownToken
		}
		var err error
		if have, _, err = fetch[session](ctx, s.store, sessionKeys+t.id); err != nil {
			return identified{}, unknownOr(err)
		}
		if c, _, err = fetch[credential](ctx, s.store, credentialKeys+have.UserUID); err != nil {
			return identified{}, unknownOr(err)
		}
		verdict = have.admits(t, now)
	}

	switch verdict {
	case accessUnknown:
		return identified{}, errUnknownToken
	case accessExpired:
		return identified{}, errExpiredToken
	}
	u, err := s.bearer(have, c)
	if err != nil {
		return identified{}, err
	}

	return identified{audiences: have.Audiences, info: user.DefaultInfo{
		Name: u.Name, UID: string(u.UID), Groups: groupsOf(u),
		Extra: map[string][]string{credentialID: {"SESSION=" + have.ID}},
	}}, nil
}

// program finds the DeployToken of a token.
func (a *Authenticator) program(ctx context.Context, t token, now time.Time) (identified, error) {
	s := a.service
	g, _, _ := look[deployGrant](s.store, deployKeys+t.id)
	if !same(g.Hash, t.hash()) {
		if !a.looks.Allow() {
			return identified{}, errUnknownToken
		}
		var err error
		if g, _, err = fetch[deployGrant](ctx, s.store, deployKeys+t.id); err != nil {
			return identified{}, unknownOr(err)
		}
	}
	if !same(g.Hash, t.hash()) {
		return identified{}, errUnknownToken
	}
	if !now.Before(g.Expires) {
		return identified{}, errExpiredToken
	}
	d, ok := s.people.DeployToken(g.Namespace, g.Name)
	if !ok || string(d.UID) != g.UID || d.DeletionTimestamp != nil {
		return identified{}, errors.New("its DeployToken is gone")
	}

	return identified{audiences: g.Audiences, info: user.DefaultInfo{
		Name: v1alpha1.DeployTokenPrefix + g.Namespace + ":" + g.Name, UID: g.UID,
		Groups: []string{v1alpha1.GroupDeployTokens, v1alpha1.GroupDeployTokens + ":" + g.Namespace, user.AllAuthenticated},
		Extra:  map[string][]string{credentialID: {"DEPLOYTOKEN=" + t.id}},
	}}, nil
}

func groupsOf(u *v1alpha1.User) []string {
	groups := make([]string, 0, len(u.Spec.Groups)+2)
	for _, g := range u.Spec.Groups {
		groups = append(groups, string(g))
	}
	slices.Sort(groups)

	return append(groups, v1alpha1.GroupUsers, user.AllAuthenticated)
}

func unknownOr(err error) error {
	if errors.Is(err, ErrNotFound) {
		return errUnknownToken
	}

	return err
}
