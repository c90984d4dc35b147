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

func sign(token source.Secret, body string) string {
	mac := hmac.New(sha256.New, []byte(token.Reveal()))
	mac.Write([]byte(body))

	return hex.EncodeToString(mac.Sum(nil))
}
