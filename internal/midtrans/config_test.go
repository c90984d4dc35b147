package midtrans

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dogker/dogker/reconciler/payment"
)

func TestConfig(t *testing.T) {
	cases := map[string]struct {
		reason string
		cfg    Config
		want   string // in the error; none when empty
	}{
		"Production":    {"Nothing needs saying.", Config{}, ""},
		"Sandbox":       {"One word.", Config{Sandbox: true}, ""},
		"FakeHere":      {"A fake on this machine has no certificate.", Config{BaseURL: "http://127.0.0.1:8090", SnapURL: "http://[::1]:8090/"}, ""},
		"FakeByName":    {"localhost is this machine.", Config{BaseURL: "http://localhost:8090/prefix"}, ""},
		"FakeElsewhere": {"The key would go there in the clear.", Config{BaseURL: "http://192.0.2.1:8090"}, "--midtrans-base-url"},
		"OtherScheme":   {"Not of the web.", Config{SnapURL: "ftp://app.midtrans.com"}, "--midtrans-snap-url"},
		"NoHost":        {"A path is no address.", Config{BaseURL: "/v2"}, "--midtrans-base-url"},
		"Credentials":   {"A key belongs in its file.", Config{BaseURL: "https://user:pw@api.midtrans.com"}, "--midtrans-base-url"},
		"Query":         {"Paths are added to it.", Config{BaseURL: "https://api.midtrans.com/?a=b"}, "--midtrans-base-url"},
		"NoURL":         {"It does not parse.", Config{BaseURL: "https://[::1"}, "--midtrans-base-url"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.cfg.Key = key(t, secret)

			_, err := New(tc.cfg, nil)

			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s\n%v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "pw")):
				t.Errorf("%s\nerror is %v, want one about %s", tc.reason, err, tc.want)
			}
		})
	}

	if _, err := New(Config{}, nil); err == nil {
		t.Error("without a key there is a gateway")
	}
}

func TestWarnings(t *testing.T) {
	sandbox, production := key(t, secret), key(t, "Mid-server-0123456789")

	cases := map[string]struct {
		cfg  Config
		want int
	}{
		"SandboxKeyInProduction": {Config{Key: sandbox}, 1},
		"ProductionKeyInSandbox": {Config{Key: production, Sandbox: true}, 1},
		"Production":             {Config{Key: production}, 0},
		"Sandbox":                {Config{Key: sandbox, Sandbox: true}, 0},
		"Fake":                   {Config{Key: sandbox, BaseURL: "http://127.0.0.1:1"}, 0},
		"NoKey":                  {Config{}, 0},
	}

	for name, tc := range cases {
		if got := tc.cfg.Warnings(); len(got) != tc.want {
			t.Errorf("%s: warned by %v", name, got)
		}

		if text := fmt.Sprintf("%v %+v %#v", tc.cfg, tc.cfg, tc.cfg); strings.Contains(text, "TOPsecret") || strings.Contains(text, "0123456789") {
			t.Errorf("%s: the settings print as %s", name, text)
		}
	}
}

func TestRedact(t *testing.T) {
	k := key(t, secret)

	for text, want := range map[string]string{
		"":                                    "",
		"gross_amount is too small":           "gross_amount is too small",
		"card 4811 1111 1111 1114 is refused": "card [redacted] is refused",
		"card 48111111-1114":                  "card [redacted]",
		"card 481111xxxxxx1114":               "card [redacted]",
		"call 081234567890":                   "call [redacted]",
		"key " + secret + "!":                 "key [redacted]!",
		"Basic U0ItTWlkLXNlcnZlci1UT1BzZWNyZXQxMjM6": "Basic [redacted]",
		"a\nb\x1b[31m": "a b [31m",
		"amount 10000": "amount 10000",
	} {
		if got := redact(text, k); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}

	if got := redact(strings.Repeat("ä", 1000), payment.ServerKey{}); len([]rune(got)) != maxWord+1 {
		t.Errorf("a long text keeps %d characters", len([]rune(got)))
	}
}

// TestLabelsAreClosed: nothing that Midtrans can make up becomes a value of a label.
func TestLabelsAreClosed(t *testing.T) {
	for text, want := range map[string]string{"": "none", "200": "200", "407": "407", "414": "414", "505": "505", "599": "other", "777": "other", "x": "other", "-1": "other", "99999999999999999999": "other"} {
		if got := codeLabel(text); got != want {
			t.Errorf("code %q is labelled %q, want %q", text, got, want)
		}
	}

	for _, class := range payment.Classes {
		if outcomeLabel(class) == "other" {
			t.Errorf("%v has no label", class)
		}
	}
}
