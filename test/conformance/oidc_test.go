//go:build conformance

package conformance

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issuer is an OIDC issuer that says whatever a test wants.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys",
			"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		enc := base64.RawURLEncoding.EncodeToString
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "first",
			"n": enc(key.N.Bytes()), "e": enc(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	i.Server = httptest.NewTLSServer(mux)
	t.Cleanup(i.Close)

	return i
}

// config is an AuthenticationConfiguration that trusts the issuer.
func (i *issuer) config(t *testing.T, prefix string) string {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
	text := fmt.Sprintf(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: %s
    audiences: [dogker]
    certificateAuthority: |
      %s
  claimMappings:
    username: {claim: sub, prefix: %q}
    groups: {claim: groups, prefix: %q}
`, i.URL, strings.ReplaceAll(strings.TrimSpace(string(ca)), "\n", "\n      "), prefix, prefix)
	path := filepath.Join(t.TempDir(), "oidc.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

// token is a signed token of the issuer.
func (i *issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.URL, "aud": "dogker", "sub": "jane", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for k, v := range claims {
		all[k] = v
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	signed := enc([]byte(`{"alg":"RS256","kid":"first","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}

	return signed + "." + enc(signature)
}

// TestOIDC: people for whom another issuer vouches are let in beside local users, under names that are theirs alone.
func TestOIDC(t *testing.T) {
	i := newIssuer(t)
	s := ownServer(t, "--authentication-config", i.config(t, "oidc:"), "--registration", "open")
	s.register(t, "jane")
	stranger := newIssuer(t)
	await(t, "issuer is known", func() bool { return s.whoami(t, i.token(t, nil)) != "" })

	for claim, tc := range map[string]struct {
		token string
		want  string
	}{
		"Good":           {i.token(t, nil), "oidc:jane"},
		"Expired":        {i.token(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), ""},
		"WrongAudience":  {i.token(t, map[string]any{"aud": "another"}), ""},
		"WrongIssuer":    {i.token(t, map[string]any{"iss": "https://another.example"}), ""},
		"Stranger":       {stranger.token(t, map[string]any{"iss": i.URL}), ""},
		"Altered":        {i.token(t, nil) + "x", ""},
		"LocalUserStill": {s.logIn(t, "jane").AccessToken, "jane"},
	} {
		if got := s.whoami(t, tc.token); got != tc.want {
			t.Errorf("%s: it is %q, want %q", claim, got, tc.want)
		}
	}

	ns := s.namespace(t)
	s.member(t, ns, "jane")
	if code, _ := s.ask(t, http.MethodGet, containersPath(ns), i.token(t, nil), nil); code != http.StatusForbidden {
		t.Errorf("the issuer's jane has the rights of the local one: %d", code)
	}
}

// TestOIDCWithoutAPrefix: an issuer whose names have no prefix cannot make anybody a local user, or the cluster itself.
func TestOIDCWithoutAPrefix(t *testing.T) {
	i := newIssuer(t)
	s := ownServer(t, "--authentication-config", i.config(t, ""))
	await(t, "issuer is known", func() bool { return s.whoami(t, i.token(t, map[string]any{"sub": "jane@example.com"})) != "" })

	for claim, tc := range map[string]map[string]any{
		"NameOfAUser":     {"sub": "jane"},
		"ReservedName":    {"sub": "system:apiserver"},
		"DeployToken":     {"sub": "dogker:deploy-token:default:ci"},
		"ReservedGroup":   {"sub": "jane@example.com", "groups": []string{"system:masters"}},
		"DeployTokens":    {"sub": "jane@example.com", "groups": []string{"dogker:deploy-tokens"}},
		"ServiceAccount":  {"sub": "system:serviceaccount:default:default"},
		"AdminByItsNames": {"sub": "dogker:admin"},
	} {
		if got := s.whoami(t, i.token(t, tc)); got != "" {
			t.Errorf("%s: it is %q", claim, got)
		}
	}
}

// TestBadAuthenticationConfig: a server says what is wrong with the file before it serves.
func TestBadAuthenticationConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(path, []byte("apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: [{issuer: {url: 'http://plain.example'}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(filepath.Join(t.TempDir(), "data"), "--authentication-config", path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.command().CombinedOutput()
	if err == nil || !strings.Contains(string(out), "jwt[0].issuer.url") {
		t.Errorf("it ended with %v and said\n%s", err, out)
	}
}
