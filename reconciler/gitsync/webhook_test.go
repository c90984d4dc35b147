package gitsync

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"testing"

	"github.com/dogker/dogker/reconciler/source"
)

func TestWebhookPath(t *testing.T) {
	const token = "a token of some length"

	path := WebhookPath(token, "acme", "web", "1-2-3")

	// People have entered it at Git servers: no release may change it.
	if want := "/hook/418d074a726dc08ebfbfb49ac6b9aefb3759ee60c054e15fdb6e78dc2c00c74b"; path != want {
		t.Errorf("the path is %q, and was %q", path, want)
	}

	if !regexp.MustCompile(`^/hook/[0-9a-f]{64}$`).MatchString(path) {
		t.Errorf("the path is %q", path)
	}

	if again := WebhookPath(token, "acme", "web", "1-2-3"); again != path {
		t.Errorf("it is %q now, and was %q", again, path)
	}
}

func TestWebhookPathsDiffer(t *testing.T) {
	seen := map[string]string{}

	for reason, path := range map[string]string{
		"The one they are compared with.":                WebhookPath("token", "acme", "web", "1"),
		"The token is what makes it hard to guess.":      WebhookPath("token2", "acme", "web", "1"),
		"Tenants may use the same token.":                WebhookPath("token", "acme2", "web", "1"),
		"Two syncs of a tenant are two.":                 WebhookPath("token", "acme", "web2", "1"),
		"One of the same name came later.":               WebhookPath("token", "acme", "web", "2"),
		"Names are not run together: namespace longer.":  WebhookPath("token", "acmew", "eb", "1"),
		"Names are not run together: name longer.":       WebhookPath("token", "acm", "eweb", "1"),
		"Names are not run together: name into the UID.": WebhookPath("token", "acme", "we", "b1"),
		"Nothing at all is also something.":              WebhookPath("", "", "", ""),
		"A token and a name are not the same.":           WebhookPath("acme", "token", "web", "1"),
	} {
		if other, ok := seen[path]; ok {
			t.Errorf("%q and %q have the same path", reason, other)
		}

		seen[path] = reason
	}
}

// TestWebhookPathIsNoSignature: who sees a path cannot send its digits as the signature of anything it knows.
func TestWebhookPathIsNoSignature(t *testing.T) {
	const token = source.Secret("a token of some length")

	path := WebhookPath(token, "acme", "web", "1")

	for _, body := range []string{"", webhookDomain, "acme\x00web\x001", webhookDomain + "\x00acme\x00web\x001", "acmeweb1"} {
		if WebhookPathPrefix+sign(token, body) == path {
			t.Errorf("the path is the signature of %q", body)
		}
	}
}

func TestWebhookToken(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		data   map[string][]byte
		want   source.Secret
		says   string
	}{
		"Good":      {"It is taken as it is.", map[string][]byte{"token": []byte("0123456789abcdef")}, "0123456789abcdef", ""},
		"Line":      {"A file ends with a line's end, and a form does not.", map[string][]byte{"token": []byte("0123456789abcdef\r\n")}, "0123456789abcdef", ""},
		"Spaces":    {"They may be meant.", map[string][]byte{"token": []byte(" 0123456789abcdef ")}, " 0123456789abcdef ", ""},
		"Short":     {"It could be found by trying.", map[string][]byte{"token": []byte("0123456789abcde\n")}, "", `data["token"] has 15 characters and must have at least 16`},
		"Empty":     {"Everybody knows it.", map[string][]byte{"token": {}}, "", `data["token"] is missing or empty`},
		"Elsewhere": {"It has one name.", map[string][]byte{"secret": []byte("0123456789abcdef")}, "", `data["token"] is missing or empty`},
	} {
		token, err := WebhookToken(tc.data)
		if token.Reveal() != tc.want.Reveal() || (err == nil) != (tc.says == "") || err != nil && err.Error() != tc.says {
			t.Errorf("%s: %s\ngot %q, %v", name, tc.reason, token.Reveal(), err)
		}
	}
}

func sign(token source.Secret, body string) string {
	mac := hmac.New(sha256.New, []byte(token.Reveal()))
	mac.Write([]byte(body))

	return hex.EncodeToString(mac.Sum(nil))
}
