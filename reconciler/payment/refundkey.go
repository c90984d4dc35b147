package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

// refundKey is what keys of refunds look like that can be part of a key elsewhere. UIDs do.
var refundKey = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,64}$`)

// RefundKey is a refund's key in a form that a ledger can keep: the key itself, as a rule. Those that somebody made up at the
// gateway may be any text; of what is too long or has other characters a hash takes the place. Empty stays empty.
func RefundKey(text string) string {
	if text == "" || refundKey.MatchString(text) {
		return text
	}

	sum := sha256.Sum256([]byte(text))

	return "sha256-" + hex.EncodeToString(sum[:])[:32]
}
