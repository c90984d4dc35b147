package registry

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/reference"
	dockerregistry "github.com/docker/docker/api/types/registry"
	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// shelf is an in-memory registry with an image team/app:1 and a multi-platform image team/multi:1.
type shelf struct {
	handler    http.Handler
	app, multi string // digests
}

func newShelf(t *testing.T) shelf {
	t.Helper()

	s := shelf{handler: memory.New(memory.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(s.handler)
	defer server.Close()

	host := strings.TrimPrefix(server.URL, "http://")

	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}

	if err := remote.Write(mustTag(t, host+"/team/app:1"), image); err != nil {
		t.Fatal(err)
	}

	index, err := random.Index(64, 1, 3)
	if err != nil {
		t.Fatal(err)
	}

	if err := remote.WriteIndex(mustTag(t, host+"/team/multi:1"), index); err != nil {
		t.Fatal(err)
	}

	appDigest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}

	multiDigest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}

	s.app, s.multi = appDigest.String(), multiDigest.String()

	return s
}

func mustTag(t *testing.T, ref string) name.Tag {
	t.Helper()

	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}

	return tag
}

// serve starts a server and returns the host by which images name it.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()

	server := httptest.NewServer(h)
	t.Cleanup(server.Close)

	return strings.TrimPrefix(server.URL, "http://")
}

// serveTLS does the same with TLS, and returns a file with its authority.
func serveTLS(t *testing.T, h http.Handler) (host, caFile string) {
	t.Helper()

	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)

	caFile = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	if err := os.WriteFile(caFile, block, 0o600); err != nil {
		t.Fatal(err)
	}

	return strings.TrimPrefix(server.URL, "https://"), caFile
}

// basicAuth lets u with the password in.
func basicAuth(password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "u" || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)

			return
		}

		next.ServeHTTP(w, r)
	})
}

// bearerAuth wants a token of its own token server, which gives one for a password, for an identity token, and, where
// public is true, to anybody.
func bearerAuth(password, identityToken string, public bool, next http.Handler) http.Handler {
	const token = "a-token"

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			u, p, _ := r.BasicAuth()
			byPassword := r.Method == http.MethodGet && u == "u" && p == password
			byToken := r.Method == http.MethodPost && r.FormValue("refresh_token") == identityToken
			anybody := r.Method == http.MethodGet && u == "" && public

			if !byPassword && !byToken && !anybody {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}

			_ = json.NewEncoder(w).Encode(map[string]string{"token": token, "access_token": token})

			return
		}

		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate",
				fmt.Sprintf(`Bearer realm="http://%s/token",service="test",scope="repository:team/app:pull"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)

			return
		}

		next.ServeHTTP(w, r)
	})
}

func TestResolve(t *testing.T) {
	s := newShelf(t)
	plain := serve(t, s.handler)
	secured, caFile := serveTLS(t, s.handler)
	basic := serve(t, basicAuth("right", s.handler))
	bearer := serve(t, bearerAuth("right", "id-token", false, s.handler))
	public := serve(t, bearerAuth("right", "id-token", true, s.handler))
	digest := "@sha256:" + strings.Repeat("d", 64)

	c := newClient(t, Config{Registries: []Host{{Host: secured, CAFile: caFile}}})

	cases := map[string]struct {
		reason  string
		image   string
		secrets [][]byte
		want    string
		auth    string // password or token in X-Registry-Auth
		class   error
		text    string
	}{
		"Tag":           {reason: "The plain case, on loopback.", image: plain + "/team/app:1", want: plain + "/team/app:1@" + s.app},
		"MultiPlatform": {reason: "The index is what every node can use.", image: plain + "/team/multi:1", want: plain + "/team/multi:1@" + s.multi},
		"PrivateCA":     {reason: "An authority of the operator's.", image: secured + "/team/app:1", want: secured + "/team/app:1@" + s.app},
		"DigestOnly":    {reason: "It is resolved already, and nobody is asked.", image: "nowhere.invalid/a" + digest, want: "nowhere.invalid/a" + digest},
		"TagAndDigest":  {reason: "It is resolved already, and nobody is asked.", image: "a:1" + digest, want: "a:1" + digest},
		"DigestWithCredentials": {
			reason: "Nobody was asked which of them work: Auths has them.", image: "nowhere.invalid/a" + digest, secrets: [][]byte{login("nowhere.invalid", "p")},
			want: "nowhere.invalid/a" + digest,
		},
		"NoTag":        {reason: "No tag is latest, which is not there.", image: plain + "/team/app", class: swarmobj.ErrNotFound, text: `has no "` + plain + `/team/app:latest"`},
		"NoImage":      {reason: "The registry says so.", image: plain + "/team/none:1", class: swarmobj.ErrNotFound, text: "has no"},
		"NotReference": {reason: "The schema lets none through, but other callers may come.", image: "a//b", class: swarmobj.ErrRefused, text: "no reference of an image"},
		"UnusedSecret": {
			reason: "A credential that is not for it is not used and not sent on.", image: plain + "/team/app:1", secrets: [][]byte{login("other.example", "p")},
			want: plain + "/team/app:1@" + s.app,
		},
		"Basic": {reason: "User and password.", image: basic + "/team/app:1", secrets: [][]byte{login(basic, "right")}, want: basic + "/team/app:1@" + s.app, auth: "right"},
		"SecondSecret": {
			reason: "They are tried in order, and the engine gets the one that works.", image: basic + "/team/app:1",
			secrets: [][]byte{login(basic, "wrong"), login(basic, "right")}, want: basic + "/team/app:1@" + s.app, auth: "right",
		},
		"WrongPassword": {reason: "The credentials are what somebody must look at.", image: basic + "/team/app:1", secrets: [][]byte{login(basic, "wrong")}, class: swarmobj.ErrRefused, text: "refuses the credentials of the pull secrets"},
		"NoPassword":    {reason: "The missing credentials are what somebody must look at.", image: basic + "/team/app:1", class: swarmobj.ErrRefused, text: "no pull secret is for it"},
		"Bearer":        {reason: "A token server that wants a password.", image: bearer + "/team/app:1", secrets: [][]byte{login(bearer, "right")}, want: bearer + "/team/app:1@" + s.app, auth: "right"},
		"IdentityToken": {
			reason: "A login by browser leaves a refresh token.", image: bearer + "/team/app:1",
			secrets: [][]byte{pullSecret(map[string]map[string]string{bearer: {"identitytoken": "id-token"}})},
			want:    bearer + "/team/app:1@" + s.app, auth: "id-token",
		},
		"RegistryToken": {
			reason: "A token that somebody else has fetched.", image: bearer + "/team/app:1",
			secrets: [][]byte{pullSecret(map[string]map[string]string{bearer: {"registrytoken": "a-token"}})},
			want:    bearer + "/team/app:1@" + s.app, auth: "a-token",
		},
		"AnonymousToken":    {reason: "Docker Hub's way: a token for anybody.", image: public + "/team/app:1", want: public + "/team/app:1@" + s.app},
		"AnonymousLast":     {reason: "A stale credential does not keep a public image away.", image: public + "/team/app:1", secrets: [][]byte{login(public, "stale")}, want: public + "/team/app:1@" + s.app},
		"BearerRefused":     {reason: "The token server decides.", image: bearer + "/team/app:1", secrets: [][]byte{login(bearer, "wrong")}, class: swarmobj.ErrRefused, text: "refuses the credentials"},
		"NotFoundWithLogin": {reason: "Who may look and sees nothing knows that it is not there.", image: basic + "/team/none:1", secrets: [][]byte{login(basic, "right")}, class: swarmobj.ErrNotFound, text: "has no"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := c.Resolve(t.Context(), tc.image, tc.secrets)
			if tc.class != nil {
				if !errors.Is(err, tc.class) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%s\nerror is %q, want class %q with %q", tc.reason, err, tc.class, tc.text)
				}

				return
			}

			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}

			if got.Reference != tc.want {
				t.Errorf("%s\nreference is %q, want %q", tc.reason, got.Reference, tc.want)
			}

			if auth := passwordOf(t, got.Auth); auth != tc.auth {
				t.Errorf("%s\nX-Registry-Auth holds %q, want %q", tc.reason, auth, tc.auth)
			}
		})
	}
}

// passwordOf is whatever X-Registry-Auth holds that is secret.
func passwordOf(t *testing.T, header string) string {
	t.Helper()

	if header == "" {
		return ""
	}

	auth, err := dockerregistry.DecodeAuthConfig(header)
	if err != nil {
		t.Fatal(err)
	}

	return auth.Password + auth.IdentityToken + auth.RegistryToken
}

func TestNamesStayFamiliar(t *testing.T) {
	cases := map[string]string{
		"nginx":                       "nginx:latest@sha256:x",
		"nginx:1":                     "nginx:1@sha256:x",
		"docker.io/library/nginx:1":   "nginx:1@sha256:x",
		"index.docker.io/team/app:1":  "team/app:1@sha256:x",
		"team/app:1":                  "team/app:1@sha256:x",
		"registry.example:5000/app:1": "registry.example:5000/app:1@sha256:x",
	}

	for image, want := range cases {
		named, _, err := parse(image, nil)
		if err != nil {
			t.Fatal(err)
		}

		got, err := resolved(target{ref: reference.TagNameOnly(named)}, "sha256:x", nil)
		if err != nil {
			t.Fatal(err)
		}

		if got.Reference != want {
			t.Errorf("resolved(%q) = %q, want %q: status and service show images as people and Docker write them", image, got.Reference, want)
		}
	}
}

func TestCredentialsStayWithTheirRegistry(t *testing.T) {
	var seen []string

	elsewhere := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusNotFound)
	}))

	// The redirect goes to the same server by another name, so only the name keeps the password back.
	elsewhere = strings.Replace(elsewhere, "127.0.0.1", "localhost", 1)
	host := serve(t, basicAuth("right", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if opOf(r) == opPing {
			return
		}

		http.Redirect(w, r, "http://"+elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
	})))

	c := newClient(t, Config{})
	if _, err := c.Resolve(t.Context(), host+"/team/app:1", [][]byte{login(host, "right")}); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Fatalf("error is %v, want ErrNotFound", err)
	}

	password := base64.StdEncoding.EncodeToString([]byte("u:right"))
	for _, header := range seen {
		if strings.Contains(header, password) {
			t.Errorf("the password followed a redirect to another host: %q", header)
		}
	}

	if len(seen) == 0 {
		t.Error("the redirect was not followed, so the test shows nothing")
	}
}

func TestRequestsAreCounted(t *testing.T) {
	host := serve(t, newShelf(t).handler)
	reg := prometheus.NewPedanticRegistry()

	c, err := New(Config{}, "test", reg)
	if err != nil {
		t.Fatal(err)
	}

	for range 3 { // two of them from the cache
		if _, err := c.Resolve(t.Context(), host+"/team/app:1", nil); err != nil {
			t.Fatal(err)
		}
	}

	want := `
# HELP dogker_registry_requests_total Requests sent to container registries and their token servers, by operation and HTTP status; code none is no answer.
# TYPE dogker_registry_requests_total counter
dogker_registry_requests_total{code="200",op="head"} 1
dogker_registry_requests_total{code="200",op="ping"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
