package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipients are who can open a backup: lines of a file as age has them (age1…), and comments.
func Recipients(text string) ([]age.Recipient, error) {
	recipients, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read age recipients: %w", err)
	}

	return recipients, nil
}

// Passphrase is a recipient and an identity at once: whoever knows it can open the backup.
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

// minPassphrase is how short a passphrase may be. A backup can be tried against as many as somebody has time for.
const minPassphrase = 12

// Identities are the keys of an age key file.
func Identities(text string) ([]age.Identity, error) {
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		// The error of the library quotes the line, which can be a key with a typing mistake.
		return nil, errors.New("read age identities: a line is no identity: AGE-SECRET-KEY-1…")
	}

	return identities, nil
}

// ageMagic is how an encrypted file begins.
const ageMagic = "age-encryption.org/v1"

// open returns what is in a backup, decrypted where it is encrypted.
func open(file *os.File, identities []age.Identity) (io.Reader, error) {
	head := make([]byte, len(ageMagic))
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}

	if string(head[:n]) != ageMagic {
		if len(identities) > 0 {
			// Whoever brings a key expects that nobody without it has written the file.
			return nil, errors.New("the backup is not encrypted: restore it without a key, if you know where it comes from")
		}

		return file, nil
	}
	if len(identities) == 0 {
		return nil, errors.New("the backup is encrypted: --identity or --passphrase-file opens it")
	}

	r, err := age.Decrypt(file, identities...)
	if err != nil {
		return nil, fmt.Errorf("decrypt backup: %w", err)
	}

	return r, nil
}
