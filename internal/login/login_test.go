package login

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/internal/identity"
)

func TestParseServer(t *testing.T) {
	for text, want := range map[string]string{
		"https://cloud.example:6443":   "https://cloud.example:6443",
		"https://cloud.example:6443/":  "https://cloud.example:6443",
		"cloud.example:6443":           "https://cloud.example:6443",
		"10.0.0.1:6443":                "https://10.0.0.1:6443",
		"[2001:db8::1]:6443":           "https://[2001:db8::1]:6443",
		"http://cloud.example:6443":    "",
		"https://jane@cloud.example":   "",
		"https://cloud.example/path":   "",
		"https://cloud.example?x=y":    "",
		"file:///etc/passwd":           "",
		"":                             "",
		"https://":                     "",
		"https://cloud.example:6443#x": "",
	} {
		if got, err := ParseServer(text); got != want || (err != nil) != (want == "") {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

// server answers refreshes, and takes each refresh token once.
type server struct {
	*httptest.Server
	refreshes atomic.Int64
	over      atomic.Bool
	ca        []byte
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	var mu sync.Mutex
	current := "r0"
	mux := http.NewServeMux()
	mux.HandleFunc(identity.PathRefresh, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var got identity.RefreshRequest
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got.RefreshToken != current || s.over.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			status := apierrors.NewUnauthorized("over").Status()
			status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
			_ = json.NewEncoder(w).Encode(status)
			return
		}
		current = "r" + string(rune('0'+s.refreshes.Add(1)))
		_ = json.NewEncoder(w).Encode(identity.Tokens{
			AccessToken: "access-" + current, AccessExpirationTime: time.Now().Add(time.Hour), RefreshToken: current,
		})
	})
	mux.HandleFunc(identity.PathLogin, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example"+identity.PathLogin, http.StatusTemporaryRedirect)
	})
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})

	return s
}

func (s *server) session(expires time.Time) Session {
	return Session{Server: s.URL, Username: "jane", CA: s.ca, Tokens: identity.Tokens{
		AccessToken: "access-r0", AccessExpirationTime: expires, RefreshToken: "r0",
	}}
}

// TestOneRefreshes: of many programs that find the token expired at the same time one refreshes it.
func TestOneRefreshes(t *testing.T) {
	s := newServer(t)
	sessions := SessionsIn(filepath.Join(t.TempDir(), "sessions"))
	if err := sessions.Save(s.session(time.Now().Add(-time.Minute))); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := sessions.Fresh(context.Background(), s.URL, "jane")
			if err != nil || got.Tokens.AccessToken != "access-r1" {
				t.Errorf("got %q, %v", got.Tokens.AccessToken, err)
			}
		})
	}
	wg.Wait()
	if n := s.refreshes.Load(); n != 1 {
		t.Errorf("the token was refreshed %d times", n)
	}
}

func TestFreshTokenIsLeftAlone(t *testing.T) {
	s := newServer(t)
	sessions := SessionsIn(t.TempDir())
	if err := sessions.Save(s.session(time.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	got, err := sessions.Fresh(t.Context(), s.URL, "jane")
	if err != nil || s.refreshes.Load() != 0 {
		t.Fatalf("%d refreshes, %v", s.refreshes.Load(), err)
	}

	var out bytes.Buffer
	if err := got.WriteCredential(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"kind":"ExecCredential"`, `"token":"access-r0"`, `"expirationTimestamp"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the credential %s has no %s", out.String(), want)
		}
	}
	if strings.Contains(out.String(), `"r0"`) {
		t.Error("kubectl is given the refresh token")
	}
}

func TestSessionThatIsOver(t *testing.T) {
	s := newServer(t)
	s.over.Store(true)
	sessions := SessionsIn(t.TempDir())
	if _, err := sessions.Fresh(t.Context(), s.URL, "jane"); !errors.Is(err, ErrLoggedOut) {
		t.Errorf("without a session: %v", err)
	}
	if err := sessions.Save(s.session(time.Now())); err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.Fresh(t.Context(), s.URL, "jane"); !errors.Is(err, ErrLoggedOut) {
		t.Errorf("with one that is over: %v", err)
	}
	if err := sessions.Remove(s.URL, "jane"); err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.Load(s.URL, "jane"); !errors.Is(err, ErrLoggedOut) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dogker", "sessions")
	if err := SessionsIn(dir).Save(Session{Server: "https://a", Username: "jane"}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, %v", e.Name(), info.Mode().Perm(), err)
		}
	}
}

// TestWhoAnswers: a password goes to the server that was named and whose certificate is known, or nowhere.
func TestWhoAnswers(t *testing.T) {
	s := newServer(t)
	stranger, err := NewClient(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Login(t.Context(), identity.LoginRequest{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	client, err := NewClient(s.URL, s.ca)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Login(t.Context(), identity.LoginRequest{}); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
	if _, err := NewClient(s.URL, []byte("no certificate")); err == nil {
		t.Error("an authority that is none is accepted")
	}
}

func TestKubeconfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	before := "apiVersion: v1\nkind: Config\ncurrent-context: old\ncontexts: [{name: old, context: {cluster: c, user: u}}]\n" +
		"clusters: [{name: c, cluster: {server: 'https://old', certificate-authority: ca.crt}}]\nusers: [{name: u, user: {token: keep}}]\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := clientcmd.NewDefaultPathOptions()
	rules.LoadingRules.ExplicitPath = path
	entry := Entry{Server: "https://cloud.example:6443", Username: "jane", CA: []byte("authority"), Namespace: "acme", Command: "/usr/bin/dogker"}
	name, err := entry.Write(rules)
	if err != nil || name != "jane@cloud.example:6443" {
		t.Fatalf("%q, %v", name, err)
	}

	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	who := config.AuthInfos[name]
	if config.CurrentContext != name || config.Contexts[name].Namespace != "acme" || who.Exec == nil || who.Exec.Command != "/usr/bin/dogker" {
		t.Errorf("the context is %+v, the user %+v", config.Contexts[name], who)
	}
	if who.Token != "" || who.Password != "" {
		t.Error("the kubeconfig holds a secret")
	}
	if config.AuthInfos["u"].Token != "keep" || config.Clusters["c"].CertificateAuthority != "ca.crt" || config.Contexts["old"] == nil {
		t.Error("what was there has changed")
	}
	if got := KnownCA(rules, entry.Server); string(got) != "authority" {
		t.Errorf("the authority is %q", got)
	}
	server, username, err := Current(rules, "")
	if err != nil || server != entry.Server || username != "jane" {
		t.Errorf("the current session is of %q at %q, %v", username, server, err)
	}
	if _, _, err := Current(rules, "old"); !errors.Is(err, ErrLoggedOut) {
		t.Errorf("a context that somebody else has made: %v", err)
	}
}
