//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// How often something is killed, and how often when DOGKER_LONG is set.
const (
	kills     = 20
	longKills = 200
)

// battered is a tenant whose server and store are killed again and again.
type battered struct {
	*payer

	etcd   *etcdProcess
	dice   *rand.Rand
	topUps int
}

// TestMoneyIsRightAfterKills kills the server, the store or both while two tasks are charged and payments come in. In the
// end the ledger replays, each window and each payment is in it once, every charge is quantity times price, and the seconds
// that were charged are those that the engine itself has told of.
func TestMoneyIsRightAfterKills(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{})
	b := &battered{etcd: killableEtcd(t, l), dice: rand.New(rand.NewPCG(4, uint64(time.Now().UnixNano())))} //nolint:gosec // chance, not secrecy
	c := ownBillingCell(t, l, false, "--etcd-endpoints", b.etcd.client)
	b.payer = c.payer(t, "battered", rash())
	w := c.watch(t)
	b.pays("money", "100000000")
	b.run(app("web", "v1", replicas(2)))
	b.run(app("worker", "v1"))

	rounds := kills
	if os.Getenv("DOGKER_LONG") != "" {
		rounds = longKills
	}
	for i := range rounds {
		b.round(i)
	}
	b.settle()

	books := b.etcd.books(t, b.name)
	books.verify(t)
	books.wantPayments(t, b.topUps)
	for name, tasks := range map[string][]life{"web": w.of(t, b.name, "web"), "worker": w.of(t, b.name, "worker")} {
		books.wantSeconds(t, name, tasks)
	}
	b.wantNoSecrets(t)
}

// round lets some seconds pass, lets the tenant do something now and then, and kills.
func (b *battered) round(i int) {
	b.t.Helper()

	// Long enough for one look at the swarm: a server that never looks cannot charge, and nothing is to be seen of that here.
	time.Sleep(time.Duration(4000+b.dice.IntN(10000)) * time.Millisecond)
	order := ""
	switch i % 5 {
	case 1:
		b.topUps++
		order = b.topUp(fmt.Sprintf("more-%d", b.topUps), "1000").Status.OrderID
	case 3:
		b.edit("web", replicas(int32(1+b.dice.IntN(3))))
	}
	if order != "" {
		if _, err := b.bank.Pay(order, "gopay"); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(time.Duration(b.dice.IntN(300)) * time.Millisecond)
	}

	what := []string{"server", "etcd", "both"}[i%3]
	if what != "etcd" {
		if err := b.server.kill(); err != nil {
			b.t.Fatal(err)
		}
	}
	if what != "server" {
		if err := b.etcd.kill(); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(time.Duration(b.dice.IntN(1500)) * time.Millisecond)
		if err := b.etcd.start(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	b.comeBack()
}

// comeBack starts the server when it has ended, as an init system does, and waits until it is ready. A server that could
// not prove in time that it still leads ends by itself.
func (b *battered) comeBack() {
	b.t.Helper()

	await(b.t, startTimeout, "the server is back", func() error {
		if !b.server.running() {
			return b.server.start(b.t.Context())
		}
		ctx, cancel := contextFor(instant)
		defer cancel()

		return b.server.readyz(ctx)
	})
}

// settle stops everything and waits until all that ran is charged and all that was paid is credited.
func (b *battered) settle() {
	b.t.Helper()

	await(b.t, atLast, "everything is stopped", func() error {
		for _, name := range []string{"web", "worker"} {
			tc, err := b.tenant.read(name)
			if err != nil {
				return err
			}
			if *tc.Spec.Replicas == 0 {
				continue
			}
			tc.Spec.Replicas = new(int32(0))
			if err := b.api.Update(b.t.Context(), tc); err != nil {
				return err
			}
		}

		return nil
	})
	await(b.t, atLast, "nothing runs", func() error {
		left, err := b.containers(b.t.Context(), false)
		if err == nil && len(left) > 0 {
			err = errors.New(strings.Join(left, ", "))
		}

		return err
	})
	for n := range b.topUps {
		b.topUpIs(3*minute, fmt.Sprintf("more-%d", n+1), billing.TopUpCredited)
	}
	time.Sleep(time.Until(time.Now().Truncate(minute).Add(minute + 45*time.Second)))
}

// wantNoSecrets looks for the gateway's key, in any form that a header has, and for the notices' secret: in the store, the
// server's log and audit log, and all that the API shows.
func (b *battered) wantNoSecrets(t *testing.T) {
	t.Helper()

	places := map[string]string{
		"the objects": b.kubectl("get", "billingaccounts,topups,refunds,coupons,pricelists,statements,events", "--all-namespaces", "--output", "yaml"),
		"the metrics": b.kubectl("get", "--raw", "/metrics"),
		"the store":   b.dump(t),
	}
	logs, err := filepath.Glob(filepath.Join(b.server.dataDir, "audit", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(logs, b.server.logFile()) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(file)] = string(content)
	}
	for where, text := range places {
		for _, secret := range []string{serverKey, base64.StdEncoding.EncodeToString([]byte(serverKey + ":")), noticeSecret} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the secret %.12s… is in it", where, secret)
			}
		}
	}
}

// dump is everything in the store.
func (b *battered) dump(t *testing.T) string {
	t.Helper()

	client, err := b.etcd.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	got, err := client.Get(ctx, "\x00", clientv3.WithFromKey())
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, kv := range got.Kvs {
		fmt.Fprintf(&all, "%s\n%s\n", kv.Key, kv.Value)
	}

	return all.String()
}
