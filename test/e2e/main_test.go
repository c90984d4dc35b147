//go:build e2e

package e2e

import (
	"errors"
	"flag"
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

// atOnce is how many tests run at a time unless -parallel says otherwise. They wait most of the time, mostly for Swarm.
const atOnce = "6"

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if err := beEtcd(); err != nil {
		return 1, err
	}

	flag.Parse()
	if err := chooseParallelism(); err != nil {
		return 1, err
	}

	dir, err := os.MkdirTemp("", "dogker-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	scratch = dir
	// Workers of servers are other users, and have their directories in it: a server that is killed leaves them there.
	if err := os.Chmod(dir, 0o711); err != nil {
		return 1, err
	}

	if binary, err = findBinary(dir); err != nil {
		return 1, err
	}

	code = m.Run()

	return code, errors.Join(closeCommon(code != 0), closeCommonBilling(code != 0))
}

func chooseParallelism() error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}

	return flag.Set("test.parallel", atOnce)
}

// findBinary takes the binary that DOGKER_BIN names, or builds one.
func findBinary(dir string) (string, error) {
	if given := os.Getenv("DOGKER_BIN"); given != "" {
		// go test runs in the directory of the package, and whoever set the variable was elsewhere.
		if !filepath.IsAbs(given) {
			given = filepath.Join("..", "..", given)
		}

		return filepath.Abs(given)
	}

	out := filepath.Join(dir, "dogker")
	build := exec.Command("go", "build", "-o", out, "../../cmd/dogker")
	if msg, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build dogker: %w: %s", err, msg)
	}

	return out, nil
}
