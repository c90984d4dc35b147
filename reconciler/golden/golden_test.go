package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// told is a test that notes whether it was failed.
type told struct {
	testing.TB
	failed bool
}

func (t *told) Errorf(string, ...any) { t.failed = true }

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.golden")
	if err := os.WriteFile(file, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(got string) bool {
		on := &told{TB: t}
		Check(on, file, got)

		return !on.failed
	}
	for got, want := range map[string]bool{"a\n": true, "a": false, "b\n": false, "": false} {
		if check(got) != want {
			t.Errorf("%q is said to be the same: %t, want %t", got, !want, want)
		}
	}

	*update = true
	defer func() { *update = false }()
	check("b\n")
	*update = false
	if !check("b\n") {
		t.Error("-update did not write the file")
	}
}
