//go:build conformance

package conformance

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	identityv1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/internal/identity"
)

const (
	janesPassword = "seven green bottles on a wall"
	newPassword   = "six green bottles on a wall"
	// tokenLifetime is short, so that a test can wait for its end.
	tokenLifetime = 5 * time.Second
)

var users = identityv1alpha1.GroupVersion.WithResource("users")

// peopleServer is a server on which everybody may register and tokens are soon over.
func peopleServer(t *testing.T, args ...string) *server {
	t.Helper()

	return ownServer(t, append([]string{"--registration", "open", "--access-token-lifetime", tokenLifetime.String()}, args...)...)
}

// ask sends one request as the bearer of a token; empty for nobody.
func (s *server) ask(t *testing.T, method, path, token string, body any) (int, []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(s.dir, "pki", "ca.crt"))
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatal("no authority", err)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.listen+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}

	return resp.StatusCode, out
}

// must sends a request that has to succeed, and reads the answer.
func (s *server) must(t *testing.T, path, token string, body, answer any) {
	t.Helper()
	code, raw := s.ask(t, http.MethodPost, path, token, body)
	if code != http.StatusOK && code != http.StatusCreated {
		t.Fatalf("POST %s: %d %s", path, code, raw)
	}
	if answer != nil {
		if err := json.Unmarshal(raw, answer); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *server) register(t *testing.T, name string) {
	t.Helper()
	s.must(t, identity.PathRegister, "", identity.RegisterRequest{Username: name, Email: name + "@example.com", Password: janesPassword}, nil)
	await(t, name+" is ready", func() bool {
		u, err := s.dynamic(t).Resource(users).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		return len(conditions) == 1 && conditions[0].(map[string]any)["status"] == "True"
	})
}

func (s *server) logIn(t *testing.T, name string, audiences ...string) identity.Tokens {
	t.Helper()
	var tokens identity.Tokens
	s.must(t, identity.PathLogin, "", identity.LoginRequest{Username: name, Password: janesPassword, Audiences: audiences}, &tokens)

	return tokens
}

// member lets a user edit a namespace.
func (s *server) member(t *testing.T, namespace, name string) {
	t.Helper()
	_, err := s.client(t).RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) patchUser(t *testing.T, name, patch string) {
	t.Helper()
	if _, err := s.dynamic(t).Resource(users).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func containersPath(namespace string) string {
	return "/apis/dogker.io/v1alpha1/namespaces/" + namespace + "/tenantcontainers"
}

// TestTokenMatrix: every kind of bad token is refused with 401 on its own tenant, and every good one with 403 on another's.
func TestTokenMatrix(t *testing.T) {
	s := peopleServer(t)
	mine, foreign := s.namespace(t), s.namespace(t)
	for _, name := range []string{"jane", "suspended", "deleted", "changed", "ended"} {
		s.register(t, name)
		s.member(t, mine, name)
	}
	await(t, "jane may read", func() bool {
		code, _ := s.ask(t, http.MethodGet, containersPath(mine), s.logIn(t, "jane").AccessToken, nil)
		return code == http.StatusOK
	})

	expired := s.logIn(t, "jane")
	time.Sleep(tokenLifetime)
	revoked, elsewhere := s.logIn(t, "jane"), s.logIn(t, "jane", "dashboard")
	s.must(t, identity.PathLogout, "", identity.LogoutRequest{Token: revoked.AccessToken}, nil)

	suspended, deleted, changed, ended := s.logIn(t, "suspended"), s.logIn(t, "deleted"), s.logIn(t, "changed"), s.logIn(t, "ended")
	s.patchUser(t, "suspended", `{"spec":{"access":"Suspended"}}`)
	if err := s.dynamic(t).Resource(users).Delete(t.Context(), "deleted", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.must(t, identity.PathPassword, "", identity.PasswordRequest{Username: "changed", Password: janesPassword, NewPassword: newPassword}, nil)
	if err := s.client(t).RESTClient().Delete().AbsPath("/apis/identity.dogker.io/v1alpha1/users/ended/sessions").Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	void := s.deployToken(t, mine, "void", "Deploy")
	if err := s.dynamic(t).Resource(identityv1alpha1.GroupVersion.WithResource("deploytokens")).Namespace(mine).Delete(t.Context(), "void", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	deploy := s.deployToken(t, mine, "ci", "Deploy")
	// What other requests have changed reaches the memory of the server a moment later.
	time.Sleep(time.Second)

	good := s.logIn(t, "jane")
	for claim, token := range map[string]string{
		"Expired":                   expired.AccessToken,
		"Revoked":                   revoked.AccessToken,
		"WrongAudience":             elsewhere.AccessToken,
		"Altered":                   flip(good.AccessToken),
		"Cut":                       good.AccessToken[:len(good.AccessToken)-1],
		"Longer":                    good.AccessToken + "a",
		"RefreshToken":              good.RefreshToken,
		"OfASuspendedUser":          suspended.AccessToken,
		"OfADeletedUser":            deleted.AccessToken,
		"OfAnOldPassword":           changed.AccessToken,
		"OfAnEndedSession":          ended.AccessToken,
		"DeployTokenOfADeletedOne":  void,
		"DeployTokenAltered":        flip(deploy),
		"MadeUp":                    "dogkera_aaaaaaaaaaaaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"UnsignedJSONWebToken":      "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMiLCJzdWIiOiJzeXN0ZW06YWRtaW4ifQ.",
		"PasswordInsteadOfAToken":   "seven-green-bottles",
		"HashInsteadOfAToken":       "$argon2id$v=19$m=32768,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"DeployTokenAsAccessToken":  strings.Replace(deploy, "dogkerd", "dogkera", 1),
		"AccessTokenAsDeployToken":  strings.Replace(good.AccessToken, "dogkera", "dogkerd", 1),
		"SessionIDWithoutItsSecret": good.AccessToken[:strings.LastIndex(good.AccessToken, "_")+1],
	} {
		if code, body := s.ask(t, http.MethodGet, containersPath(mine), token, nil); code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s, want 401", claim, code, body)
		}
	}

	good = s.logIn(t, "jane")
	for claim, token := range map[string]string{"User": good.AccessToken, "DeployToken": deploy} {
		if code, body := s.ask(t, http.MethodGet, containersPath(mine), token, nil); code != http.StatusOK {
			t.Errorf("%s on its own tenant: %d %s", claim, code, body)
		}
		for _, path := range []string{containersPath(foreign), containersPath(foreign) + "/web", "/api/v1/namespaces/" + foreign + "/secrets", "/api/v1/secrets", "/apis/identity.dogker.io/v1alpha1/users"} {
			if code, body := s.ask(t, http.MethodGet, path, token, nil); code != http.StatusForbidden {
				t.Errorf("%s on %s: %d %s, want 403", claim, path, code, body)
			}
		}
		if code, _ := s.ask(t, http.MethodPost, "/apis/identity.dogker.io/v1alpha1/users/suspended/password", token, identity.SetPasswordRequest{Password: newPassword}); code != http.StatusForbidden {
			t.Errorf("%s sets somebody's password: %d", claim, code)
		}
	}
}

// flip changes one character in the middle of the secret.
func flip(token string) string {
	i := len(token) - 10
	other := byte('a')
	if token[i] == other {
		other = 'b'
	}

	return token[:i] + string(other) + token[i+1:]
}

func (s *server) deployToken(t *testing.T, namespace, name, scope string) string {
	t.Helper()
	path := "/apis/identity.dogker.io/v1alpha1/namespaces/" + namespace + "/deploytokens"
	body := fmt.Sprintf(`{"apiVersion":"identity.dogker.io/v1alpha1","kind":"DeployToken","metadata":{"name":%q},"spec":{"scope":%q}}`, name, scope)
	admin := s.client(t).RESTClient()
	if err := admin.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	raw, err := admin.Post().AbsPath(path, name, "token").Do(t.Context()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	var issued identity.DeployTokenResponse
	if err := json.Unmarshal(raw, &issued); err != nil {
		t.Fatal(err)
	}
	await(t, "deploy token is known", func() bool {
		code, _ := s.ask(t, http.MethodGet, containersPath(namespace), issued.Token, nil)
		return code == http.StatusOK
	})

	return issued.Token
}
