//go:build conformance

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the dogker under test.
var binary string

// scratch is a directory that goes when all tests are done.
var scratch string

// shared is the server that tests use which do not stop it.
var shared *server

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run exists because deferred calls do not survive os.Exit.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dogker-conformance-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	scratch = dir
	// Workers of servers are other users, and have their directories in it: a server that is killed leaves them there.
	if err := os.Chmod(dir, 0o711); err != nil {
		return fail(err)
	}

	if binary, err = build(dir); err != nil {
		return fail(err)
	}
	if shared, err = newServer(filepath.Join(dir, "shared")); err != nil {
		return fail(err)
	}
	if err := shared.start(); err != nil {
		return fail(err)
	}
	defer shared.kill()

	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func build(dir string) (string, error) {
	if named := os.Getenv("DOGKER_BIN"); named != "" {
		return filepath.Abs(named)
	}

	path := filepath.Join(dir, "dogker")
	out, err := exec.Command("go", "build", "-o", path, "github.com/dogker/dogker/cmd/dogker").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build dogker: %w\n%s", err, out)
	}

	return path, nil
}
