package payment

import (
	"crypto/sha256"
	"encoding/binary"
)

// Operation is something that a gateway is asked to do.
type Operation string

// The operations.
const (
	OpCheckout Operation = "checkout"
	OpStatus   Operation = "status"
	OpRefund   Operation = "refund"
	OpCancel   Operation = "cancel"
	OpExpire   Operation = "expire"
)

// IdempotencyKey is the same for the same attempt at the same thing, and differs for everything else: the gateway replays
// an answer by the key alone, for five minutes, whatever the body and even the endpoint. It has 32 characters; the
// gateway takes 36. What distinguishes several things of one operation on one order, such as a refund's key, is passed
// in detail.
func IdempotencyKey(orderID string, op Operation, detail string, attempt int) string {
	h := sha256.New()

	// Lengths before the texts, so that no two lists of texts are the same bytes.
	for _, text := range []string{orderID, string(op), detail} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		h.Write([]byte(text))
	}

	h.Write(binary.BigEndian.AppendUint64(nil, uint64(attempt)))

	return lower.EncodeToString(h.Sum(nil))[:32]
}
