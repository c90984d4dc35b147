package worker_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/worker"
)

// TestNothingIsLeftOfAKilledServer wants a server to remove what its workers had when it was killed, and nobody else's.
func TestNothingIsLeftOfAKilledServer(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"dogker-git-one-123/repository", "dogker-git-one-456", "dogker-git-two-123", "dogker-git-onetwo-1", "else"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	worker.NewPool(worker.Options{Dir: dir, Owner: "one"})
	worker.NewPool(worker.Options{Dir: dir})

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"dogker-git-onetwo-1", "dogker-git-two-123", "else"}, left); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}
