package gitsync

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/dogker/dogker/reconciler/source"
)

// WebhookPathPrefix is what all paths of webhooks begin with. What follows is 64 hexadecimal digits.
const WebhookPathPrefix = "/hook/"

// webhookDomain keeps paths apart from everything else that the token is the key of: a path that is seen is not the
// signature of any body.
const webhookDomain = "gitops.dogker.io/webhook-path/v1"

// MinWebhookToken is how many characters the token of a webhook must have at least. Its path stands in a status, and in the
// logs of proxies: nobody is to find the token by trying which one leads to the path.
const MinWebhookToken = 16

// TokenKey is the entry of a Secret that has the token, of webhooks as of commit statuses.
const TokenKey = "token"

// WebhookToken reads the token of a webhook out of a Secret's data. A line's end after it is not part of it: files have
// one, and forms of Git servers take none. The error names the entry, and never what is in it.
func WebhookToken(data map[string][]byte) (source.Secret, error) {
	token := strings.TrimRight(string(data[TokenKey]), "\r\n")

	switch n := len(token); {
	case n == 0:
		return "", fmt.Errorf("data[%q] is missing or empty", TokenKey)
	case n < MinWebhookToken:
		return "", fmt.Errorf("data[%q] has %d characters and must have at least %d", TokenKey, n, MinWebhookToken)
	}

	return source.Secret(token), nil
}

// WebhookPath is the path at which a GitSync is told of pushes: /hook/<sha256 in hexadecimal>. It stays the same as long as
// the token and the object do, and cannot be guessed without the token. Another object has another one, also when it has
// the name of one that was deleted.
func WebhookPath(token source.Secret, namespace, name, uid string) string {
	derived := hmac.New(sha256.New, []byte(token.Reveal()))
	_, _ = io.WriteString(derived, webhookDomain)

	// Neither names nor UIDs have a NUL, so nothing can be moved from one into the next.
	path := hmac.New(sha256.New, derived.Sum(nil))
	_, _ = io.WriteString(path, strings.Join([]string{namespace, name, uid}, "\x00"))

	return WebhookPathPrefix + hex.EncodeToString(path.Sum(nil))
}
