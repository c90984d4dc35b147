package midtrans

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	hidden  = "[redacted]"
	maxWord = 200
)

// longNumber is what could be a card, an account or a telephone: eight digits or more, also in groups.
var longNumber = regexp.MustCompile(`\d(?:[ -]?[\dxX*]){7,}`)

// redact makes words of Midtrans fit for a log: without the key, without long numbers, printable, and short.
func redact(text string, key payment.ServerKey) string {
	if secret := key.Reveal(); secret != "" {
		text = strings.ReplaceAll(text, secret, hidden)
		text = strings.ReplaceAll(text, base64.StdEncoding.EncodeToString([]byte(secret+":")), hidden)
	}

	text = longNumber.ReplaceAllString(text, hidden)
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}

		return c
	}, text)

	if runes := []rune(text); len(runes) > maxWord {
		return string(runes[:maxWord]) + "…"
	}

	return text
}
