package fetch

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/source"
)

// TestRedirectsInside has a server outside, which is 127.0.0.1 here, send the client to one inside, which is 127.0.0.2.
func TestRedirectsInside(t *testing.T) {
	var asked atomic.Int32

	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()

	_, port, _ := strings.Cut(inside.Listener.Addr().String(), ":")

	var to string

	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+"/info/refs?service=git-upload-pack", http.StatusFound)
	}))
	defer outside.Close()

	allow := func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }

	for _, to = range []string{
		"http://127.0.0.2:" + port + "/a", "http://[::ffff:127.0.0.2]:" + port + "/a", "http://0.0.0.0:" + port + "/a", "http://[::1]:" + port + "/a",
		"http://169.254.169.254/latest", "http://10.0.0.1/a", "https://[fd00:ec2::254]/a",
	} {
		u, err := url.Parse(outside.URL + "/a")
		if err != nil {
			t.Fatal(err)
		}

		budget := outbound.NewBudget(1 << 20)
		s := &session{endpoint: endpoint{url: u}, limits: source.DefaultLimits, budget: budget}

		if s.transport, err = newHTTP(source.Auth{}, s.endpoint, &outbound.Dialer{Allow: allow, Budget: budget, Timeout: connectTimeout}); err != nil {
			t.Fatal(err)
		}

		_, err = s.references(t.Context())
		s.transport.close()

		var e *source.Error
		if !errors.As(err, &e) || e.Reason != source.ReasonAddressRefused {
			t.Errorf("a redirect to %s: %v; want it refused", to, err)
		}
	}

	if asked.Load() != 0 {
		t.Errorf("the server inside was asked %d times", asked.Load())
	}
}
