package payment

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
)

// Sign is the signature that the gateway puts on a notification: SHA-512 of order ID, status code, gross amount and server
// key, in hexadecimal. It covers neither the transaction status nor the transaction: whoever has seen one notification
// can send it again with another status.
func Sign(orderID, statusCode, gross string, key ServerKey) string {
	sum := signature(orderID, statusCode, gross, key)

	return hex.EncodeToString(sum[:])
}

func signature(orderID, statusCode, gross string, key ServerKey) [sha512.Size]byte {
	return sha512.Sum512([]byte(orderID + statusCode + gross + key.Reveal()))
}

// SignedBy tells which of the keys has signed the notification: its index, or -1. All keys are tried in constant time, and
// whether the signature had the right form takes no less time than whether it was right. Keys that are not set sign
// nothing.
func (n Notification) SignedBy(keys ...ServerKey) int {
	var got [sha512.Size]byte

	// The gateway writes lower case. Upper case would decode to the same bytes, and is not what the gateway sends.
	wellFormed := 0
	if len(n.Signature) == hex.EncodedLen(sha512.Size) && isLowerHex(n.Signature) {
		if _, err := hex.Decode(got[:], []byte(n.Signature)); err == nil {
			wellFormed = 1
		}
	}

	by := -1

	for i, key := range keys {
		want := signature(n.OrderID, n.Code, n.Gross, key)

		usable := 1
		if key.IsZero() {
			usable = 0
		}

		match := subtle.ConstantTimeCompare(got[:], want[:]) & wellFormed & usable
		by = subtle.ConstantTimeSelect(match, i, by)
	}

	return by
}

func isLowerHex(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}

	return true
}
