//go:build conformance

package conformance

import (
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fakemidtrans "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/payment"
)

const notifiedWorld = `apiVersion: billing.dogker.io/v1alpha1
kind: PriceList
metadata: {name: notified}
spec: {prices: {cpu: "1000"}}
---
apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: notified}
spec: {priceListName: notified}
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: notified}
spec: {planName: notified}
`

// TestNotificationAtAnotherServer: what the gateway tells a server that waits behind the leader reaches the leader, long before
// that one would have asked by itself.
func TestNotificationAtAnotherServer(t *testing.T) {
	const secret = "SB-Mid-server-for-conformance"
	key, err := payment.NewServerKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hook := l.Addr().String()
	l.Close()
	fake := fakemidtrans.New(fakemidtrans.Options{
		Key: key, MerchantID: "G1", NotifyURL: "http://" + hook + webhook.Path, Log: slog.New(slog.DiscardHandler),
	})
	defer fake.Close()
	gateway := httptest.NewServer(fake)
	defer gateway.Close()

	args := append(externalEtcd(t), "--midtrans-server-key-file", keyFile, "--midtrans-sandbox", "--midtrans-merchant-id", "G1",
		"--midtrans-base-url", gateway.URL, "--midtrans-snap-url", gateway.URL)
	first := ownServer(t, args...)
	leads := leader(t, first)
	second := beside(t, first, append(args, "--midtrans-webhook-listen", hook)...)

	k := &kubectl{t: t, server: second, namespace: "notified", command: []string{"kubectl"}}
	k.do(notifiedWorld, "apply", "-f", "-")
	k.do("", "wait", "--for=jsonpath={.status.phase}=Active", "billingaccount/default", "--timeout=30s")
	k.do(billingObject("TopUp", "first", `amount: "50000"`), "apply", "-f", "-")
	k.do("", "wait", "--for=jsonpath={.status.phase}=AwaitingPayment", "topup/first", "--timeout=30s")

	order := strings.TrimSpace(k.do("", "get", "topup/first", "-o", "jsonpath={.status.orderID}"))
	begun := time.Now()
	if _, err := fake.Pay(order, "gopay"); err != nil {
		t.Fatal(err)
	}
	k.do("", "wait", "--for=jsonpath={.status.phase}=Credited", "topup/first", "--timeout=20s")
	slog.Info("A payment was credited", "after", time.Since(begun).Round(time.Millisecond))
	if leader(t, second) != leads {
		t.Error("the server that was notified may lead: nothing had to be passed on")
	}
	contains(t, "the account", k.do("", "get", "billingaccount/default", "-o", "jsonpath={.status.available}"), "50000")
}
