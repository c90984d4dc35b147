package identity

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

func TestStatusOfUsers(t *testing.T) {
	changed := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for claim, tc := range map[string]struct {
		reason      string
		access      v1alpha1.Access
		hasPassword bool
		want        metav1.ConditionStatus
		because     string
	}{
		"Granted":            {"They can log in.", v1alpha1.AccessGranted, true, metav1.ConditionTrue, v1alpha1.ReasonGranted},
		"DefaultAccess":      {"An object from before the default was filled in.", "", true, metav1.ConditionTrue, v1alpha1.ReasonGranted},
		"NoPassword":         {"Somebody has to set one.", v1alpha1.AccessGranted, false, metav1.ConditionFalse, v1alpha1.ReasonNoPassword},
		"Pending":            {"Somebody has to approve.", v1alpha1.AccessPending, true, metav1.ConditionFalse, v1alpha1.ReasonPending},
		"Suspended":          {"Somebody has decided so.", v1alpha1.AccessSuspended, true, metav1.ConditionFalse, v1alpha1.ReasonSuspended},
		"SuspendedAnyway":    {"The decision counts before the password.", v1alpha1.AccessSuspended, false, metav1.ConditionFalse, v1alpha1.ReasonSuspended},
		"PendingNoPassword":  {"So does the missing approval.", v1alpha1.AccessPending, false, metav1.ConditionFalse, v1alpha1.ReasonPending},
		"GrantedOnceMoreYet": {"The same again gives the same.", v1alpha1.AccessGranted, true, metav1.ConditionTrue, v1alpha1.ReasonGranted},
	} {
		t.Run(claim, func(t *testing.T) {
			u := &v1alpha1.User{Spec: v1alpha1.UserSpec{Access: tc.access}}
			u.Generation = 7
			got := desiredStatus(u, credential{Changed: changed}, tc.hasPassword)
			if len(got.Conditions) != 1 || got.Conditions[0].Status != tc.want || got.Conditions[0].Reason != tc.because || got.ObservedGeneration != 7 {
				t.Errorf("got %+v, want %s %s: %s", got, tc.want, tc.because, tc.reason)
			}
			if (got.PasswordChangeTime != nil) != tc.hasPassword {
				t.Errorf("the password was set at %v", got.PasswordChangeTime)
			}

			u.Status = got
			if diff := cmp.Diff(got, desiredStatus(u, credential{Changed: changed}, tc.hasPassword)); diff != "" {
				t.Errorf("a second pass would write again:\n%s", diff)
			}
		})
	}
}

// TestTidy: status follows the spec, and what a deleted User leaves goes with it.
func TestTidy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, people := newMemory(), newCrowd()
		s := startServer(t, store, people)
		register(t, s, "jane")
		logIn(t, s, "jane")
		changed := make(chan struct{}, 1)
		go func() { _ = s.Tidy(t.Context(), changed) }()
		after(time.Second)

		people.change("jane", func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.AccessSuspended })
		changed <- struct{}{}
		after(time.Second)
		u, _ := people.User("jane")
		if got := u.Status.Conditions[0].Reason; got != v1alpha1.ReasonSuspended {
			t.Errorf("the reason is %s", got)
		}
		if u.Status.LastLoginTime == nil {
			t.Error("the last log-in is forgotten")
		}

		if err := people.DeleteUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		changed <- struct{}{}
		after(time.Second)
		if n := len(store.entries); n != 0 {
			t.Errorf("%d records are left of a User that is gone", n)
		}
		synctest.Wait()
	})
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	m.attempt("login", nil)
	m.attempt("login", errCredentials)
	m.attempt("login", apierrors.NewTooManyRequests("later", 1))
	m.attempt("refresh", errors.New("store is down"))
	m.reused()

	want := `# HELP dogker_identity_requests_total Log-ins, refreshes, registrations and the like, by action and outcome.
# TYPE dogker_identity_requests_total counter
dogker_identity_requests_total{action="login",outcome="ok"} 1
dogker_identity_requests_total{action="login",outcome="refused"} 1
dogker_identity_requests_total{action="login",outcome="throttled"} 1
dogker_identity_requests_total{action="refresh",outcome="error"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "dogker_identity_requests_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry); err != nil || n != 5 {
		t.Errorf("%d series, %v", n, err)
	}
}

func BenchmarkAccessToken(b *testing.B) {
	people := newCrowd()
	store := newMemory()
	s := NewService(NewStore(store, discard), people, newHasher(cheap), Options{
		Registration: RegistrationOpen, Lifetimes: DefaultLifetimes, Audiences: []string{apiAudience},
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: discard,
	})
	s.store.replace(nil, 0)
	if _, err := s.Register(b.Context(), RegisterRequest{Username: "jane", Email: "j@example.com", Password: goodPassword}, home); err != nil {
		b.Fatal(err)
	}
	tokens, err := s.Login(b.Context(), LoginRequest{Username: "jane", Password: goodPassword}, home)
	if err != nil {
		b.Fatal(err)
	}
	a := NewAuthenticator(s)
	for b.Loop() {
		if _, ok, err := a.AuthenticateToken(b.Context(), tokens.AccessToken); !ok {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	salt := newSalt()
	for b.Loop() {
		derive(goodPassword, currentCost, salt)
	}
}
