package identity

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/request"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

func post(h http.Handler, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	return w
}

func TestBadRequests(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		h := s.Handler()
		const asJSON = "application/json"
		good := `{"username":"jane","password":"` + goodPassword + `"}`

		for claim, tc := range map[string]struct {
			path, contentType, body string
			want                    int
		}{
			"Good":          {PathLogin, asJSON, good, http.StatusOK},
			"WithCharset":   {PathLogin, asJSON + "; charset=utf-8", good, http.StatusOK},
			"WrongPassword": {PathLogin, asJSON, `{"username":"jane","password":"no"}`, http.StatusUnauthorized},
			"Form":          {PathLogin, "application/x-www-form-urlencoded", "username=jane", http.StatusUnsupportedMediaType},
			"NoType":        {PathLogin, "", good, http.StatusUnsupportedMediaType},
			"PlainText":     {PathLogin, "text/plain", good, http.StatusUnsupportedMediaType},
			"NoJSON":        {PathLogin, asJSON, "{", http.StatusBadRequest},
			"UnknownField":  {PathLogin, asJSON, `{"user":"jane"}`, http.StatusBadRequest},
			"WrongType":     {PathLogin, asJSON, `{"username":["jane"]}`, http.StatusBadRequest},
			"MoreAfterIt":   {PathLogin, asJSON, good + good, http.StatusBadRequest},
			"TooLarge":      {PathLogin, asJSON, `{"username":"` + strings.Repeat("x", 20_000) + `"}`, http.StatusRequestEntityTooLarge},
			"Null":          {PathLogin, asJSON, "null", http.StatusUnauthorized},
			"NoSuchPath":    {PathPrefix + "whatever", asJSON, good, http.StatusNotFound},
			"DeeperPath":    {PathLogin + "/jane", asJSON, good, http.StatusNotFound},
			"BadRefresh":    {PathRefresh, asJSON, `{"refreshToken":"x"}`, http.StatusUnauthorized},
			"WeakPassword":  {PathPassword, asJSON, `{"username":"jane","password":"` + goodPassword + `","newPassword":"short"}`, http.StatusUnprocessableEntity},
			"SamePassword":  {PathPassword, asJSON, `{"username":"jane","password":"` + goodPassword + `","newPassword":"` + goodPassword + `"}`, http.StatusUnprocessableEntity},
			"DryRun":        {PathPassword + "?dryRun=All", asJSON, good, http.StatusBadRequest},
			"LogoutOfNone":  {PathLogout, asJSON, `{"token":"x"}`, http.StatusOK},
		} {
			w := post(h, tc.path, tc.contentType, tc.body)
			if w.Code != tc.want {
				t.Errorf("%s: got %d %s, want %d", claim, w.Code, w.Body, tc.want)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: the answer may be kept by caches", claim)
			}
			if strings.Contains(w.Body.String(), goodPassword) {
				t.Errorf("%s: the answer holds the password: %s", claim, w.Body)
			}
			var status metav1.Status
			if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || (w.Code >= 400 && (status.Kind != "Status" || int(status.Code) != w.Code)) {
				t.Errorf("%s: clients of Kubernetes do not understand %s", claim, w.Body)
			}
		}

		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, PathLogin, nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
			t.Errorf("GET: %d", w.Code)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		var w *httptest.ResponseRecorder
		for range 20 {
			w = post(s.Handler(), PathLogin, "application/json", `{"username":"jane","password":"no"}`)
		}
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "10" {
			t.Errorf("got %d and Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
	})
}

// TestSubresources: what is ours is done, everything else goes on.
func TestSubresources(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		people := newCrowd()
		s := startServer(t, newMemory(), people)
		register(t, s, "jane")
		people.addToken("acme", "ci", v1alpha1.DeployTokenSpec{ExpirationSeconds: 600})
		passed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })

		for claim, tc := range map[string]struct {
			method, body string
			info         request.RequestInfo
			want         int
		}{
			"Password":        {"POST", `{"password":"` + otherPassword + `"}`, request.RequestInfo{Verb: "create", Resource: "users", Subresource: "password", Name: "jane"}, 200},
			"WeakPassword":    {"POST", `{"password":"short"}`, request.RequestInfo{Verb: "create", Resource: "users", Subresource: "password", Name: "jane"}, 422},
			"PasswordOfNone":  {"POST", `{"password":"` + otherPassword + `"}`, request.RequestInfo{Verb: "create", Resource: "users", Subresource: "password", Name: "john"}, 404},
			"Sessions":        {"DELETE", "", request.RequestInfo{Verb: "delete", Resource: "users", Subresource: "sessions", Name: "jane"}, 200},
			"Token":           {"POST", "", request.RequestInfo{Verb: "create", Resource: "deploytokens", Subresource: "token", Namespace: "acme", Name: "ci"}, 200},
			"TokenOfNone":     {"POST", "", request.RequestInfo{Verb: "create", Resource: "deploytokens", Subresource: "token", Namespace: "acme", Name: "x"}, 404},
			"User":            {"GET", "", request.RequestInfo{Verb: "get", Resource: "users", Name: "jane"}, http.StatusTeapot},
			"ReadPassword":    {"GET", "", request.RequestInfo{Verb: "get", Resource: "users", Subresource: "password", Name: "jane"}, http.StatusTeapot},
			"AnotherResource": {"POST", "", request.RequestInfo{Verb: "create", Resource: "tenantcontainers", Subresource: "token", Name: "web"}, http.StatusTeapot},
		} {
			info := tc.info
			info.IsResourceRequest, info.APIGroup, info.APIVersion = true, v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version
			r := httptest.NewRequest(tc.method, "/", strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.Subresources(passed).ServeHTTP(w, r.WithContext(request.WithRequestInfo(t.Context(), &info)))
			if w.Code != tc.want {
				t.Errorf("%s: got %d %s, want %d", claim, w.Code, w.Body, tc.want)
			}
		}
	})
}
