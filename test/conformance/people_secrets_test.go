//go:build conformance

package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/client-go/discovery"

	"github.com/dogker/dogker/internal/identity"
)

// canary is in clear where things are stored in clear; the search has to find it.
const canary = "a-plain-canary-sings"

// TestNothingSecretIsSeen looks for passwords, tokens, their hashes and the content of a Secret in every object that can be
// read, in metrics, in the log, in the audit log, in every value of etcd and in every file.
func TestNothingSecretIsSeen(t *testing.T) {
	s := ownServer(t, "--registration", "approval", "--log-level", "debug")
	ns := s.namespace(t)
	secrets := map[string]string{"password": janesPassword, "new password": newPassword, "wrong password": "eight green bottles on a wall", "Secret": "a quiet mouse in a secret"}
	fillWithSecrets(t, s, ns, secrets)
	hashes := storedHashes(t, s)
	for name, hash := range hashes {
		secrets[name] = hash
	}
	if len(hashes) < 5 {
		t.Fatalf("only %d hashes are stored: %v", len(hashes), hashes)
	}

	texts := readEverything(t, s)
	s.terminate(t)
	texts["log"] = s.logs.String()
	for where, text := range texts {
		for what, secret := range secrets {
			// An administrator who reads a Secret reads what is in it.
			if what == "Secret" && where == "/api/v1/secrets" {
				continue
			}
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
				if strings.Contains(text, form) {
					t.Errorf("%s is seen in %s", what, where)
				}
			}
		}
	}
	for what, secret := range secrets {
		if found := filesWith(t, s.dir, secret); len(found) > 0 {
			t.Errorf("%s lies in plain text in %v", what, found)
		}
	}
	if len(filesWith(t, s.dir, canary)) == 0 {
		t.Error("the search of files does not find what is stored in plain text")
	}
}

// fillWithSecrets does everything that has to do with something secret, and notes what is.
func fillWithSecrets(t *testing.T, s *server, ns string, secrets map[string]string) {
	t.Helper()
	_, err := s.client(t).CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "mouse"}, StringData: map[string]string{"mouse": secrets["Secret"]},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client(t).CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "canary"}, Data: map[string]string{"canary": canary},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	s.must(t, identity.PathRegister, "", identity.RegisterRequest{Username: "jane", Email: "jane@example.com", Password: janesPassword}, nil)
	// Before the approval: a refusal for somebody with the right password.
	s.ask(t, http.MethodPost, identity.PathLogin, "", identity.LoginRequest{Username: "jane", Password: janesPassword})
	s.patchUser(t, "jane", `{"spec":{"access":"Granted"}}`)
	for _, body := range []any{
		identity.LoginRequest{Username: "jane", Password: secrets["wrong password"]},
		// People type a password where the name belongs.
		identity.LoginRequest{Username: janesPassword, Password: "jane"},
		map[string]string{"username": "jane", "pasword": janesPassword},
		identity.PasswordRequest{Username: "jane", Password: secrets["wrong password"], NewPassword: newPassword},
	} {
		s.ask(t, http.MethodPost, identity.PathLogin, "", body)
		s.ask(t, http.MethodPost, identity.PathPassword, "", body)
	}
	await(t, "jane is let in", func() bool {
		code, _ := s.ask(t, http.MethodPost, identity.PathLogin, "", identity.LoginRequest{Username: "jane", Password: janesPassword})
		return code == http.StatusOK
	})

	tokens := s.logIn(t, "jane")
	s.must(t, identity.PathRefresh, "", identity.RefreshRequest{RefreshToken: tokens.RefreshToken}, &tokens)
	secrets["access token"], secrets["refresh token"] = secretOf(tokens.AccessToken), secretOf(tokens.RefreshToken)
	s.ask(t, http.MethodGet, containersPath(ns), tokens.AccessToken, nil)
	s.ask(t, http.MethodGet, containersPath(ns), tokens.RefreshToken, nil)
	s.ask(t, http.MethodGet, containersPath(ns), flip(tokens.AccessToken), nil)
	secrets["deploy token"] = secretOf(s.deployToken(t, ns, "ci", "Deploy"))

	// Somebody whose password an administrator sets.
	if err := s.client(t).RESTClient().Post().AbsPath("/apis/identity.dogker.io/v1alpha1/users").SetHeader("Content-Type", "application/json").
		Body([]byte(`{"apiVersion":"identity.dogker.io/v1alpha1","kind":"User","metadata":{"name":"john"},"spec":{"displayName":"` + canary + `"}}`)).
		Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := s.client(t).RESTClient().Post().AbsPath("/apis/identity.dogker.io/v1alpha1/users/john/password").SetHeader("Content-Type", "application/json").
		Body([]byte(`{"password":"` + newPassword + `"}`)).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
}

// secretOf is the secret part of a token; the rest of it is a name.
func secretOf(token string) string { return token[strings.LastIndex(token, "_")+1:] }

// etcdOf is a client of the server's own store.
func etcdOf(t *testing.T, s *server) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + filepath.Join(s.dir, "etcd", "client.sock")}, DialTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })

	return client
}

// storedHashes opens the records with the key of the data directory, as nobody but the server can, and takes every hash.
func storedHashes(t *testing.T, s *server) map[string]string {
	t.Helper()
	config, err := encryptionconfig.LoadEncryptionConfig(t.Context(), filepath.Join(s.dir, "secrets", "encryption.yaml"), false, "")
	if err != nil {
		t.Fatal(err)
	}
	kv := identity.NewEtcd(etcdOf(t, s), config.Transformers[schema.GroupResource{Resource: "secrets"}], slog.New(slog.DiscardHandler))
	entries, _, err := kv.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	hashes := map[string]string{}
	var collect func(path string, value any)
	collect = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for k, child := range v {
				collect(path+"."+k, child)
			}
		case []any:
			for i, child := range v {
				collect(fmt.Sprintf("%s[%d]", path, i), child)
			}
		case string:
			name := strings.ToLower(path[strings.LastIndex(path, ".")+1:])
			if slices.Contains([]string{"hash", "family", "refresh", "previous"}, name) && v != "" {
				hashes["hash "+path] = v
			}
		}
	}
	for _, e := range entries {
		var value any
		if err := json.Unmarshal(e.Value, &value); err != nil {
			t.Fatal(err)
		}
		collect(e.Key, value)
	}

	return hashes
}

// readEverything is every text that anybody can get at, by where it is.
func readEverything(t *testing.T, s *server) map[string]string {
	t.Helper()
	texts := map[string]string{}
	admin := s.client(t)
	_, lists, err := discovery.NewDiscoveryClientForConfigOrDie(s.config(t)).ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/metrics", "/openapi/v2", "/version", "/readyz?verbose", "/configz", "/debug/pprof/goroutine?debug=2", "/debug/flags/v"}
	for _, list := range lists {
		root := "/apis/" + list.GroupVersion
		if list.GroupVersion == "v1" {
			root = "/api/v1"
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") {
				paths = append(paths, root+"/"+r.Name)
			}
		}
	}
	if len(paths) < 25 {
		t.Fatalf("only %d paths are known: %v", len(paths), paths)
	}
	for _, path := range paths {
		raw, _ := admin.RESTClient().Get().RequestURI(path).DoRaw(t.Context())
		texts[path] = string(raw)
	}
	if !strings.Contains(texts["/apis/identity.dogker.io/v1alpha1/users"], canary) || !strings.Contains(texts["/api/v1/configmaps"], canary) {
		t.Error("the search of objects does not find what is in plain text")
	}
	for _, sub := range []string{"users/jane/password", "users/jane/sessions"} {
		raw, _ := admin.RESTClient().Get().AbsPath("/apis/identity.dogker.io/v1alpha1/" + sub).DoRaw(t.Context())
		texts[sub] = string(raw)
	}

	audit, err := os.ReadFile(filepath.Join(s.dir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	texts["audit log"] = string(audit)
	values, err := etcdOf(t, s).Get(context.Background(), "\x00", clientv3.WithFromKey())
	if err != nil || len(values.Kvs) < 100 {
		t.Fatalf("%d values in etcd, %v", len(values.Kvs), err)
	}
	records := 0
	for _, kv := range values.Kvs {
		if strings.HasPrefix(string(kv.Key), "/dogker/identity/") {
			records++
		}
		texts["etcd value "+string(kv.Key)] = string(kv.Value)
	}
	if records < 4 {
		t.Errorf("only %d records of identity are in etcd", records)
	}

	return texts
}
