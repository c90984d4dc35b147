package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// MaxNotification is how large the body of a notification may be, in bytes.
const MaxNotification = 64 << 10

// Notification is what somebody sent to say that something has become of an order. Signed or not it is a hint: its status
// is not covered by the signature.
type Notification struct {
	// OrderID, Code and Gross are what the signature covers, as they were received.
	OrderID string
	Code    string
	Gross   string
	// Signature as it was received; not checked.
	Signature string
	// Transaction is what the sender claims; for logs and evidence.
	Transaction TransactionStatus
	// TransactionID is what the sender claims.
	TransactionID string
	// Digest is the SHA-256 of the body in hexadecimal: the same notification, sent again, has the same.
	Digest string
	// Raw is the body as it was received.
	Raw []byte
}

// ParseNotification reads the body of a notification. It is lenient with what is in the object and strict with what is
// not: more than one object, deep nesting and an order ID that cannot be one are errors.
func ParseNotification(raw []byte) (Notification, error) {
	if len(raw) > MaxNotification {
		return Notification{}, fmt.Errorf("parse notification: it has %d bytes, more than %d", len(raw), MaxNotification)
	}

	o, err := parseObject(raw)
	if err != nil {
		return Notification{}, fmt.Errorf("parse notification: %w", err)
	}

	sum := sha256.Sum256(raw)
	n := Notification{
		OrderID:       o.text("order_id"),
		Code:          o.loose("status_code"),
		Gross:         o.loose("gross_amount"),
		Signature:     o.text("signature_key"),
		Transaction:   TransactionStatus(o.text("transaction_status")),
		TransactionID: o.text("transaction_id"),
		Digest:        hex.EncodeToString(sum[:]),
		Raw:           raw,
	}

	if err := CheckOrderID(n.OrderID); err != nil {
		return Notification{}, fmt.Errorf("parse notification: %w", err)
	}

	return n, nil
}
