package gittest

import (
	"encoding/pem"
	"net/http"
	"net/http/cgi" //nolint:gosec // the weakness of net/http/cgi is in Go before 1.6
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// backend is a handler that serves all repositories below root for reading.
func backend(t testing.TB, root string) http.Handler {
	t.Helper()

	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("git is needed: make setup: %v", err)
	}

	return &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
		InheritEnv: []string{"PATH"},
		Stderr:     t.Output(),
	}
}

// HTTP serves repositories over https. Around, where it is not nil, gets every request, with a handler that serves it.
type HTTP struct {
	*httptest.Server
	// Root is where repositories belong.
	Root string
}

// NewHTTP starts a server with TLS.
func NewHTTP(t testing.TB, around func(w http.ResponseWriter, r *http.Request, next http.Handler)) *HTTP {
	t.Helper()

	return newHTTP(t, around, (*httptest.Server).StartTLS)
}

// NewPlainHTTP starts a server without TLS.
func NewPlainHTTP(t testing.TB, around func(w http.ResponseWriter, r *http.Request, next http.Handler)) *HTTP {
	t.Helper()

	return newHTTP(t, around, (*httptest.Server).Start)
}

func newHTTP(t testing.TB, around func(http.ResponseWriter, *http.Request, http.Handler), start func(*httptest.Server)) *HTTP {
	t.Helper()

	root := t.TempDir()
	next := backend(t, root)

	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if around != nil {
			around(w, r, next)

			return
		}

		next.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = nil
	start(s)
	t.Cleanup(s.Close)

	return &HTTP{Server: s, Root: root}
}

// CA is the certificate to trust, in PEM.
func (s *HTTP) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// At is the URL of a repository.
func (s *HTTP) At(name string) string { return s.URL + "/" + name }
