package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Fingerprint tells sets of labels apart: 16 hexadecimal digits.
func Fingerprint(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name, labels[name])
	}

	return digest(parts...)[:16]
}

// digest of parts, each with its length, so that no two lists have the same one.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:", len(p))
		_, _ = io.WriteString(h, p)
	}

	return hex.EncodeToString(h.Sum(nil))
}

// idLength of notices: 128 bits.
const idLength = 32

// NoticeID is the ID of a notice to a receiver, of what tells one notice from another.
func NoticeID(to ReceiverRef, parts ...string) string {
	return digest(append([]string{to.Namespace, to.Name}, parts...)...)[:idLength]
}
