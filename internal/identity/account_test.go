package identity

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

func TestRegistrationModes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		people := newCrowd()
		s := startServer(t, newMemory(), people)
		request := RegisterRequest{Username: "jane", Email: "jane@example.com", Password: goodPassword}

		s.Registration = RegistrationOff
		if _, err := s.Register(t.Context(), request, home); !apierrors.IsForbidden(err) {
			t.Errorf("off: %v", err)
		}
		s.Registration = RegistrationApproval
		answer, err := s.Register(t.Context(), request, home)
		if err != nil || answer.Access != v1alpha1.AccessPending {
			t.Fatalf("approval: %v, %v", answer, err)
		}
		if _, err := s.Login(t.Context(), LoginRequest{Username: "jane", Password: goodPassword}, home); !apierrors.IsForbidden(err) {
			t.Errorf("without approval: %v", err)
		}
		people.change("jane", func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.AccessGranted })
		logIn(t, s, "jane")

		if _, err := s.Register(t.Context(), request, home); !apierrors.IsAlreadyExists(err) {
			t.Errorf("a name that is taken: %v", err)
		}
		u, _ := people.User("jane")
		if len(u.Spec.Groups) != 0 {
			t.Errorf("whoever registers is in %v", u.Spec.Groups)
		}
		for i := range 10 {
			request.Username = fmt.Sprintf("jane%d", i)
			_, err = s.Register(t.Context(), request, home)
		}
		if !apierrors.IsTooManyRequests(err) {
			t.Errorf("ten registrations from one address: %v", err)
		}
	})
}

// TestFailedRegistration: a User whose password could not be stored does not keep the name.
func TestFailedRegistration(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		people := newCrowd()
		s := startServer(t, failing{newMemory(), credentialKeys}, people)
		_, err := s.Register(t.Context(), RegisterRequest{Username: "jane", Email: "j@example.com", Password: goodPassword}, home)
		if err == nil {
			t.Fatal("a registration without a password is told to be good")
		}
		if _, ok := people.User("jane"); ok {
			t.Error("the name is taken by nobody")
		}
		if strings.Contains(err.Error(), goodPassword) {
			t.Errorf("the error holds the password: %v", err)
		}
	})
}

// failing fails writes of some keys.
type failing struct {
	*memory
	keys string
}

func (f failing) Put(ctx context.Context, key string, value []byte, version int64) (int64, error) {
	if strings.HasPrefix(key, f.keys) {
		return 0, errDown
	}

	return f.memory.Put(ctx, key, value, version)
}

func TestDeployTokens(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		people := newCrowd()
		s := startServer(t, newMemory(), people)
		people.addToken("acme", "ci", v1alpha1.DeployTokenSpec{Scope: v1alpha1.ScopeDeploy, ExpirationSeconds: 3600})
		first, err := s.IssueDeployToken(t.Context(), "acme", "ci")
		if err != nil {
			t.Fatal(err)
		}
		if got := who(t, s, first.Token); got != "dogker:deploy-token:acme:ci" {
			t.Fatalf("the token is of %q", got)
		}
		second, err := s.IssueDeployToken(t.Context(), "acme", "ci")
		if err != nil {
			t.Fatal(err)
		}
		if who(t, s, first.Token) != "" || who(t, s, second.Token) == "" {
			t.Error("a new token does not replace the one before")
		}
		if _, err := s.IssueDeployToken(t.Context(), "acme", "other"); !apierrors.IsNotFound(err) {
			t.Errorf("a token for no DeployToken: %v", err)
		}

		after(time.Hour)
		if who(t, s, second.Token) != "" {
			t.Error("the token does not expire")
		}
		third, err := s.IssueDeployToken(t.Context(), "acme", "ci")
		if err != nil {
			t.Fatal(err)
		}
		people.addToken("acme", "ci", v1alpha1.DeployTokenSpec{Scope: v1alpha1.ScopeDeploy})
		if who(t, s, third.Token) != "" {
			t.Error("a DeployToken that was made again has taken over the token")
		}
	})
}

// TestSweep: what is over and what belongs to nobody goes, and nothing else.
func TestSweep(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, people := newMemory(), newCrowd()
		s := startServer(t, store, people)
		register(t, s, "jane")
		register(t, s, "john")
		logIn(t, s, "john")
		people.addToken("acme", "ci", v1alpha1.DeployTokenSpec{ExpirationSeconds: 600})
		if _, err := s.IssueDeployToken(t.Context(), "acme", "ci"); err != nil {
			t.Fatal(err)
		}
		logIn(t, s, "jane")
		u, _ := people.User("john")
		if err := people.DeleteUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		s.sweep(t.Context(), time.Now())
		synctest.Wait()
		if got := len(store.entries); got != 3 {
			t.Errorf("%d records are left, want jane's password, her session and the deploy token", got)
		}

		after(DefaultLifetimes.Idle + keptExpired)
		s.sweep(t.Context(), time.Now())
		if got := len(store.entries); got != 1 {
			t.Errorf("%d records are left, want jane's password", got)
		}
	})
}
