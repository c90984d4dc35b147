//go:build e2e

package servicespec_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestHealthScriptsWithRealTools asks a real server with the tools that the machine has; each of them must be there.
func TestHealthScriptsWithRealTools(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if code == http.StatusFound {
			w.Header().Set("Location", "/200")
		}
		w.WriteHeader(code)
	}))
	defer server.Close()

	for _, tool := range []string{"curl", "wget"} {
		for status, want := range map[int]int{200: 0, 204: 0, 302: 0, 404: 1, 500: 1, 503: 1} {
			health, _ := checkOf(t, v1alpha1.HealthCheck{HTTPGet: &v1alpha1.HTTPCheck{Port: portOf(t, server), Path: fmt.Sprint("/", status)}}, nil)
			if code, output := runCheck(t, health, "PATH="+only(t, tool)); code != want {
				t.Errorf("%s, status %d: got exit code %d, want %d\n%s", tool, status, code, want, output)
			}
		}
	}
}
