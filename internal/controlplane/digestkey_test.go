package controlplane

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDigestKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "digest.key")

	made, err := ensureDigestKey(path)
	if err != nil || len(made) != digestKeySize {
		t.Fatalf("got %d bytes, %v", len(made), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 600", info.Mode(), err)
	}

	kept, err := ensureDigestKey(path)
	if err != nil || !bytes.Equal(made, kept) {
		t.Errorf("a restart has another key: %v", err)
	}

	other, err := ensureDigestKey(filepath.Join(t.TempDir(), "digest.key"))
	if err != nil || bytes.Equal(made, other) {
		t.Errorf("two directories have one key: %v", err)
	}
}

// TestDamagedDigestKey: a server does not make a new key over one that it cannot read, and shows nothing of it.
func TestDamagedDigestKey(t *testing.T) {
	for name, content := range map[string]string{
		"Empty": "", "Short": "abcdef", "NotHexadecimal": strings.Repeat("xy", digestKeySize), "Long": strings.Repeat("ab", digestKeySize+1),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "digest.key")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}

			_, err := ensureDigestKey(path)
			if err == nil || !strings.Contains(err.Error(), "must be one line of 64 hexadecimal digits") {
				t.Errorf("got %v", err)
			}
			if kept, _ := os.ReadFile(path); string(kept) != content {
				t.Error("the file was written")
			}
		})
	}
}
