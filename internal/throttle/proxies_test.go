package throttle_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/throttle"
)

func TestSender(t *testing.T) {
	proxies, err := throttle.ParseProxies([]string{"10.0.0.0/8", "fd00::/8", "192.0.2.99"})
	if err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		reason, peer, forwarded, want string
	}{
		"Direct":        {"Nobody speaks for them.", "192.0.2.1:5", "", "192.0.2.1:5"},
		"Liar":          {"Anybody can write the header.", "192.0.2.1:5", "198.51.100.7", "192.0.2.1:5"},
		"Proxy":         {"It is trusted.", "10.0.0.1:5", "198.51.100.7", "198.51.100.7:0"},
		"LiarByProxy":   {"Only what the proxy has added counts.", "10.0.0.1:5", "127.0.0.1, 198.51.100.7", "198.51.100.7:0"},
		"TwoProxies":    {"Both are trusted.", "10.0.0.1:5", "198.51.100.7, 10.0.0.2", "198.51.100.7:0"},
		"ProxyAddress":  {"One address is a range as well.", "192.0.2.99:5", "198.51.100.7", "198.51.100.7:0"},
		"ProxyMapped":   {"IPv4 in IPv6.", "[::ffff:10.0.0.1]:5", "198.51.100.7", "198.51.100.7:0"},
		"ProxyNonsense": {"Nobody is named.", "10.0.0.1:5", "unknown", "10.0.0.1:5"},
		"ProxySilent":   {"Nobody is named.", "10.0.0.1:5", "", "10.0.0.1:5"},
	}

	for name, tc := range cases {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = tc.peer

		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}

		if got := proxies.Sender(r); got != tc.want {
			t.Errorf("%s: %s\ncounted for %s, want %s", name, tc.reason, got, tc.want)
		}
	}
}

func TestParseProxiesRefuses(t *testing.T) {
	for _, text := range []string{"", "proxy", "10.0.0.0/33", "10.0.0", "10.0.0.1:80", "[::1]"} {
		if _, err := throttle.ParseProxies([]string{"10.0.0.0/8", text}); err == nil || !strings.Contains(err.Error(), `"`+text+`" must be an address or a range`) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
