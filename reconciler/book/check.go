package book

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/money"
)

// Limits of texts in entries.
const (
	maxKeyBytes    = 128
	maxNameBytes   = 128
	maxReasonBytes = 512
	// maxWorkloadBytes has room for a kind, a name and a UID.
	maxWorkloadBytes = 320
)

func invalid(field, value, allowed string) error {
	return fmt.Errorf("%w: %s: invalid value: %.80q: %s", ErrInvalid, field, value, allowed)
}

// checkKey refuses what cannot be part of a key: where keys lie in a store, a slash divides them.
func checkKey(field, key string) error {
	if key == "" || len(key) > maxKeyBytes {
		return invalid(field, key, fmt.Sprintf("must have 1 to %d characters", maxKeyBytes))
	}
	for i := range len(key) {
		switch c := key[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c == '-', c == '_', c == '.', c == ':', c == '~':
		default:
			return invalid(field, key, "must consist of letters, digits and - _ . : ~")
		}
	}

	return nil
}

// checkText refuses what is no text or too much of it.
func checkText(field, text string, limit int, required bool) error {
	if required && text == "" {
		return invalid(field, text, "is required")
	}
	if len(text) > limit {
		return invalid(field, text, fmt.Sprintf("must have at most %d bytes", limit))
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return invalid(field, text, "must be printable UTF-8")
		}
	}

	return nil
}

// checkAmount refuses amounts that are not above zero.
func checkAmount(field string, m money.Micro) error {
	if m <= 0 {
		return invalid(field, m.String(), "must be above zero")
	}

	return nil
}

// CheckTenant refuses what is no name of a tenant: a label of DNS, like the namespace it names.
func CheckTenant(name string) error {
	ok := name != "" && len(name) <= 63 && name[0] != '-' && name[len(name)-1] != '-'
	for i := range len(name) {
		c := name[i]
		ok = ok && (c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))
	}
	if !ok {
		return invalid("tenant", name, "must be a DNS label of at most 63 characters")
	}

	return nil
}

// first returns the first error there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}

	return nil
}
