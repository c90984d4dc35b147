package backup

import (
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

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
