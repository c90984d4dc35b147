package midtrans

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// maxKeys that are known at a time: the one in use, and the one before or after it.
	maxKeys = 2
	// maxKeyFile is how large a file of keys may be, in bytes.
	maxKeyFile = 4 << 10
)

// ReadKeys reads server keys from a file: one a line, empty lines and those that begin with # left out. The first is used
// for calls; signatures of all are accepted, so that a key can be changed without losing a notification. Errors repeat
// nothing of the file.
func ReadKeys(path string) ([]payment.ServerKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read server keys: %w", err)
	}

	defer func() { _ = f.Close() }()

	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))

	switch {
	case err != nil:
		return nil, fmt.Errorf("read server keys: %w", err)
	case len(text) > maxKeyFile:
		return nil, fmt.Errorf("read server keys from %q: it has more than %d bytes", path, maxKeyFile)
	}

	var keys []payment.ServerKey

	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}

		key, err := payment.NewServerKey(line)
		if err != nil {
			return nil, fmt.Errorf("read server keys from %q, line %d: %w", path, n, err)
		}

		keys = append(keys, key)
	}

	if len(keys) < 1 || len(keys) > maxKeys {
		return nil, fmt.Errorf("read server keys from %q: it has %d, and must have 1 to %d", path, len(keys), maxKeys)
	}

	return keys, nil
}
