package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// Headers in which senders prove that they know the token.
const (
	headerHub     = "X-Hub-Signature-256"
	headerGitea   = "X-Gitea-Signature"
	headerGitLab  = "X-Gitlab-Token"
	headerGeneric = "X-Signature"
)

// algorithms are those that a signature may name. Older ones that Flux knows as well are refused.
var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New}

// proof is what a request shows for its knowing the token. It takes the same work to check whether it is any good.
type proof struct {
	// body is written the body, whoever the sender is: also for those whose proof does not cover it.
	body hash.Hash
	// claimed is the signature of the body; nil for one that cannot be right.
	claimed []byte
	// shown and token are compared instead where the sender shows the token itself.
	token, shown source.Secret
	plain        bool
}

// newProof reads what a sender of a type shows.
func newProof(t gitopsv1.WebhookType, token source.Secret, header http.Header) *proof {
	p := &proof{token: token}
	algorithm := "sha256"

	switch t {
	case gitopsv1.WebhookGitLab:
		p.plain, p.shown = true, source.Secret(only(header, headerGitLab))
	case gitopsv1.WebhookGitea:
		// Gitea sends both, and whoever forwards for it perhaps only one.
		if text := only(header, headerGitea); text != "" {
			p.claimed = digits(text)
		} else {
			p.claimed = labelled(only(header, headerHub), algorithm)
		}
	case gitopsv1.WebhookGeneric:
		text := only(header, headerGeneric)
		if named, _, _ := strings.Cut(text, "="); algorithms[named] != nil {
			algorithm = named
		}

		p.claimed = labelled(text, algorithm)
	case gitopsv1.WebhookGitHub:
		p.claimed = labelled(only(header, headerHub), algorithm)
	}

	p.body = hmac.New(algorithms[algorithm], []byte(token.Reveal()))

	return p
}

// Write takes a part of the body.
func (p *proof) Write(b []byte) (int, error) { return p.body.Write(b) }

// good is whether the sender knows the token, once the whole body was written. How long that takes does not depend on how
// much of it is right.
func (p *proof) good() bool {
	signed := hmac.Equal(p.body.Sum(nil), p.claimed)

	// Sums have the same length, so that the length of the token does not show either.
	want, got := sha256.Sum256([]byte(p.token.Reveal())), sha256.Sum256([]byte(p.shown.Reveal()))
	shown := subtle.ConstantTimeCompare(want[:], got[:]) == 1 && p.shown != ""

	if p.plain {
		return shown
	}

	return signed
}

// only is the value of a header that is there once.
func only(header http.Header, name string) string {
	if values := header.Values(name); len(values) == 1 {
		return values[0]
	}

	return ""
}

// labelled reads "sha256=<hex>".
func labelled(text, algorithm string) []byte {
	named, sum, ok := strings.Cut(text, "=")
	if !ok || named != algorithm {
		return nil
	}

	return digits(sum)
}

// digits reads hexadecimal; nil for anything else. Upper case is the same bytes.
func digits(text string) []byte {
	if len(text) > 2*sha512.Size {
		return nil
	}

	sum, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}

	return sum
}
