//go:build conformance

package conformance

import (
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/controlplane/pki"
)

// externalEtcd is an etcd that somebody else runs: on a port of loopback, for clients with a certificate of its own
// authority only. It returns the flags by which a server finds it.
func externalEtcd(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	certs, err := pki.Ensure(dir, []string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()

	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "data")
	cfg.LogLevel = "fatal"
	cfg.ListenClientUrls = []url.URL{{Scheme: "https", Host: address}}
	cfg.AdvertiseClientUrls = cfg.ListenClientUrls
	cfg.ListenPeerUrls = nil
	cfg.ClientTLSInfo = transport.TLSInfo{CertFile: certs.ServerFile, KeyFile: certs.ServerFile, TrustedCAFile: certs.CAFile, ClientCertAuth: true}
	member, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	<-member.Server.ReadyNotify()

	client := filepath.Join(dir, "admin.pem")

	return []string{"--etcd-endpoints", "https://" + address, "--etcd-cafile", certs.CAFile, "--etcd-certfile", client, "--etcd-keyfile", client}
}

// TestExternalEtcd: two servers that share a store and their keys are one API; when the leader dies, the other leads;
// and a server without the keys is not let in.
func TestExternalEtcd(t *testing.T) {
	etcd := externalEtcd(t)
	first := ownServer(t, etcd...)
	if _, err := os.Stat(filepath.Join(first.dir, "etcd")); err == nil {
		t.Error("a store of its own was made beside the external one")
	}

	stranger, err := newServer(filepath.Join(t.TempDir(), "data"), etcd...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := stranger.command().CombinedOutput()
	if err == nil {
		t.Fatal("a server without the keys was let in")
	}
	contains(t, "refusal", string(out), "copy the directories pki and secrets")

	second := beside(t, first, etcd...)
	create(t, first, "default", "web")
	if _, err := second.dynamic(t).Resource(containers).Namespace("default").Get(t.Context(), "web", metav1.GetOptions{}); err != nil {
		t.Errorf("what the first server has stored, the second does not know: %v", err)
	}

	before := leader(t, second)
	first.kill()
	begin := time.Now()
	await(t, "takeover", func() bool { return leader(t, second) != before })
	slog.Info("Leader was replaced", "after", time.Since(begin).Round(100*time.Millisecond))
	create(t, second, "default", "after")
}

// beside starts another server of the same cluster.
func beside(t *testing.T, first *server, args ...string) *server {
	t.Helper()
	s, err := newServer(filepath.Join(t.TempDir(), "data"), args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"pki", "secrets"} {
		if err := os.CopyFS(filepath.Join(s.dir, dir), os.DirFS(filepath.Join(first.dir, dir))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)

	return s
}

// leader is who holds the lease of the controllers.
func leader(t *testing.T, s *server) string {
	t.Helper()
	lease, err := s.client(t).CoordinationV1().Leases("dogker-system").Get(t.Context(), "dogker-controllers", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}

	return *lease.Spec.HolderIdentity
}

// TestEtcdThatIsNotThere: the server says whom it could not reach.
func TestEtcdThatIsNotThere(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for as long as a server does")
	}
	s, err := newServer(filepath.Join(t.TempDir(), "data"), "--etcd-endpoints", "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.command().CombinedOutput()
	if err == nil || !strings.Contains(string(out), "http://127.0.0.1:1") {
		t.Errorf("it ended with %v and said\n%s", err, out)
	}
}
