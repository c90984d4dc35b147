package payment

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// ServerKey is the secret by which the gateway and the merchant know each other. It prints as [redacted] whatever prints
// it, also as an unexported field of something else: what it holds is a function, and a function has no text.
type ServerKey struct {
	reveal func() string
}

// NewServerKey takes a key as it was read: without the white space around it, and refused when it cannot be one.
func NewServerKey(text string) (ServerKey, error) {
	text = strings.TrimSpace(text)

	switch {
	case text == "":
		return ServerKey{}, errors.New("check server key: it is empty")
	case len(text) < 8 || len(text) > 256:
		return ServerKey{}, fmt.Errorf("check server key: it has %d characters, and must have 8 to 256", len(text))
	case strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }):
		return ServerKey{}, errors.New("check server key: it must be printable ASCII without spaces and colons")
	}

	return ServerKey{reveal: func() string { return text }}, nil
}

// Reveal is the key itself, for the header of a request and for a signature, and for nothing else.
func (k ServerKey) Reveal() string {
	if k.reveal == nil {
		return ""
	}

	return k.reveal()
}

// IsZero is true when there is no key.
func (k ServerKey) IsZero() bool { return k.reveal == nil }

// Sandbox is true for keys with the prefix that keys of the sandbox are documented to have. It is good for a warning, not
// for a decision: newer keys may look otherwise.
func (k ServerKey) Sandbox() bool { return strings.HasPrefix(k.Reveal(), "SB-") }

const redacted = "[redacted]"

// String hides the key.
func (ServerKey) String() string { return redacted }

// Format hides the key from every verb of fmt.
func (ServerKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue hides the key.
func (ServerKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the key.
func (ServerKey) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText hides the key.
func (ServerKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
