//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/internal/identity"
)

// TestTokenReview: whom a token is for can ask the API about it, and learns who it is; nobody else does.
func TestTokenReview(t *testing.T) {
	s := peopleServer(t)
	s.register(t, "jane")
	s.patchUser(t, "jane", `{"spec":{"groups":["shop-team"]}}`)
	tokens := s.logIn(t, "jane", "dashboard")
	review := func(token string, audiences ...string) authenticationv1.TokenReviewStatus {
		got, err := s.client(t).AuthenticationV1().TokenReviews().Create(t.Context(), &authenticationv1.TokenReview{
			Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return got.Status
	}

	await(t, "jane is in her group", func() bool {
		return slices.Contains(review(tokens.AccessToken, "dashboard").User.Groups, "shop-team")
	})
	got := review(tokens.AccessToken, "dashboard", "another")
	if !got.Authenticated || got.User.Username != "jane" || !slices.Equal(got.Audiences, []string{"dashboard"}) {
		t.Errorf("before its audience: %+v", got)
	}
	for claim, got := range map[string]authenticationv1.TokenReviewStatus{
		"AnotherAudience": review(tokens.AccessToken, "another"),
		"TheAPI":          review(tokens.AccessToken),
		"Altered":         review(flip(tokens.AccessToken), "dashboard"),
	} {
		if got.Authenticated || got.User.Username != "" {
			t.Errorf("%s: %+v", claim, got)
		}
	}
}

// TestTokensOutliveTheServer: whoever is logged in stays so when the server is killed and comes back, and who is logged
// out does not come back with it.
func TestTokensOutliveTheServer(t *testing.T) {
	s := ownServer(t, "--registration", "open")
	s.register(t, "jane")
	kept, ended := s.logIn(t, "jane"), s.logIn(t, "jane")
	s.must(t, identity.PathLogout, "", identity.LogoutRequest{Token: ended.RefreshToken}, nil)
	s.kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if got := s.whoami(t, kept.AccessToken); got != "jane" {
		t.Errorf("after a restart the token is of %q", got)
	}
	if got := s.whoami(t, ended.AccessToken); got != "" {
		t.Errorf("after a restart the revoked token is of %q", got)
	}
	s.must(t, identity.PathRefresh, "", identity.RefreshRequest{RefreshToken: kept.RefreshToken}, nil)
}

// whoami asks the API whose token it is; empty when it is nobody's.
func (s *server) whoami(t *testing.T, token string) string {
	t.Helper()
	code, raw := s.ask(t, http.MethodPost, "/apis/authentication.k8s.io/v1/selfsubjectreviews", token,
		map[string]string{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
	if code == http.StatusUnauthorized {
		return ""
	}
	var review authenticationv1.SelfSubjectReview
	if err := json.Unmarshal(raw, &review); err != nil || code != http.StatusCreated {
		t.Fatalf("who am I: %d %s", code, raw)
	}

	return review.Status.UserInfo.Username
}

// TestTokensOnEveryServer: two servers that share a store know each other's people.
func TestTokensOnEveryServer(t *testing.T) {
	etcd := externalEtcd(t)
	first := ownServer(t, append(etcd, "--registration", "open")...)
	second, err := newServer(filepath.Join(t.TempDir(), "data"), append(etcd, "--registration", "open")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"pki", "secrets"} {
		if err := os.CopyFS(filepath.Join(second.dir, dir), os.DirFS(filepath.Join(first.dir, dir))); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.kill)

	first.register(t, "jane")
	await(t, "second knows jane", func() bool {
		code, _ := second.ask(t, http.MethodPost, identity.PathLogin, "", identity.LoginRequest{Username: "jane", Password: janesPassword})
		return code == http.StatusOK
	})
	for range 5 {
		tokens := first.logIn(t, "jane")
		if got := second.whoami(t, tokens.AccessToken); got != "jane" {
			t.Fatalf("the second server takes the token for that of %q", got)
		}
		var next identity.Tokens
		second.must(t, identity.PathRefresh, "", identity.RefreshRequest{RefreshToken: tokens.RefreshToken}, &next)
		first.must(t, identity.PathRefresh, "", identity.RefreshRequest{RefreshToken: next.RefreshToken}, &next)

		first.must(t, identity.PathLogout, "", identity.LogoutRequest{Token: next.RefreshToken}, nil)
		begin := time.Now()
		await(t, "second has heard of the log-out", func() bool { return second.whoami(t, next.AccessToken) == "" })
		if took := time.Since(begin); took > time.Second {
			t.Errorf("a revoked token was good on the other server for %s", took)
		}
	}
}

// TestRegistrationRace: of many who register with one address at once, one becomes a User.
func TestRegistrationRace(t *testing.T) {
	s := ownServer(t, "--registration", "approval")
	codes := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			code, _ := s.ask(t, http.MethodPost, identity.PathRegister, "", identity.RegisterRequest{
				Username: fmt.Sprintf("racer%d", i), Email: []string{"One@example.com", "one@example.com"}[i%2], Password: janesPassword,
			})
			mu.Lock()
			codes[code]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if codes[http.StatusOK] != 1 || codes[http.StatusConflict] != 4 {
		t.Errorf("got %v, want one 200 and four 409", codes)
	}
	if code, _ := s.ask(t, http.MethodPost, identity.PathRegister, "", identity.RegisterRequest{Username: "late", Email: "late@example.com", Password: janesPassword}); code != http.StatusTooManyRequests {
		t.Errorf("the sixth registration from one address in a row: %d", code)
	}

	for _, name := range []string{"one", "two"} {
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "identity.dogker.io/v1alpha1", "kind": "User",
			"metadata": map[string]any{"name": name}, "spec": map[string]any{"email": "admins@example.com"},
		}}
		_, err := s.dynamic(t).Resource(users).Create(t.Context(), object, metav1.CreateOptions{})
		if name == "two" && (err == nil || !strings.Contains(err.Error(), "spec.email")) {
			t.Errorf("a second User with the address: %v", err)
		}
	}
}

// TestKubectlAsAUser: dogker login makes a kubeconfig with which kubectl is who they are, over the end of tokens, and
// the audit log says so.
func TestKubectlAsAUser(t *testing.T) {
	s := peopleServer(t)
	ns := s.namespace(t)
	s.register(t, "jane")
	s.member(t, ns, "jane")
	home := t.TempDir()
	config := filepath.Join(home, "config")
	env := append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "cfg"), "KUBECONFIG="+config)
	run := func(stdin string, argv ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	login := []string{binary, "login", s.listen, "-u", "jane", "--certificate-authority", filepath.Join(s.dir, "pki", "ca.crt"), "--password-stdin", "-n", ns}
	if out, err := run("wrong "+janesPassword, login...); err == nil || !strings.Contains(out, "user name or password is wrong") {
		t.Errorf("with a wrong password: %v\n%s", err, out)
	}
	if out, err := run(janesPassword+"\n", login...); err != nil {
		t.Fatalf("login: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(config)
	if err != nil || bytes.Contains(raw, []byte("dogker"+"a_")) || bytes.Contains(raw, []byte(janesPassword)) {
		t.Errorf("the kubeconfig holds a secret, or cannot be read: %v", err)
	}

	for name, kubectl := range kubectls {
		t.Run(name, func(t *testing.T) {
			argv := append([]string{}, kubectl...)
			if argv[0] == "" {
				argv[0] = binary
			}
			k := func(args ...string) (string, error) { return run("", append(append([]string{}, argv...), args...)...) }
			out, err := k("auth", "whoami")
			if err != nil {
				t.Fatalf("whoami: %v\n%s", err, out)
			}
			contains(t, "whoami", out, "jane", "dogker:users", "system:authenticated")
			for _, tc := range []struct {
				want string
				args []string
			}{
				{"yes", []string{"create", "tenantcontainers"}},
				{"yes", []string{"create", "deploytokens/token"}},
				{"no", []string{"create", "tenantcontainers", "-n", "default"}},
				{"no", []string{"create", "rolebindings"}},
				{"no", []string{"get", "users"}},
				{"no", []string{"create", "users/password"}},
				{"yes", []string{"post", "/identity/v1/login"}},
			} {
				out, _ := k(append([]string{"auth", "can-i"}, tc.args...)...)
				if lines := strings.Split(strings.TrimSpace(out), "\n"); lines[len(lines)-1] != tc.want {
					t.Errorf("can-i %v: %s, want %s", tc.args, out, tc.want)
				}
			}
			time.Sleep(tokenLifetime)
			if out, err := k("get", "tenantcontainers"); err != nil {
				t.Errorf("after the end of the token: %v\n%s", err, out)
			}
		})
	}

	if out, err := run("", binary, "deploy-token", "ci", "--scope", "Read"); err != nil || !strings.Contains(out, "dogkerd_") {
		t.Errorf("deploy-token: %v\n%s", err, out)
	}
	if out, err := run("", binary, "deploy-token", "ci", "--scope", "Deploy"); err == nil || !strings.Contains(out, "another scope") {
		t.Errorf("a deploy token of the same name with another scope: %v\n%s", err, out)
	}
	if out, err := run("", binary, "logout"); err != nil {
		t.Errorf("logout: %v\n%s", err, out)
	}
	if out, err := run("", "kubectl", "get", "tenantcontainers"); err == nil || !strings.Contains(out, "dogker login") {
		t.Errorf("after the log-out: %v\n%s", err, out)
	}

	audit, err := os.ReadFile(filepath.Join(s.dir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "audit log", string(audit), `"username":"jane"`, `"identity.dogker.io/user":"jane"`, `"SESSION=`, `"subresource":"token"`)
}
