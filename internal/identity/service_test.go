package identity

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/authentication/authenticator"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

// who asks a server whose token it is; empty when it is refused.
func who(t *testing.T, s *Service, token string) string {
	t.Helper()
	ctx := authenticator.WithAudiences(t.Context(), authenticator.Audiences{apiAudience})
	resp, ok, err := NewAuthenticator(s).AuthenticateToken(ctx, token)
	if ok != (err == nil) {
		t.Fatalf("ok is %v and the error %v", ok, err)
	}
	if err != nil {
		if strings.Contains(err.Error(), token) {
			t.Errorf("the error holds the token: %v", err)
		}
		return ""
	}

	return resp.User.GetName()
}

func TestLoginToLogout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		tokens := logIn(t, s, "jane")
		if got := who(t, s, tokens.AccessToken); got != "jane" {
			t.Fatalf("the token is of %q", got)
		}
		if got := who(t, s, tokens.RefreshToken); got != "" {
			t.Errorf("a refresh token lets %q in", got)
		}

		after(DefaultLifetimes.Access)
		if got := who(t, s, tokens.AccessToken); got != "" {
			t.Errorf("after its lifetime the token is still of %q", got)
		}
		next, err := s.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken})
		if err != nil {
			t.Fatal(err)
		}
		if got := who(t, s, next.AccessToken); got != "jane" {
			t.Errorf("the refreshed token is of %q", got)
		}

		if err := s.Logout(t.Context(), LogoutRequest{Token: next.RefreshToken}); err != nil {
			t.Fatal(err)
		}
		if got := who(t, s, next.AccessToken); got != "" {
			t.Errorf("after the log-out the token is of %q", got)
		}
		if _, err := s.Refresh(t.Context(), RefreshRequest{RefreshToken: next.RefreshToken}); !apierrors.IsUnauthorized(err) {
			t.Errorf("after the log-out a refresh gives %v", err)
		}
	})
}

// TestStolenRefreshToken: whoever of the two comes second ends the session for both.
func TestStolenRefreshToken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		tokens := logIn(t, s, "jane")
		other := logIn(t, s, "jane")
		thief, err := s.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken})
		if err != nil {
			t.Fatal(err)
		}
		after(leeway)
		if _, err := s.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken}); !apierrors.IsUnauthorized(err) {
			t.Errorf("a used refresh token gives %v", err)
		}
		if got := who(t, s, thief.AccessToken); got != "" {
			t.Errorf("the thief is still %q", got)
		}
		if _, err := s.Refresh(t.Context(), RefreshRequest{RefreshToken: thief.RefreshToken}); !apierrors.IsUnauthorized(err) {
			t.Errorf("the thief's refresh gives %v", err)
		}
		if got := who(t, s, other.AccessToken); got != "jane" {
			t.Error("another session has ended with it")
		}
	})
}

// TestTokensAreVoid lists what ends a session before its time.
func TestTokensAreVoid(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason string
		do     func(ctx context.Context, s *Service, people *crowd) error
	}{
		"Suspended": {"Access is taken away.", func(_ context.Context, _ *Service, p *crowd) error {
			p.change("jane", func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.AccessSuspended })
			return nil
		}},
		"BackToPending": {"Nobody has approved.", func(_ context.Context, _ *Service, p *crowd) error {
			p.change("jane", func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.AccessPending })
			return nil
		}},
		"Deleted": {"There is no such User.", func(ctx context.Context, _ *Service, p *crowd) error {
			u, _ := p.User("jane")
			return p.DeleteUser(ctx, u)
		}},
		"MadeAgain": {"The name is somebody else's now.", func(_ context.Context, _ *Service, p *crowd) error {
			p.change("jane", func(u *v1alpha1.User) { u.UID = "another" })
			return nil
		}},
		"OwnNewPassword": {"Whoever knew the old one may be in.", func(ctx context.Context, s *Service, _ *crowd) error {
			return s.ChangePassword(ctx, PasswordRequest{Username: "jane", Password: goodPassword, NewPassword: otherPassword}, home)
		}},
		"PasswordSet": {"An administrator has set another.", func(ctx context.Context, s *Service, _ *crowd) error {
			return s.SetPassword(ctx, "jane", SetPasswordRequest{Password: otherPassword})
		}},
		"SessionsEnded": {"An administrator has ended them.", func(ctx context.Context, s *Service, _ *crowd) error {
			return s.EndSessions(ctx, "jane")
		}},
	} {
		t.Run(claim, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				store, people := newMemory(), newCrowd()
				here, there := startServer(t, store, people), startServer(t, store, people)
				register(t, here, "jane")
				tokens := logIn(t, here, "jane")
				synctest.Wait()
				if who(t, there, tokens.AccessToken) != "jane" {
					t.Fatal("the other server does not know the token")
				}

				if err := tc.do(t.Context(), here, people); err != nil {
					t.Fatal(err)
				}
				if got := who(t, here, tokens.AccessToken); got != "" {
					t.Errorf("the token is still of %q: %s", got, tc.reason)
				}
				if _, err := here.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken}); !apierrors.IsUnauthorized(err) {
					t.Errorf("a refresh gives %v: %s", err, tc.reason)
				}
				synctest.Wait()
				if got := who(t, there, tokens.AccessToken); got != "" {
					t.Errorf("on the other server the token is still of %q", got)
				}
			})
		})
	}
}

// TestLoginRefusals: what can be told apart from outside is only what the right password tells.
func TestLoginRefusals(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		people := newCrowd()
		s := startServer(t, newMemory(), people)
		register(t, s, "jane")
		register(t, s, "pending")
		people.change("pending", func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.AccessPending })
		nobody := &v1alpha1.User{}
		nobody.Name = "nopassword"
		if _, err := people.CreateUser(t.Context(), nobody); err != nil {
			t.Fatal(err)
		}

		var texts []string
		for _, r := range []LoginRequest{
			{Username: "jane", Password: "wrong horse battery"},
			{Username: "nobody", Password: goodPassword},
			{Username: "nopassword", Password: ""},
			{Username: "nopassword", Password: goodPassword},
			{Username: "pending", Password: "wrong horse battery"},
			{Username: "system:admin", Password: goodPassword},
			{Username: "", Password: goodPassword},
			{Username: "jane", Password: strings.Repeat("x", 10_000)},
		} {
			_, err := s.Login(t.Context(), r, home)
			if !apierrors.IsUnauthorized(err) {
				t.Errorf("%q: got %v, want unauthorized", r.Username, err)
				continue
			}
			texts = append(texts, err.Error())
		}
		for _, text := range texts {
			if text != texts[0] {
				t.Errorf("two refusals differ: %q and %q", text, texts[0])
			}
		}
		if _, err := s.Login(t.Context(), LoginRequest{Username: "pending", Password: goodPassword}, home); !apierrors.IsForbidden(err) {
			t.Errorf("with the right password and no approval: %v", err)
		}
	})
}

func TestLoginIsThrottled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		guess := func(i int) error {
			_, err := s.Login(t.Context(), LoginRequest{Username: "jane", Password: fmt.Sprintf("wrong horse battery %d", i)}, fmt.Sprintf("203.0.113.%d:1", i))
			return err
		}
		for i := range 10 {
			if err := guess(i); !apierrors.IsUnauthorized(err) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		err := guess(11)
		if after, ok := apierrors.SuggestsClientDelay(err); !apierrors.IsTooManyRequests(err) || !ok || after != 10 {
			t.Errorf("the eleventh guess from an eleventh address: %v, wait %d", err, after)
		}
		if _, err := s.Login(t.Context(), LoginRequest{Username: "jane", Password: goodPassword}, home); !apierrors.IsTooManyRequests(err) {
			t.Errorf("the throttle tells the right password from a wrong one: %v", err)
		}
		after(10 * time.Second)
		logIn(t, s, "jane")
		logIn(t, s, "jane")

		for i := range 100 {
			_, err = s.Login(t.Context(), LoginRequest{Username: fmt.Sprintf("user-%d", i), Password: goodPassword}, "203.0.113.200:99")
		}
		if !apierrors.IsTooManyRequests(err) {
			t.Errorf("a hundred names from one address: %v", err)
		}
	})
}

// TestServersAgree: a token is good on the other server at once, before the news of it has come, and a refresh there goes
// by what is stored.
func TestServersAgree(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, people := newMemory(), newCrowd()
		here, there := startServer(t, store, people), startServer(t, store, people)
		register(t, here, "jane")
		tokens := logIn(t, here, "jane")
		if who(t, there, tokens.AccessToken) != "jane" {
			t.Error("the other server does not know a token that was just issued")
		}
		next, err := there.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := here.Refresh(t.Context(), RefreshRequest{RefreshToken: next.RefreshToken}); err != nil {
			t.Errorf("a server that has not heard of the last refresh takes the next one for stolen: %v", err)
		}
	})
}

// TestRefreshTwiceAtOnce: a client that has lost an answer and asks again is no thief, even while the first request is
// still under way.
func TestRefreshTwiceAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		tokens := logIn(t, s, "jane")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.Refresh(t.Context(), RefreshRequest{RefreshToken: tokens.RefreshToken})
			})
		}
		wg.Wait()
		if errs[0] != nil || errs[1] != nil {
			t.Errorf("got %v", errs)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		var first Tokens
		for i := range maxSessions + 5 {
			tokens := logIn(t, s, "jane")
			if i == 0 {
				first = tokens
			}
			after(time.Second)
		}
		count := 0
		for range all[session](s.store) {
			count++
		}
		if count != maxSessions {
			t.Errorf("there are %d sessions, want %d", count, maxSessions)
		}
		if who(t, s, first.AccessToken) != "" {
			t.Error("the oldest session is not the one that went")
		}
	})
}

func TestAudiences(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		tokens, err := s.Login(t.Context(), LoginRequest{Username: "jane", Password: goodPassword, Audiences: []string{"dashboard"}}, home)
		if err != nil {
			t.Fatal(err)
		}
		if got := who(t, s, tokens.AccessToken); got != "" {
			t.Errorf("a token for somebody else lets %q in", got)
		}
		ctx := authenticator.WithAudiences(t.Context(), authenticator.Audiences{"dashboard", "other"})
		resp, ok, err := NewAuthenticator(s).AuthenticateToken(ctx, tokens.AccessToken)
		if !ok || len(resp.Audiences) != 1 || resp.Audiences[0] != "dashboard" {
			t.Errorf("before its audience: %v, %v", resp, err)
		}
		for _, bad := range [][]string{{""}, {strings.Repeat("a", 300)}, make([]string, 20)} {
			if _, err := s.Login(t.Context(), LoginRequest{Username: "jane", Password: goodPassword, Audiences: bad}, home); !apierrors.IsInvalid(err) {
				t.Errorf("%d audiences: %v", len(bad), err)
			}
		}
	})
}
