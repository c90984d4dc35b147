package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

// resolved is what flags come to, and what was said meanwhile.
func resolved(t *testing.T, args ...string) (billingParts, string, error) {
	t.Helper()
	var f billingFlags
	flags := pflag.NewFlagSet("server", pflag.ContinueOnError)
	f.add(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	parts, err := f.resolve(slog.New(slog.NewTextHandler(&said, nil)), nil)
	if parts.listener != nil {
		t.Cleanup(func() { _ = parts.listener.Close() })
	}

	return parts, said.String(), err
}

func TestBillingFlags(t *testing.T) {
	sandbox, production := write(t, "SB-Mid-server-sandbox-key\n"), write(t, "Mid-server-production-key\nMid-server-old-production-key\n")
	secret, short := write(t, "a-secret-of-some-length\n"), write(t, "short\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	cases := map[string]struct {
		reason string
		args   []string
		fails  string
		says   string
	}{
		"Nothing":          {"Charging needs no flag.", nil, "", ""},
		"Production":       {"Two keys while they are changed.", []string{"--midtrans-server-key-file", production}, "", ""},
		"Sandbox":          {"A key of the sandbox in the sandbox.", []string{"--midtrans-server-key-file", sandbox, "--midtrans-sandbox"}, "", ""},
		"SandboxKey":       {"One that looks wrong is told, and may be right.", []string{"--midtrans-server-key-file", sandbox}, "", "looks like one of Midtrans' sandbox"},
		"ProductionKey":    {"So is the other way round.", []string{"--midtrans-server-key-file", production, "--midtrans-sandbox"}, "", "does not look like one of Midtrans' sandbox"},
		"NoKey":            {"A gateway without key is none.", []string{"--midtrans-sandbox"}, "--midtrans-sandbox needs --midtrans-server-key-file", ""},
		"NoKeyForHook":     {"Nor can anything be checked.", []string{"--midtrans-webhook-listen", "127.0.0.1:0"}, "--midtrans-webhook-listen needs --midtrans-server-key-file", ""},
		"NoKeyForBoth":     {"Of several, always the same is named.", []string{"--midtrans-webhook-listen", "127.0.0.1:0", "--midtrans-merchant-id", "G1", "--midtrans-sandbox"}, "--midtrans-sandbox needs --midtrans-server-key-file", ""},
		"MissingKey":       {"A file that is not there.", []string{"--midtrans-server-key-file", "/no/such/file"}, "--midtrans-server-key-file: ", ""},
		"PlainGateway":     {"The key is in every request.", []string{"--midtrans-server-key-file", sandbox, "--midtrans-base-url", "http://example.com"}, `--midtrans-base-url: "http://example.com" must be https`, ""},
		"Hook":             {"A free port.", []string{"--midtrans-server-key-file", sandbox, "--midtrans-sandbox", "--midtrans-webhook-listen", "127.0.0.1:0", "--midtrans-webhook-trusted-proxies", "10.0.0.0/8,192.0.2.7"}, "", ""},
		"HookName":         {"A name is no address to listen at.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "localhost:80"}, `--midtrans-webhook-listen "localhost:80": "localhost" must be an IP address`, ""},
		"HookPort":         {"A port is a number.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "127.0.0.1:http"}, `"http" must be a port`, ""},
		"HookNoPort":       {"There must be one.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "127.0.0.1"}, "must be ADDR:PORT", ""},
		"HookTaken":        {"And be free.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", taken.Addr().String()}, "--midtrans-webhook-listen: ", ""},
		"HookProxy":        {"A proxy has an address.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "127.0.0.1:0", "--midtrans-webhook-trusted-proxies", "proxy"}, `--midtrans-webhook-trusted-proxies: "proxy" must be an address or a range`, ""},
		"HookHalfTLS":      {"A certificate has a key.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "127.0.0.1:0", "--midtrans-webhook-tls-cert-file", "x"}, "need each other", ""},
		"HookNoTLS":        {"The files must be there.", []string{"--midtrans-server-key-file", production, "--midtrans-webhook-listen", "127.0.0.1:0", "--midtrans-webhook-tls-cert-file", "/no/x", "--midtrans-webhook-tls-key-file", "/no/y"}, "--midtrans-webhook-tls-cert-file: ", ""},
		"TLSForNothing":    {"Without a port they are for nothing.", []string{"--midtrans-webhook-tls-cert-file", "x"}, "--midtrans-webhook-tls-cert-file needs --midtrans-webhook-listen", ""},
		"Notices":          {"Signed notices.", []string{"--notice-webhook-url", "https://hooks.example.com", "--notice-webhook-secret-file", secret}, "", ""},
		"NoticesShort":     {"A secret that can be guessed.", []string{"--notice-webhook-url", "https://hooks.example.com", "--notice-webhook-secret-file", short}, "must have at least 16 characters", ""},
		"NoticesNowhere":   {"A secret for nothing.", []string{"--notice-webhook-secret-file", secret}, "--notice-webhook-secret-file needs --notice-webhook-url", ""},
		"NoticesMalformed": {"No URL.", []string{"--notice-webhook-url", "hooks.example.com"}, "--notice-webhook-url: ", ""},
		"NoticesSecret":    {"The query may hold a secret.", []string{"--notice-webhook-url", "https://hooks.example.com/?token=Mid-server-\n"}, "--notice-webhook-url: must be a URL", ""},
		"Archive":          {"A directory.", []string{"--ledger-archive-dir", t.TempDir()}, "", ""},
		"ArchiveMissing":   {"Months would pass until it was missed.", []string{"--ledger-archive-dir", "/no/such/dir"}, "--ledger-archive-dir: ", ""},
		"ArchiveFile":      {"A file is none.", []string{"--ledger-archive-dir", secret}, "must be a directory", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, said, err := resolved(t, tc.args...)
			if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)) {
				t.Errorf("%s\ngot  %v\nwant %s", tc.reason, err, tc.fails)
			}
			if !strings.Contains(said, tc.says) || tc.says == "" && said != "" {
				t.Errorf("%s\nsaid %q, want %q", tc.reason, said, tc.says)
			}
			if text := said; err != nil && strings.Contains(text+err.Error(), "Mid-server-") {
				t.Errorf("%s\na key is shown: %s %v", tc.reason, said, err)
			}
		})
	}
}

// TestNoGateway: a gateway that is not there must be nil for whoever asks.
func TestNoGateway(t *testing.T) {
	if parts, _, err := resolved(t); err != nil || parts.gateway != nil || parts.notices.platform != nil {
		t.Errorf("%+v, %v", parts, err)
	}
}

// TestWebhookCertificate: a certificate that was renewed is used from the next connection on.
func TestWebhookCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	renew := func(serial int64) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"pay.example.com"}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	renew(1)
	parts, _, err := resolved(t, "--midtrans-server-key-file", write(t, "Mid-server-production-key"), "--midtrans-webhook-listen", "127.0.0.1:0",
		"--midtrans-webhook-tls-cert-file", cert, "--midtrans-webhook-tls-key-file", key)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := parts.listener.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			_ = c.Close()
		}
	}()
	for serial := range int64(2) {
		renew(serial + 1)
		c, err := tls.Dial("tcp", parts.listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != serial+1 {
			t.Errorf("certificate %d is shown, want %d", got, serial+1)
		}
		_ = c.Close()
	}
}
