//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// externalEtcd runs an etcd that outlives any server.
func externalEtcd(t *testing.T, dir string) string {
	t.Helper()

	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.LogLevel, cfg.LogOutputs = "error", []string{filepath.Join(dir, "etcd.log")}
	local := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenPeerUrls, cfg.ListenClientUrls = local, local
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = local, local
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)

	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(etcd.Close)
	select {
	case <-etcd.Server.ReadyNotify():
	case <-time.After(soon):
		t.Fatal("etcd is not ready")
	}

	return "http://" + etcd.Clients[0].Addr().String()
}

// pair is two servers on one etcd and one swarm, each with a meter of its own.
type pair struct {
	*tenant

	one, two *cell
}

func newPair(t *testing.T) *pair {
	t.Helper()

	l := lab.Start(t, lab.Options{})
	endpoint := externalEtcd(t, t.TempDir())
	p := &pair{}
	for _, c := range []**cell{&p.one, &p.two} {
		made, err := cellIn(l, "--etcd-endpoints", endpoint)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = made.server.resume()
			if err := made.close(t.Failed()); err != nil {
				t.Errorf("close cell: %v", err)
			}
		})
		if p.one != nil {
			if err := made.shareKeys(p.one); err != nil {
				t.Fatal(err)
			}
		}
		if err := made.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		*c = made
	}
	p.tenant = p.one.namespace(t, "pair")

	return p
}

// shareKeys copies the keys of another server of the same store, as an administrator does who adds a server.
func (c *cell) shareKeys(with *cell) error {
	for _, dir := range []string{"pki", "secrets"} {
		if err := os.CopyFS(filepath.Join(c.server.dataDir, dir), os.DirFS(filepath.Join(with.server.dataDir, dir))); err != nil {
			return err
		}
	}

	return nil
}

// leads returns the cell whose server holds the lease, and the other.
func (p *pair) leads() (leader, other *cell) {
	p.t.Helper()

	holder := p.holder(p.two)
	for range 2 {
		// The holder is named after the data directory, which no test can know: the one that writes is the leader.
		start := time.Now()
		p.nudge()
		if len(p.one.meter.since(start)) > 0 {
			return p.one, p.two
		}
		if len(p.two.meter.since(start)) > 0 {
			return p.two, p.one
		}
	}
	p.t.Fatalf("nobody writes, and %q holds the lease", holder)

	return nil, nil
}

// nudge makes the leader write once, and waits until it has.
func (p *pair) nudge() {
	p.t.Helper()

	tc := p.get("web")
	round := tc.Generation
	p.edit("web", env("ROUND", fmt.Sprint(round)))
	p.ready("web")
}

// holder is who holds the lease of the controllers.
func (p *pair) holder(through *cell) string {
	p.t.Helper()

	var lease coordinationv1.Lease
	if err := through.api.Get(p.t.Context(), client.ObjectKey{Namespace: "dogker-system", Name: "dogker-controllers"}, &lease); err != nil {
		p.t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}

	return *lease.Spec.HolderIdentity
}

// TestSecondServerTakesOver freezes the leader, and lets it go on after another has taken over: it must notice that it
// leads no more before it writes anything.
func TestSecondServerTakesOver(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.run(app("web", "v1", replicas(0)))
	leader, other := p.leads()
	was := p.holder(other)

	if err := leader.server.pause(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	p.through(other)
	await(t, soon, "the other takes over", func() error {
		if now := p.holder(other); now == was || now == "" {
			return fmt.Errorf("%q holds the lease", now)
		}

		return nil
	})
	t.Logf("the other had the lease %v after the leader froze", time.Since(start))
	p.nudge()
	service := p.settled("web")

	woken := time.Now()
	if err := leader.server.resume(); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the old leader gives up", func() error {
		if leader.server.running() {
			return fmt.Errorf("it runs")
		}

		return nil
	})
	if got := leader.meter.since(woken); len(got) > 0 {
		t.Errorf("writes of the old leader after it went on: got %q, want none", got)
	}
	if err := p.unmoved(service); err != nil {
		t.Error(err)
	}

	// An init system starts it again, and it waits in the second row.
	if err := leader.server.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.nudge()
}

// through makes the tenant talk to one of the servers.
func (p *pair) through(c *cell) { p.cell = c }

// TestServersAreKilled kills one server after the other while the spec changes. In the end Swarm is as declared, and no
// revision was lost or made twice.
func TestServersAreKilled(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.run(app("web", "v1", replicas(0)))

	const rounds = 6
	for i := range rounds {
		victim, survivor := p.one, p.two
		if i%2 == 1 {
			victim, survivor = p.two, p.one
		}
		p.through(survivor)
		p.edit("web", env("KILLED", fmt.Sprint(i)))
		time.Sleep(time.Duration(i*40) * time.Millisecond)
		if err := victim.server.kill(); err != nil {
			t.Fatal(err)
		}
		p.ready("web")
		if err := victim.server.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	if got := p.get("web").Status.Revision; got != rounds+1 {
		t.Errorf("revision after %d changes: got %d, want %d", rounds, got, rounds+1)
	}
	revisions := p.revisions("web")
	for number := range int64(rounds + 1) {
		if _, ok := revisions[number+1]; !ok {
			t.Errorf("there is no record of revision %d", number+1)
		}
	}
	was := p.settled("web")
	stays(t, 5*time.Second, "at rest", func() error { return p.unmoved(was) })
	if got := p.service("web").Spec.Labels[v1alpha1.SwarmLabelRevision]; got != fmt.Sprint(rounds+1) {
		t.Errorf("revision on the service: got %s, want %d", got, rounds+1)
	}
}
