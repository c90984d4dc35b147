package controlplane

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// digestKeySize is as many bytes as the digests have that are made with the key.
const digestKeySize = 32

// ensureDigestKey reads the key of digests, and makes it on the first start. It is a key of its own, beside the one that
// encrypts Secrets: that one is replaced now and then, and names that hang on this one are to stay. A file that cannot be
// read is never replaced.
func ensureDigestKey(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newDigestKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read digest key: %w", err)
	}

	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != digestKeySize {
		// The error of the decoder shows a part of the file.
		return nil, fmt.Errorf("read digest key from %q: it must be one line of %d hexadecimal digits", path, hex.EncodedLen(digestKeySize))
	}

	return key, nil
}

func newDigestKey(path string) ([]byte, error) {
	key := make([]byte, digestKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("generate digest key: %w", err)
	}

	return key, datadir.WriteFile(path, []byte(hex.EncodeToString(key)+"\n"))
}
