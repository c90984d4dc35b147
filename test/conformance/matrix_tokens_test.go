//go:build conformance

package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestMatrixServiceAccountTokens: a token of a service account is good when this server has signed it, for itself, for an
// account that there is, and not too long ago. With every other one its bearer is nobody. A good one is good for nothing
// beyond the own tenant.
func TestMatrixServiceAccountTokens(t *testing.T) {
	s := ownServer(t)
	mine, foreign := s.namespace(t), s.namespace(t)
	client := s.client(t)
	account, err := client.CoreV1().ServiceAccounts(mine).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "ci"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.member(t, mine, "system:serviceaccount:"+mine+":ci")

	ask := func(r authenticationv1.TokenRequestSpec) string {
		issued, err := client.CoreV1().ServiceAccounts(mine).CreateToken(t.Context(), "ci", &authenticationv1.TokenRequest{Spec: r}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return issued.Status.Token
	}
	holder, err := client.CoreV1().Secrets(mine).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "holder"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound := ask(authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: "holder", UID: holder.UID}})
	if err := client.CoreV1().Secrets(mine).Delete(t.Context(), "holder", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	good := ask(authenticationv1.TokenRequestSpec{})
	get := func(token, path string) int {
		code, _ := s.ask(t, http.MethodGet, path, token, nil)
		return code
	}
	await(t, "the account may read", func() bool { return get(good, containersPath(mine)) == http.StatusOK })
	await(t, "the token of what is gone is void", func() bool { return get(bound, containersPath(mine)) == http.StatusUnauthorized })

	key := tokenKey(t, s)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(changes map[string]any) map[string]any {
		now := time.Now()
		all := map[string]any{
			"iss": "https://kubernetes.default.svc", "aud": []string{"https://kubernetes.default.svc"}, "sub": "system:serviceaccount:" + mine + ":ci",
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
			"kubernetes.io": map[string]any{"namespace": mine, "serviceaccount": map[string]any{"name": "ci", "uid": string(account.UID)}},
		}
		maps.Copy(all, changes)
		return all
	}
	of := func(namespace, name, uid string) map[string]any {
		return map[string]any{
			"sub":           "system:serviceaccount:" + namespace + ":" + name,
			"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]any{"name": name, "uid": uid}},
		}
	}
	hour := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Hour).Unix() }
	for _, token := range []string{good, signed(t, key, claims(nil))} {
		if code := get(token, containersPath(mine)); code != http.StatusOK {
			t.Fatalf("a good token gets %d, so that the bad ones would be no test", code)
		}
		for _, path := range []string{containersPath(foreign), containersPath(foreign) + "/web", "/api/v1/namespaces/" + foreign + "/secrets", "/api/v1/secrets", "/apis/dogker.io/v1alpha1/tenants"} {
			if code := get(token, path); code != http.StatusForbidden {
				t.Errorf("a good token gets %d from %s, want 403", code, path)
			}
		}
	}

	header, payload, signature := parts(good)
	for claim, token := range map[string]string{
		"Expired":            signed(t, key, claims(map[string]any{"iat": hour(-2), "nbf": hour(-2), "exp": hour(-1)})),
		"NotYetGood":         signed(t, key, claims(map[string]any{"nbf": hour(1)})),
		"WithoutEnd":         signed(t, key, claims(map[string]any{"exp": 0})),
		"WrongAudience":      ask(authenticationv1.TokenRequestSpec{Audiences: []string{"another"}}),
		"WrongIssuer":        signed(t, key, claims(map[string]any{"iss": "https://another.example"})),
		"OtherKey":           signed(t, stranger, claims(nil)),
		"OtherAccount":       signed(t, stranger, claims(of(foreign, "default", string(account.UID)))),
		"UnknownAccount":     signed(t, key, claims(of(mine, "nobody", string(account.UID)))),
		"AccountOfOldUID":    signed(t, key, claims(of(mine, "ci", "00000000-0000-0000-0000-000000000000"))),
		"Admin":              signed(t, stranger, claims(map[string]any{"sub": "dogker:admin", "groups": []string{"system:masters"}})),
		"AlteredPayload":     header + "." + encoded(t, claims(of(foreign, "default", string(account.UID)))) + "." + signature,
		"AlteredSignature":   header + "." + payload + "." + flip(signature),
		"NoSignature":        header + "." + payload + ".",
		"CutSignature":       header + "." + payload + "." + signature[:len(signature)-4],
		"AlgNone":            encoded(t, map[string]any{"alg": "none", "typ": "JWT"}) + "." + payload + ".",
		"AlgNoneInCapitals":  encoded(t, map[string]any{"alg": "NONE"}) + "." + payload + "." + signature,
		"AlgOfASharedSecret": sharedSecret(t, key, payload),
		"OwnKeyInTheHeader":  keyInHeader(t, stranger, claims(nil)),
		"BoundToWhatIsGone":  bound,
		"OldFormOfASecret":   signed(t, key, map[string]any{"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:" + mine + ":ci", "kubernetes.io/serviceaccount/namespace": mine, "kubernetes.io/serviceaccount/service-account.name": "ci", "kubernetes.io/serviceaccount/service-account.uid": string(account.UID), "kubernetes.io/serviceaccount/secret.name": "nothing"}),
	} {
		if code := get(token, containersPath(mine)); code != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", claim, code)
		}
	}

	if err := client.CoreV1().ServiceAccounts(mine).Delete(t.Context(), "ci", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "tokens of a deleted account are void", func() bool { return get(good, containersPath(mine)) == http.StatusUnauthorized })
}

// tokenKey is the key with which the server signs tokens. Nobody but the server can read it.
func tokenKey(t *testing.T, s *server) *ecdsa.PrivateKey {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "pki", "service-account.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}

	return key
}

// signed is a JSON web token.
func signed(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()

	return sign(t, key, encoded(t, map[string]any{"alg": "ES256", "typ": "JWT"})+"."+encoded(t, claims))
}

func sign(t *testing.T, key *ecdsa.PrivateKey, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])

	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return base64.RawURLEncoding.EncodeToString(raw)
}

func parts(token string) (header, payload, signature string) {
	p := strings.Split(token, ".")

	return p[0], p[1], p[2]
}

// sharedSecret takes the public key for a secret that both know, which some verifiers have believed.
func sharedSecret(t *testing.T, key *ecdsa.PrivateKey, payload string) string {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := encoded(t, map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + payload
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	mac.Write([]byte(text))

	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// keyInHeader brings its own key along, which some verifiers have used.
func keyInHeader(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk := map[string]string{"kty": "EC", "crv": "P-256", "x": enc(point[1:33]), "y": enc(point[33:])}

	return sign(t, key, encoded(t, map[string]any{"alg": "ES256", "jwk": jwk, "jku": "https://127.0.0.1/keys", "kid": "../../pki/service-account.key"})+"."+encoded(t, claims))
}

// tokenSecrets: a Secret that Kubernetes fills with a token of a service account is as good as that token, so that who may
// not have the one cannot make the other.
func (b *border) tokenSecrets(t *testing.T) {
	people := map[string]*person{}
	for _, p := range b.people {
		if p.at == b.near {
			people[p.name] = p
		}
	}
	secret := func(name, account string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/service-account-token","metadata":{"name":%q,"annotations":{"kubernetes.io/service-account.name":%q}}}`, name, account)
	}
	secrets := "/api/v1/namespaces/" + b.near.name + "/secrets"
	try := func(who, method, target, body string) int {
		code, answer := b.as(t, people[who], request{method: method, target: target, body: body})
		if code == http.StatusForbidden && !strings.Contains(answer, "serviceaccounts/token") {
			t.Errorf("the refusal does not say what is missing: %s", answer)
		}
		return code
	}

	for _, who := range []string{"developer-of-border", "mate-of-border", "robot"} {
		if code := try(who, http.MethodPost, secrets, secret("stolen", "robot")); code != http.StatusForbidden {
			t.Errorf("%s makes a Secret with a token: %d, want 403", who, code)
		}
	}
	if code := try("owner-of-border", http.MethodPost, secrets, secret("token", "web")); code != http.StatusCreated {
		t.Fatalf("an owner makes a Secret with a token: %d, want 201", code)
	}
	await(t, "the Secret is filled", func() bool {
		_, body := b.as(t, people["owner-of-border"], request{target: secrets + "/token"})
		return strings.Contains(body, `"token":`)
	})
	if code := try("developer-of-border", http.MethodPatch, secrets+"/token", `{"metadata":{"labels":{"app":"ci"}}}`); code != http.StatusOK {
		t.Errorf("a developer labels it: %d, want 200", code)
	}
	turned := `{"metadata":{"annotations":{"kubernetes.io/service-account.name":"robot","kubernetes.io/service-account.uid":null}},"data":{"token":null}}`
	if code := try("developer-of-border", http.MethodPatch, secrets+"/token", turned); code != http.StatusForbidden {
		t.Errorf("a developer turns it into one of another account: %d, want 403", code)
	}
}
