package source

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is how a Secret prints.
const redacted = "[redacted]"

// Secret is a value that must not be seen: a password, a token, a private key. It prints as [redacted] with every verb and
// in logs; as JSON it is itself, because that is how it gets to the builder.
type Secret string

// Reveal is the value itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}

	return redacted
}

// Format hides the value from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
