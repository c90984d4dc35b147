package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// tokenKind is what a token is for. It stands in the token, so that scanners for leaked secrets and the people who find
// one know what they look at.
type tokenKind string

const (
	accessToken  tokenKind = "dogkera"
	refreshToken tokenKind = "dogkerr"
	deployToken  tokenKind = "dogkerd"
)

// Lengths of the random parts. In a refresh token the first part of the secret is the same for all tokens of a session.
const (
	idBytes     = 16
	familyBytes = 20
	secretBytes = 32
	familyChars = familyBytes * 8 / 5
	// maxTokenChars is more than any token of ours has.
	maxTokenChars = 256
)

// token is a bearer token: KIND_ID_SECRET, in lower-case letters and digits. The ID names the record that knows the hash;
// it is no secret, and stands in the audit log.
type token struct {
	kind tokenKind
	id   string
	// text is all of it.
	text string
}

var tokenAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random is n bytes that nobody can guess, as text.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)

	return tokenAlphabet.EncodeToString(raw)
}

func newID() string { return random(idBytes) }

func makeToken(kind tokenKind, id, secret string) token {
	return token{kind: kind, id: id, text: string(kind) + "_" + id + "_" + secret}
}

// newRefreshToken makes the next refresh token of a session.
func newRefreshToken(id, family string) token {
	return makeToken(refreshToken, id, family+random(secretBytes))
}

// parseToken reads a token. It says nothing about whether the token is good.
func parseToken(text string) (t token, ok bool) {
	if len(text) > maxTokenChars {
		return token{}, false
	}
	parts := strings.Split(text, "_")
	if len(parts) != 3 || !plain(parts[1]) || !plain(parts[2]) {
		return token{}, false
	}

	t = token{kind: tokenKind(parts[0]), id: parts[1], text: text}
	switch t.kind {
	case accessToken, refreshToken, deployToken:
		return t, true
	default:
		return token{}, false
	}
}

// isOurs says whether a bearer token claims to be one of ours, so that nobody else is asked about it.
func isOurs(text string) bool {
	kind, _, found := strings.Cut(text, "_")

	return found && strings.HasPrefix(kind, "dogker")
}

func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// family is the part of a refresh token that all tokens of its session share.
func (t token) family() string {
	secret := t.text[strings.LastIndexByte(t.text, '_')+1:]
	if len(secret) < familyChars {
		return ""
	}

	return secret[:familyChars]
}

// digest is what is stored of a secret. The secrets are long and random, so that one round of a plain hash is enough: there
// is nothing to guess.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))

	return hex.EncodeToString(sum[:])
}

// hash is what is stored of a token. It is taken of the text, so that no second text means the same token.
func (t token) hash() string { return digest(t.text) }

// same compares digests in constant time. An empty one is the digest of nothing.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
