package registry

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
	dockerregistry "github.com/docker/docker/api/types/registry"
	"github.com/google/go-containerregistry/pkg/authn"
)

// credential is one entry of a pull secret.
type credential struct {
	// key as the secret has it; host may hold wildcards, path is a prefix of repositories or empty.
	key, host, path string
	auth            dockerregistry.AuthConfig
}

// dockerConfig is the part of .dockerconfigjson that holds credentials. Helpers and stores are programs of the machine
// it was written on, so they mean nothing here.
type dockerConfig struct {
	Auths map[string]struct {
		Auth          string `json:"auth"`
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	} `json:"auths"`
}

// match returns the credentials of the pull secrets that are for the repository: secrets in their order, within one
// secret the most specific entry first, as Kubernetes does it. No error repeats what a secret holds.
func match(pullSecrets [][]byte, repo reference.Named) ([]credential, error) {
	var all []credential

	for i, data := range pullSecrets {
		entries, err := parsePullSecret(data)
		if err != nil {
			return nil, refused("pull secret %d of %d %v", i+1, len(pullSecrets), err)
		}

		for _, c := range entries {
			if c.matches(reference.Domain(repo), reference.Path(repo)) {
				c.auth.ServerAddress = serverAddress(reference.Domain(repo))
				all = append(all, c)
			}
		}
	}

	return all, nil
}

// parsePullSecret returns the entries that hold anything, most specific first.
func parsePullSecret(data []byte) ([]credential, error) {
	var cfg dockerConfig
	if err := json.Unmarshal(data, &cfg); err != nil {
		return nil, errors.New("is not valid JSON of the form .dockerconfigjson")
	}

	var entries []credential
	for key, e := range cfg.Auths {
		auth := dockerregistry.AuthConfig{
			Username: e.Username, Password: e.Password, IdentityToken: e.IdentityToken, RegistryToken: e.RegistryToken,
		}

		if e.Auth != "" {
			user, password, ok := decodeAuth(e.Auth)
			if !ok {
				return nil, fmt.Errorf("has an auth for %q that is not base64 of user:password", key)
			}

			auth.Username, auth.Password = user, password
		}

		if auth == (dockerregistry.AuthConfig{}) {
			continue
		}

		host, prefix := splitKey(key)
		entries = append(entries, credential{key: key, host: host, path: prefix, auth: auth})
	}

	slices.SortFunc(entries, moreSpecific)

	return entries, nil
}

// moreSpecific orders plain hosts before wildcards and long paths before short ones; the key makes it total.
func moreSpecific(a, b credential) int {
	wild := func(c credential) int { return strings.Count(c.host, "*") + strings.Count(c.host, "?") }

	return cmp.Or(
		cmp.Compare(wild(a), wild(b)),
		cmp.Compare(len(b.path), len(a.path)),
		cmp.Compare(a.key, b.key),
	)
}

// decodeAuth reads base64 of user:password, padded or not.
func decodeAuth(s string) (user, password string, ok bool) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(s), "="))
	if err != nil {
		return "", "", false
	}

	user, password, ok = strings.Cut(string(raw), ":")

	return user, strings.TrimRight(password, "\x00\r\n"), ok
}

// splitKey takes a key of auths apart: scheme and the version of the API in the path are old habits without meaning.
func splitKey(key string) (host, prefix string) {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, prefix, _ = strings.Cut(key, "/")
	prefix = strings.Trim(prefix, "/")

	for _, version := range []string{"v1", "v2"} {
		if prefix == version || strings.HasPrefix(prefix, version+"/") {
			prefix = strings.Trim(strings.TrimPrefix(prefix, version), "/")
			break
		}
	}

	return canonicalHost(host), prefix
}

// matches is Kubernetes' rule: the port must be the same, each label of the host may be a glob but stands for one label
// only, and the path is a prefix. Here, unlike there, the prefix ends at a slash, so that a credential for team is not
// sent for teams.
func (c credential) matches(domain, repository string) bool {
	want, wantPort := splitPort(c.host)
	have, havePort := splitPort(canonicalHost(domain))

	wantLabels, haveLabels := strings.Split(want, "."), strings.Split(have, ".")
	if wantPort != havePort || len(wantLabels) != len(haveLabels) {
		return false
	}

	for i, label := range wantLabels {
		if ok, err := path.Match(label, haveLabels[i]); label != haveLabels[i] && (!ok || err != nil) {
			return false
		}
	}

	return c.path == "" || repository == c.path || strings.HasPrefix(repository, c.path+"/")
}

func splitPort(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return host, ""
	}

	return name, port
}

// serverAddress is what Docker's own client sends along.
func serverAddress(domain string) string {
	if canonicalHost(domain) == dockerHub {
		return "https://index.docker.io/v1/"
	}

	return domain
}

// header is the credential as engines want it in X-Registry-Auth.
func (c credential) header() (string, error) {
	header, err := dockerregistry.EncodeAuthConfig(c.auth)
	if err != nil {
		return "", fmt.Errorf("encode credentials: %w", err)
	}

	return header, nil
}

// authenticator is the credential as the registry protocol uses it.
func (c credential) authenticator() authn.Authenticator {
	return authn.FromConfig(authn.AuthConfig{
		Username:      c.auth.Username,
		Password:      c.auth.Password,
		IdentityToken: c.auth.IdentityToken,
		RegistryToken: c.auth.RegistryToken,
	})
}

// fingerprint tells credentials apart without keeping them.
func (c credential) fingerprint() string {
	h := sha256.New()
	for _, s := range []string{c.auth.Username, c.auth.Password, c.auth.IdentityToken, c.auth.RegistryToken} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}

	return hex.EncodeToString(h.Sum(nil))
}
