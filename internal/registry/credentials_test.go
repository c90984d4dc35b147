package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/distribution/reference"
	dockerregistry "github.com/docker/docker/api/types/registry"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// login is a pull secret with one entry whose password tells it apart.
func login(key, password string) []byte {
	return pullSecret(map[string]map[string]string{key: {"username": "u", "password": password}})
}

func pullSecret(auths map[string]map[string]string) []byte {
	data, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		panic(err)
	}

	return data
}

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		reason  string
		secrets [][]byte
		image   string
		want    []string // passwords, in the order they are tried
	}{
		"SameHost": {
			reason:  "The plain case.",
			secrets: [][]byte{login("registry.example", "a")},
			image:   "registry.example/team/app:1",
			want:    []string{"a"},
		},
		"OtherHost": {
			reason:  "A credential never goes to a registry it is not for.",
			secrets: [][]byte{login("registry.example", "a")},
			image:   "registry.example.evil.test/team/app:1",
		},
		"PortMustBeEqual": {
			reason:  "Another port is another registry.",
			secrets: [][]byte{login("registry.example:5000", "a"), login("registry.example", "b")},
			image:   "registry.example:5001/app",
		},
		"SchemeAndVersionMeanNothing": {
			reason:  "docker login writes keys as URLs.",
			secrets: [][]byte{login("https://registry.example/v2/", "a")},
			image:   "registry.example/app",
			want:    []string{"a"},
		},
		"DockerHubByAnyName": {
			reason:  "docker login writes index.docker.io/v1/, people write docker.io, references write neither.",
			secrets: [][]byte{login("https://index.docker.io/v1/", "a"), login("docker.io", "b"), login("registry-1.docker.io", "c")},
			image:   "nginx",
			want:    []string{"a", "b", "c"},
		},
		"LongestPathFirst": {
			reason: "Within a secret the most specific entry is the one that is meant.",
			secrets: [][]byte{pullSecret(map[string]map[string]string{
				"registry.example":          {"username": "u", "password": "host"},
				"registry.example/team/app": {"username": "u", "password": "repo"},
				"registry.example/team":     {"username": "u", "password": "team"},
			})},
			image: "registry.example/team/app",
			want:  []string{"repo", "team", "host"},
		},
		"PathEndsAtSlash": {
			reason:  "A credential for team is not one for teams.",
			secrets: [][]byte{login("registry.example/team", "a")},
			image:   "registry.example/teams/app",
		},
		"WildcardIsOneLabel": {
			reason:  "As in Kubernetes: the number of labels must be the same.",
			secrets: [][]byte{login("*.registry.example", "a")},
			image:   "eu.registry.example/app",
			want:    []string{"a"},
		},
		"WildcardIsNotSeveralLabels": {
			reason:  "As in Kubernetes: the number of labels must be the same.",
			secrets: [][]byte{login("*.example", "a")},
			image:   "eu.registry.example/app",
		},
		"PlainHostBeforeWildcard": {
			reason: "The name itself is more specific than a pattern.",
			secrets: [][]byte{pullSecret(map[string]map[string]string{
				"*.registry.example":  {"username": "u", "password": "wild"},
				"eu.registry.example": {"username": "u", "password": "plain"},
			})},
			image: "eu.registry.example/app",
			want:  []string{"plain", "wild"},
		},
		"SecretsKeepTheirOrder": {
			reason:  "imagePullSecrets is an ordered list.",
			secrets: [][]byte{login("registry.example", "first"), login("registry.example/app", "second")},
			image:   "registry.example/app",
			want:    []string{"first", "second"},
		},
		"AuthWinsAndMayBeUnpadded": {
			reason: "kubectl writes auth, and it is what Kubernetes obeys when both are there.",
			secrets: [][]byte{pullSecret(map[string]map[string]string{
				"registry.example": {
					"username": "x", "password": "y",
					"auth": base64.RawStdEncoding.EncodeToString([]byte("u:from:auth\n")),
				},
			})},
			image: "registry.example/app",
			want:  []string{"from:auth"},
		},
		"EmptyEntryIsNone": {
			reason:  "Docker writes an empty entry when a credential store holds the password.",
			secrets: [][]byte{pullSecret(map[string]map[string]string{"registry.example": {}})},
			image:   "registry.example/app",
		},
		"IPv6": {
			reason:  "An address in brackets is a host like any other.",
			secrets: [][]byte{login("[::1]:5000", "a")},
			image:   "[::1]:5000/app",
			want:    []string{"a"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			named, err := reference.ParseNormalizedNamed(tc.image)
			if err != nil {
				t.Fatal(err)
			}

			creds, err := match(tc.secrets, named)
			if err != nil {
				t.Fatalf("%s\nmatch: %v", tc.reason, err)
			}

			var got []string
			for _, c := range creds {
				got = append(got, c.auth.Password)
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\npasswords in order (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMalformedPullSecretIsRefusedWithoutItsContent(t *testing.T) {
	cases := map[string]struct{ reason, secret string }{
		"NoJSON":  {"A Secret made from the wrong file.", `hunter2`},
		"BadAuth": {"The value was encoded twice, or not at all.", `{"auths":{"registry.example":{"auth":"hunter2!"}}}`},
		"NoColon": {"Base64 of something that is no login.", `{"auths":{"registry.example":{"auth":"aHVudGVyMg=="}}}`},
		"BadType": {"Numbers are not passwords.", `{"auths":{"registry.example":{"password":42424242}}}`},
	}

	c := newClient(t, Config{})

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := c.Auths("registry.example/app", [][]byte{[]byte(tc.secret)})
			if !errors.Is(err, swarmobj.ErrRefused) {
				t.Errorf("%s\nerror is %v, want ErrRefused", tc.reason, err)
			}

			for _, leaked := range []string{"hunter2", "aHVudGVyMg", "42424242"} {
				if strings.Contains(err.Error(), leaked) {
					t.Errorf("error repeats what the secret holds: %v", err)
				}
			}
		})
	}
}

func TestAuthsAreWhatEnginesRead(t *testing.T) {
	cases := map[string]struct {
		reason string
		image  string
		secret []byte
		want   *dockerregistry.AuthConfig
	}{
		"Password": {
			reason: "The plain case.",
			image:  "registry.example:5000/app:1",
			secret: login("registry.example:5000", "p"),
			want:   &dockerregistry.AuthConfig{Username: "u", Password: "p", ServerAddress: "registry.example:5000"},
		},
		"DockerHubsServerAddress": {
			reason: "Engines know Docker Hub by its old name.",
			image:  "nginx",
			secret: login("docker.io", "p"),
			want:   &dockerregistry.AuthConfig{Username: "u", Password: "p", ServerAddress: "https://index.docker.io/v1/"},
		},
		"IdentityToken": {
			reason: "A login by browser leaves a token in place of a password.",
			image:  "registry.example/app",
			secret: pullSecret(map[string]map[string]string{"registry.example": {"identitytoken": "t"}}),
			want:   &dockerregistry.AuthConfig{IdentityToken: "t", ServerAddress: "registry.example"},
		},
		"ByDigest": {
			reason: "A pinned image is pulled with credentials like any other.",
			image:  "registry.example/app@sha256:" + strings.Repeat("a", 64),
			secret: login("registry.example", "p"),
			want:   &dockerregistry.AuthConfig{Username: "u", Password: "p", ServerAddress: "registry.example"},
		},
		"NoneForThisRegistry": {
			reason: "An engine is told nothing rather than something useless.",
			image:  "other.example/app",
			secret: login("registry.example", "p"),
		},
	}

	c := newClient(t, Config{})

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			headers, err := c.Auths(tc.image, [][]byte{tc.secret})
			if err != nil {
				t.Fatal(err)
			}

			var got *dockerregistry.AuthConfig
			for _, header := range headers {
				if got, err = dockerregistry.DecodeAuthConfig(header); err != nil {
					t.Fatal(err)
				}
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzPullSecret holds that no pull secret makes the client panic, send an empty credential, or send one to a host whose
// number of labels or port differs from the key's.
func FuzzPullSecret(f *testing.F) {
	f.Add(login("registry.example:5000/team", "p"), "registry.example:5000/team/app:1")
	f.Add(login("*.registry.example", "p"), "eu.registry.example/app")
	f.Add([]byte(`{"auths":{"[::1":{"auth":"dTpw"}}}`), "[::1]:5000/app")

	f.Fuzz(func(t *testing.T, secret []byte, image string) {
		named, creds, err := parse(image, [][]byte{secret})
		if err != nil {
			return
		}

		wantName, wantPort := splitPort(canonicalHost(reference.Domain(named)))

		for _, c := range creds {
			name, port := splitPort(c.host)
			if port != wantPort || strings.Count(name, ".") != strings.Count(wantName, ".") {
				t.Errorf("credential for %q matches %q", c.key, image)
			}

			if c.auth.Username+c.auth.Password+c.auth.IdentityToken+c.auth.RegistryToken == "" {
				t.Errorf("empty credential for %q", c.key)
			}
		}
	})
}
