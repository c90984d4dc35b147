package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// systemDirs are where the tools are on a machine whose PATH holds only what ordinary users need.
var systemDirs = []string{"/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/local/bin"}

// requirements says what the machine lacks.
func requirements() error {
	if os.Geteuid() != 0 {
		return errors.New("a lab makes network namespaces and cgroups: run as root")
	}

	var missing []string
	for _, name := range []string{"dockerd", "containerd", "runc", "ip", "nsenter", "iptables"} {
		if !filepath.IsAbs(binary(name)) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s not found: run hack/setup.sh, which installs what the tests need", strings.Join(missing, ", "))
	}

	return nil
}

// binary finds a program in PATH or where system tools usually are. It returns the bare name when there is none.
func binary(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}

	for _, dir := range systemDirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}

	return name
}
