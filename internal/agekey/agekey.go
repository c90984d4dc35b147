// Package agekey reads keys of age as people write them down: recipients, identities, passphrases. What is sealed by them is
// opened without Dogker by `age -d`.
//
// No error holds what was read: it can be a key with a typing mistake.
//
// Callers: cmd/dogker for internal/backup, internal/voldata/archive. It imports nothing of ours.
package agekey

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// minPassphrase is how short a passphrase may be. What is sealed can be tried against as many as somebody has time for.
const minPassphrase = 12

// Recipients are who can open what is sealed: lines of a file as age has them (age1…), and comments.
func Recipients(text string) ([]age.Recipient, error) {
	recipients, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read age recipients: %w", err)
	}

	return recipients, nil
}

// Passphrase is a recipient and an identity at once: whoever knows it can open what is sealed.
func Passphrase(phrase string) (age.Recipient, age.Identity, error) {
	phrase = strings.TrimRight(phrase, "\r\n")
	if len(phrase) < minPassphrase {
		return nil, nil, fmt.Errorf("the passphrase must have at least %d characters", minPassphrase)
	}

	recipient, err := age.NewScryptRecipient(phrase)
	if err != nil {
		return nil, nil, fmt.Errorf("use passphrase: %w", err)
	}
	identity, err := age.NewScryptIdentity(phrase)
	if err != nil {
		return nil, nil, fmt.Errorf("use passphrase: %w", err)
	}

	return recipient, identity, nil
}

// Identities are the keys of an age key file.
func Identities(text string) ([]age.Identity, error) {
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("read age identities: a line is no identity: AGE-SECRET-KEY-1…")
	}

	return identities, nil
}
