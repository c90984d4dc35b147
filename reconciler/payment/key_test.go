package payment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const secret = "SB-Mid-server-TOPsecret123"

func key(t testing.TB, text string) ServerKey {
	t.Helper()

	k, err := NewServerKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return k
}

func TestServerKeyIsNeverPrinted(t *testing.T) {
	k := key(t, secret+"\n")
	if k.Reveal() != secret {
		t.Fatalf("the key is %q", k.Reveal())
	}

	type holder struct {
		Shown  ServerKey
		hidden ServerKey
		in     []ServerKey
		at     map[string]ServerKey
		to     *ServerKey
	}

	h := holder{k, k, []ServerKey{k}, map[string]ServerKey{"k": k}, &k}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", &k)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
	}

	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "key", k, "holder", h, "pointer", &k)
	}

	raw, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}

	text, err := k.MarshalText()
	if err != nil {
		t.Fatal(err)
	}

	out.Write(raw)
	out.Write(text)
	out.WriteString(k.String())

	for _, part := range []string{secret, "TOPsecret", fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if strings.Contains(out.String(), part) {
			t.Errorf("%q is printed:\n%s", part, out.String())
		}
	}
}

func TestNewServerKey(t *testing.T) {
	for name, text := range map[string]string{
		"Empty": " \n", "Short": "abc", "Long": strings.Repeat("k", 257), "WithSpace": "SB-Mid server-key", "WithColon": "user:password",
		"NotASCII": "SB-Mid-server-schlüssel", "TwoLines": "SB-Mid-server-a\nSB-Mid-server-b",
	} {
		k, err := NewServerKey(text)
		if err == nil {
			t.Errorf("%s: %q is taken", name, text)
		} else if len(text) > 3 && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("%s: the error holds the key: %v", name, err)
		}

		if !k.IsZero() || k.Reveal() != "" {
			t.Errorf("%s: what was refused can be revealed", name)
		}
	}

	if !key(t, secret).Sandbox() || key(t, "Mid-server-12345678").Sandbox() {
		t.Error("a sandbox's key is not told from another")
	}
}
