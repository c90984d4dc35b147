package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	born  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hosts = []string{"localhost", "127.0.0.1", "cloud.example.com"}
)

func ensure(t *testing.T, dir string, hosts []string, now time.Time) Bundle {
	t.Helper()
	b, err := Ensure(dir, hosts, now)
	if err != nil {
		t.Fatal(err)
	}

	return b
}

// certificate is the one that the API would be served with.
func certificate(t *testing.T, b Bundle) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(b.ServerFile, b.ServerFile)
	if err != nil {
		t.Fatal(err)
	}

	return pair.Leaf
}

func TestEnsure(t *testing.T) {
	b := ensure(t, t.TempDir(), hosts, born)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b.CA) {
		t.Fatal("the authority's certificate does not parse")
	}

	for _, host := range hosts {
		_, err := certificate(t, b).Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: born})
		if err != nil {
			t.Errorf("as %q: %v", host, err)
		}
	}
	if _, err := certificate(t, b).Verify(x509.VerifyOptions{DNSName: "other", Roots: roots, CurrentTime: born}); err == nil {
		t.Error("the certificate is good for a name that was not asked for")
	}

	admin, err := tls.X509KeyPair(b.AdminCert, b.AdminKey)
	if err != nil {
		t.Fatal(err)
	}
	client := x509.VerifyOptions{Roots: roots, CurrentTime: born, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := admin.Leaf.Verify(client); err != nil {
		t.Errorf("administrator: %v", err)
	}
	if got := admin.Leaf.Subject.String(); got != "CN=dogker:admin,O=system:masters" {
		t.Errorf("the administrator is %q", got)
	}
	if _, err := certificate(t, b).Verify(client); err == nil {
		t.Error("the serving certificate would let its holder in as a client")
	}
}

func TestPrivateFiles(t *testing.T) {
	dir := t.TempDir()
	ensure(t, dir, hosts, born)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 600", f.Name(), info.Mode(), err)
		}
	}
}

// TestRenewal says when a second look at the directory changes the serving certificate.
func TestRenewal(t *testing.T) {
	const day = 24 * time.Hour
	cases := map[string]struct {
		reason  string
		hosts   []string
		later   time.Duration
		damage  func(t *testing.T, dir string)
		renewed bool
	}{
		"NothingChanged": {
			reason: "Clients that pin the certificate, and files that are watched, are left alone.",
			hosts:  hosts,
			later:  30 * day,
		},
		"OtherOrder": {
			reason: "The order in which hosts are found says nothing.",
			hosts:  []string{"cloud.example.com", "127.0.0.1", "localhost", "localhost"},
		},
		"NearsItsEnd": {
			reason:  "It is replaced while the old one is still good.",
			hosts:   hosts,
			later:   leafLifetime - renewBefore,
			renewed: true,
		},
		"NewHost": {
			reason:  "A name that is asked for must be in it.",
			hosts:   append([]string{"new.example.com"}, hosts...),
			renewed: true,
		},
		"LostHost": {
			reason:  "A name that is ours no longer must not be in it.",
			hosts:   hosts[:2],
			renewed: true,
		},
		"Torn": {
			reason: "A file that a crash or a hand has damaged is as good as none.",
			hosts:  hosts,
			damage: func(t *testing.T, dir string) {
				if err := os.WriteFile(filepath.Join(dir, "server.pem"), []byte("-----BEGIN"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			renewed: true,
		},
		"OfAnotherAuthority": {
			reason: "Clients know one authority only.",
			hosts:  hosts,
			damage: func(t *testing.T, dir string) {
				other := t.TempDir()
				ensure(t, other, hosts, born)
				raw, err := os.ReadFile(filepath.Join(other, "server.pem"))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "server.pem"), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			renewed: true,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first := ensure(t, dir, hosts, born)
			before := certificate(t, first)
			token, err := os.ReadFile(first.TokenKeyFile)
			if err != nil {
				t.Fatal(err)
			}
			if tc.damage != nil {
				tc.damage(t, dir)
			}

			second := ensure(t, dir, tc.hosts, born.Add(tc.later))

			after := certificate(t, second)
			if renewed := !after.Equal(before); renewed != tc.renewed {
				t.Errorf("%s\nrenewed: %v, want %v", tc.reason, renewed, tc.renewed)
			}
			if string(second.CA) != string(first.CA) {
				t.Error("the authority was replaced, and with it everything it had issued")
			}
			if again, _ := os.ReadFile(second.TokenKeyFile); string(again) != string(token) {
				t.Error("the token key was replaced, and with it every token")
			}
		})
	}
}

// TestDamagedAuthority: an authority that cannot be read is an error, and not a reason to make another.
func TestDamagedAuthority(t *testing.T) {
	cases := map[string]func(t *testing.T, dir string) time.Time{
		"Damaged": func(t *testing.T, dir string) time.Time {
			if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			return born
		},
		"Expired": func(*testing.T, string) time.Time { return born.Add(authorityLifetime + time.Hour) },
	}

	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ensure(t, dir, hosts, born)
			if _, err := Ensure(dir, hosts, damage(t, dir)); err == nil {
				t.Error("another authority was made")
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	cert, key, err := SelfSigned("loopback", born, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: "loopback", Roots: roots, CurrentTime: born}); err != nil {
		t.Error(err)
	}
}
