package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()

	cases := map[string]struct {
		reason, file string
		want         Config
		refusal      string // part of the error
	}{
		"Complete": {
			reason: "Both things that can be said about a registry; a relative caFile is beside the file.",
			file: `
registries:
- host: registry.lan:5000
  plainHTTP: true
- host: registry.corp.example
  caFile: corp.pem
- host: other.example
  caFile: /etc/other.pem
`,
			want: Config{Registries: []Host{
				{Host: "registry.lan:5000", PlainHTTP: true},
				{Host: "registry.corp.example", CAFile: filepath.Join(dir, "corp.pem")},
				{Host: "other.example", CAFile: "/etc/other.pem"},
			}},
		},
		"Empty": {reason: "Nothing to say is a good thing to say."},
		"Unverified": {
			reason:  "An unverified certificate is no certificate: it is not on offer.",
			file:    "registries: [{host: registry.lan, insecureSkipVerify: true}]",
			refusal: `unknown field "insecureSkipVerify"`,
		},
		"NoHost":     {reason: "It would mean every registry.", file: "registries: [{plainHTTP: true}]", refusal: "registries[0].host: must be set"},
		"URL":        {reason: "References hold hosts.", file: "registries: [{host: 'https://r.lan'}]", refusal: `registries[0].host: "https://r.lan"`},
		"Wildcard":   {reason: "Trust is named, not matched.", file: "registries: [{host: '*.lan'}]", refusal: `registries[0].host: "*.lan"`},
		"Twice":      {reason: "Which one would it be?", file: "registries: [{host: r.lan}, {host: R.lan, plainHTTP: true}]", refusal: `registries[1].host: "R.lan" is named twice`},
		"Both":       {reason: "Without TLS there is no certificate.", file: "registries: [{host: r.lan, plainHTTP: true, caFile: x}]", refusal: "exclude each other"},
		"DockerHub":  {reason: "Nobody means it, and it would send passwords in the clear.", file: "registries: [{host: docker.io, plainHTTP: true}]", refusal: "only reached by TLS"},
		"Misspelled": {reason: "A field that is not known is not ignored.", file: "registry: []", refusal: `unknown field "registry"`},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name+".yaml")
			if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}

			got, err := LoadConfig(path)
			if tc.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refusal) {
					t.Errorf("%s\nerror is %v, want it to contain %q", tc.reason, err, tc.refusal)
				}

				return
			}

			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNewNeedsReadableAuthorities(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, file := range []string{noPEM, noPEM + ".missing"} {
		if _, err := New(Config{Registries: []Host{{Host: "r.lan", CAFile: file}}}, "test", nil); err == nil {
			t.Errorf("New with caFile %q succeeded: a registry would silently not be trusted", filepath.Base(file))
		}
	}
}

func TestSchemeOfHosts(t *testing.T) {
	c := newClient(t, Config{Registries: []Host{{Host: "r.lan:5000", PlainHTTP: true}, {Host: "localhost:6000"}}})

	cases := map[string]struct {
		reason string
		plain  bool
	}{
		"r.lan:5000":      {"The operator says so.", true},
		"r.lan:5001":      {"Another port is another registry.", false},
		"127.0.0.1:5000":  {"Loopback, as the engine has it.", true},
		"127.9.9.9":       {"All of 127.0.0.0/8.", true},
		"[::1]:5000":      {"Loopback in IPv6.", true},
		"localhost:5000":  {"Loopback by name.", true},
		"localhost:6000":  {"The operator says otherwise.", false},
		"10.0.0.1:5000":   {"A private address is not this machine.", false},
		"192.168.1.1":     {"A private address is not this machine.", false},
		"r.local":         {"A name that sounds near is not this machine.", false},
		"127.example.com": {"A name that begins like an address is none.", false},
		"docker.io":       {"The outside world.", false},
	}

	for host, tc := range cases {
		if got := c.plain(host); got != tc.plain {
			t.Errorf("plain(%q) = %v: %s", host, got, tc.reason)
		}
	}
}

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()

	c, err := New(cfg, "test", nil)
	if err != nil {
		t.Fatal(err)
	}

	return c
}
