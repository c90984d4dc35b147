package midtrans

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/payment"
)

const (
	secret = "SB-Mid-server-TOPsecret123"
	order1 = "dk-abcdef-01ARZ3NDEKTSV4RRFFQ69G5FAV"
)

func key(t testing.TB, text string) payment.ServerKey {
	t.Helper()

	k, err := payment.NewServerKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return k
}

// trail collects everything that was logged or returned as an error, for a search for secrets at the end.
type trail struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write implements io.Writer.
func (l *trail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.out.Write(p)
}

// saw notes an error in every form in which it may be printed.
func (l *trail) saw(err error) {
	if err != nil {
		fmt.Fprintf(l, "%v %+v %#v %s\n", err, err, err, err)
	}
}

// hasNoSecrets fails when anything that must not be written was.
func (l *trail) hasNoSecrets(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()

	for _, hidden := range []string{
		secret, "TOPsecret", base64.StdEncoding.EncodeToString([]byte(secret + ":")), "Authorization", "Basic ", "48111111", "4811111111111114",
	} {
		if strings.Contains(l.out.String(), hidden) {
			t.Errorf("%q was written:\n%s", hidden, l.out.String())
		}
	}
}

// bench is a gateway and the fake that it talks to.
type bench struct {
	*Gateway

	fake *fake.Server
	reg  *prometheus.Registry
	log  *trail
}

func newBench(t *testing.T, o fake.Options) *bench {
	t.Helper()

	o.Key = key(t, secret)
	b := &bench{fake: fake.New(o), reg: prometheus.NewRegistry(), log: &trail{}}

	server := httptest.NewServer(b.fake)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		b.fake.Close()
		b.log.hasNoSecrets(t)
	})

	var err error

	b.Gateway, err = New(Config{
		Key: o.Key, BaseURL: server.URL, SnapURL: server.URL + "/", Version: "test",
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, b.reg)
	if err != nil {
		t.Fatal(err)
	}

	return b
}

func checkout() payment.CheckoutRequest {
	return payment.CheckoutRequest{OrderID: order1, Amount: 10_000, Description: "Top-up of tenant-a", Lifetime: time.Hour, Opened: time.Now()}
}

func ref() payment.Reference { return payment.Reference{OrderID: order1} }

// open makes the page of order1.
func (b *bench) open(t *testing.T) payment.Checkout {
	t.Helper()

	c, err := b.CreateCheckout(t.Context(), checkout())
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// pay makes the page of order1 and pays it.
func (b *bench) pay(t *testing.T, method payment.Method) (transactionID string) {
	t.Helper()
	b.open(t)

	id, err := b.fake.Pay(order1, method)
	if err != nil {
		t.Fatal(err)
	}

	return id
}

// must returns the status of order1.
func (b *bench) must(t *testing.T) payment.Status {
	t.Helper()

	s, err := b.Status(t.Context(), ref())
	if err != nil {
		t.Fatal(err)
	}

	return s
}
