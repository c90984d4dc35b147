package commitstatus

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/fake/forge"
	"github.com/dogker/dogker/reconciler/gitsync"
)

const token = "TOPsecret"

// serve has a forge, or something worse, at an address, and is a state for it.
func serve(t *testing.T, provider gitopsv1.CommitStatusProvider, h http.Handler) gitsync.CommitState {
	t.Helper()

	server := httptest.NewServer(h)
	t.Cleanup(server.Close)

	return gitsync.CommitState{
		Provider: string(provider), Address: server.URL, RepositoryURL: "https://git.test/acme/web.git", Token: token,
		AllowPrivate: true, Commit: commit, Context: "dogker/acme/web", State: gitsync.CommitPending, Description: "It is being applied",
	}
}

func TestForgesTakeIt(t *testing.T) {
	for provider, failed := range map[gitopsv1.CommitStatusProvider]string{
		gitopsv1.StatusGitHub: "failure", gitopsv1.StatusGitLab: "failed", gitopsv1.StatusGitea: "failure",
	} {
		t.Run(string(provider), func(t *testing.T) {
			f := forge.New(provider, token)
			f.Add("acme/web", commit)
			s := serve(t, provider, f)

			var want []forge.Status

			for _, state := range []string{gitsync.CommitPending, gitsync.CommitFailure, gitsync.CommitPending, gitsync.CommitSuccess} {
				s.State = state
				if err := post(t.Context(), s); err != nil {
					t.Errorf("%s: %v", state, err)
				}

				if state == gitsync.CommitFailure {
					state = failed
				}

				want = append(want, forge.Status{Context: "dogker/acme/web", State: state, Description: "It is being applied"})
			}

			if diff := cmp.Diff(want, f.Statuses(commit)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}

			// The same again, as after a restart, and texts that are too long for some.
			s.State, s.Description = gitsync.CommitPending, strings.Repeat("ü", 1000)
			for range 2 {
				if err := post(t.Context(), s); err != nil {
					t.Errorf("again: %v", err)
				}
			}
		})
	}
}

func TestGitLabGroups(t *testing.T) {
	f := forge.New(gitopsv1.StatusGitLab, token)
	f.Add("acme/shop/front/web", commit)

	s := serve(t, gitopsv1.StatusGitLab, f)
	s.RepositoryURL = "ssh://git@git.test:2222/acme/shop/front/web.git"

	if err := post(t.Context(), s); err != nil || len(f.Statuses(commit)) != 1 {
		t.Errorf("%v, statuses %v", err, f.Statuses(commit))
	}
}

// TestTLS: a server with a certificate of its own is believed with its authority, and not without.
func TestTLS(t *testing.T) {
	f := forge.New(gitopsv1.StatusGitea, token)
	f.Add("acme/web", commit)

	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)

	s := serve(t, gitopsv1.StatusGitea, f)
	s.Address = server.URL

	var l *later
	if err := post(t.Context(), s); !errors.As(err, &l) || !strings.Contains(l.why, "authority that is not trusted") {
		t.Errorf("without its authority: %v", err)
	}

	s.CAFile = pemOf(server)
	if err := post(t.Context(), s); err != nil {
		t.Errorf("with its authority: %v", err)
	}

	s.CAFile = []byte("no certificate")

	var r *refusal
	if err := post(t.Context(), s); !errors.As(err, &r) || !strings.Contains(r.why, "ca.crt") {
		t.Errorf("with something else: %v", err)
	}
}

// pemOf is the certificate of a server, which is its own authority.
func pemOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestAnswers(t *testing.T) {
	const gitHub, gitLab = gitopsv1.StatusGitHub, gitopsv1.StatusGitLab

	for name, tc := range map[string]struct {
		reason   string
		provider gitopsv1.CommitStatusProvider
		answer   forge.Failure
		edit     func(*gitsync.CommitState)
		says     string
		again    bool
		after    time.Duration
	}{
		"Token":       {reason: "It does not know us.", provider: gitHub, edit: func(s *gitsync.CommitState) { s.Token = "other" }, says: "the server answers 401: it does not know the token"},
		"TokenGitLab": {reason: "It does not know us.", provider: gitLab, edit: func(s *gitsync.CommitState) { s.Token = "other" }, says: "the server answers 401: it does not know the token"},
		"Repository":  {reason: "It is not there, or hidden.", provider: gitHub, edit: func(s *gitsync.CommitState) { s.RepositoryURL = "https://git.test/acme/other" }, says: "the server answers 404: there is no such repository"},
		"Commit":      {reason: "It was never pushed there.", provider: gitHub, edit: func(s *gitsync.CommitState) { s.Commit = strings.Repeat("0", 40) }, says: "the server answers 422: it does not have the commit"},
		"Forbidden":   {reason: "The token may only read.", provider: gitHub, answer: forge.Failure{Code: 403}, says: "the server answers 403: the token may not write"},
		"LimitFirst":  {reason: "GitHub says so by 403.", provider: gitHub, answer: forge.Failure{Code: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}}}, says: "too many requests", again: true},
		"LimitSecond": {reason: "GitHub says so by 403.", provider: gitHub, answer: forge.Failure{Code: 403, Header: http.Header{"Retry-After": {"60"}}}, says: "too many requests", again: true, after: time.Minute},
		"TooMany":     {reason: "It says when.", provider: gitLab, answer: forge.Failure{Code: 429, Header: http.Header{"Retry-After": {"30"}}}, says: "too many requests", again: true, after: 30 * time.Second},
		"MuchLater":   {reason: "Nobody makes us wait for a year.", provider: gitLab, answer: forge.Failure{Code: 429, Header: http.Header{"Retry-After": {"31536000"}}}, again: true, after: maxRetryAfter},
		"Never":       {reason: "No number is no wish.", provider: gitLab, answer: forge.Failure{Code: 503, Header: http.Header{"Retry-After": {"-1"}}}, again: true},
		"Down":        {reason: "It may come back.", provider: gitLab, answer: forge.Failure{Code: 502}, says: "the server answers 502", again: true},
		"Teapot":      {reason: "It will not be another.", provider: gitLab, answer: forge.Failure{Code: 418}, says: "the server answers 418"},
		"Bad":         {reason: "GitLab says what is wrong; it is not this.", provider: gitLab, answer: forge.Failure{Code: 400, Body: "state does not have a valid value"}, says: "the server answers 400"},
		"BadGitHub":   {reason: "Only GitLab says it like that.", provider: gitHub, answer: forge.Failure{Code: 400, Body: "Cannot transition status"}, says: "the server answers 400"},
		"Moved":       {reason: "A token is not carried along.", provider: gitHub, answer: forge.Failure{Code: 307, Header: http.Header{"Location": {"https://elsewhere.test/"}}}, says: "the server answers 307: it has moved"},
	} {
		t.Run(name, func(t *testing.T) {
			f := forge.New(tc.provider, token)
			f.Add("acme/web", commit)

			if tc.answer.Code != 0 {
				f.Fail(tc.answer)
			}

			s := serve(t, tc.provider, f)
			if tc.edit != nil {
				tc.edit(&s)
			}

			err := post(t.Context(), s)

			var l *later

			if err == nil || errors.As(err, &l) != tc.again || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("%s\ngot %v, want %q, to be tried again: %t", tc.reason, err, tc.says, tc.again)
			}

			if tc.again && l.after != tc.after {
				t.Errorf("%s\nafter %s, want %s", tc.reason, l.after, tc.after)
			}

			if f.Requests() != 1 || len(f.Statuses(commit)) != 0 {
				t.Errorf("%s\n%d requests, statuses %v", tc.reason, f.Requests(), f.Statuses(commit))
			}
		})
	}
}

// TestHostileServers: whatever a server does, a try ends, reads little, and shows its token to nobody else.
func TestHostileServers(t *testing.T) {
	var leaked []string

	victim := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.URL.Path+r.Header.Get("Authorization"))
	}))
	t.Cleanup(victim.Close)

	for name, tc := range map[string]struct {
		reason string
		h      http.HandlerFunc
		good   bool
	}{
		"Redirect": {"Into our own network.", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, victim.URL+"/internal", http.StatusPermanentRedirect)
		}, false},
		"RedirectGet": {"As another method.", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, victim.URL, http.StatusSeeOther) }, false},
		"Endless": {"A body that does not end.", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)

			for {
				if _, err := io.WriteString(w, strings.Repeat("a", 1<<16)); err != nil {
					return
				}
			}
		}, false},
		"EndlessGood": {"It has taken it, whatever it says then.", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)

			for {
				if _, err := io.WriteString(w, strings.Repeat("a", 1<<16)); err != nil {
					return
				}
			}
		}, true},
		"Headers": {"Headers that do not end.", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("a", 1<<20))
			w.WriteHeader(http.StatusCreated)
		}, false},
		"NoHTTP": {"It speaks something else.", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "220 mail.test ESMTP\r\n")
				_ = conn.Close()
			}
		}, false},
		"Echo": {"It sends our token back, to have it in a log.", func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.Header.Get("Authorization"), http.StatusBadRequest)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, gitopsv1.StatusGitea, tc.h)
			begun := time.Now()

			err := post(t.Context(), s)
			if (err == nil) != tc.good {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}

			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("%s\nthe token is told: %v", tc.reason, err)
			}

			if took := time.Since(begun); took > postTimeout/2 {
				t.Errorf("%s\nit took %s", tc.reason, took)
			}
		})
	}

	if len(leaked) != 0 {
		t.Errorf("a redirect was followed: %q", leaked)
	}
}

// TestAddressesThatAreNotPublic: a tenant's state goes to no address inside, by whatever name.
func TestAddressesThatAreNotPublic(t *testing.T) {
	f := forge.New(gitopsv1.StatusGitea, token)
	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)

	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")

	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"} {
		s := gitsync.CommitState{
			Provider: "gitea", Address: "https://" + host + ":" + port, RepositoryURL: "https://git.test/acme/web", Token: token,
			Commit: commit, State: gitsync.CommitSuccess,
		}

		var r *refusal
		if err := post(t.Context(), s); !errors.As(err, &r) || r.why != "the address of the server is not public" {
			t.Errorf("%s: %v", host, err)
		}
	}

	if f.Requests() != 0 {
		t.Errorf("%d requests arrived", f.Requests())
	}
}

// TestSlowServer: a server that says nothing, or a byte at a time, is left when the time is up.
func TestSlowServer(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)

	for name, h := range map[string]http.HandlerFunc{
		"Silent": func(http.ResponseWriter, *http.Request) { <-hold },
		"Drips": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			for err == nil {
				_, err = io.WriteString(conn, "H")

				time.Sleep(10 * time.Millisecond)
			}
		},
	} {
		s := serve(t, gitopsv1.StatusGitea, h)

		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()

		begun := time.Now()

		var l *later
		if err := post(ctx, s); !errors.As(err, &l) {
			t.Errorf("%s: %v", name, err)
		}

		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{"": "", "abcde": "abcde", "abcdef": "abcd…", "ÄÖÜÄÖÜ": "ÄÖÜÄ…", "ab\xff": "ab"} {
		if got := cut(text, 5); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
