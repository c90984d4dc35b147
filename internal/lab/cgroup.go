package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// unified is true on a machine with cgroup v2 alone.
func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))

	return err == nil
}

// hierarchies are the roots of all cgroup trees of the machine; containers of a lab are in each of them.
func hierarchies() []string {
	if unified() {
		return []string{cgroupRoot}
	}

	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil
	}

	var roots []string
	for _, e := range entries {
		if e.IsDir() {
			roots = append(roots, filepath.Join(cgroupRoot, e.Name()))
		}
	}

	return roots
}

// tracking is the hierarchy by which the processes of a lab are found.
func tracking() string {
	if unified() {
		return cgroupRoot
	}

	return filepath.Join(cgroupRoot, "pids")
}

// makeCgroup makes the cgroup that a process joins by writing its id to the file that is returned.
func makeCgroup(name string) (procs string, err error) {
	dir := filepath.Join(tracking(), name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cgroup %q: %w", name, err)
	}

	return filepath.Join(dir, "cgroup.procs"), nil
}

// killCgroup kills every process in the cgroup and below, until there is none. It returns when they are gone, and takes
// along the sockets that containerd's shims have left outside of the engine's directories.
func killCgroup(name string) error {
	const patience = 20 * time.Second

	sockets := map[string]bool{}

	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		pids := cgroupProcesses(name)
		if len(pids) == 0 {
			return removeAll(sockets)
		}
		shimSockets(pids, sockets)
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v of cgroup %q do not die", pids, name)
		}

		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// cgroupProcesses lists the processes in the cgroup and below.
func cgroupProcesses(name string) []int {
	var pids []int

	_ = filepath.WalkDir(filepath.Join(tracking(), name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil // A cgroup that vanishes while it is walked has no processes.
		}

		content, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for field := range strings.FieldsSeq(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}

		return nil
	})

	return pids
}

// removeCgroup removes the cgroup and all below it from every hierarchy.
func removeCgroup(name string) error {
	var errs []error

	for _, root := range hierarchies() {
		top := filepath.Join(root, name)

		var dirs []string
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})

		for i := len(dirs) - 1; i >= 0; i-- {
			if err := removeBusyDir(dirs[i]); err != nil {
				errs = append(errs, err)
			}
		}
	}

	return errors.Join(errs...)
}

// removeBusyDir removes the directory of a cgroup. The kernel holds on to it for a moment after its last process died.
func removeBusyDir(dir string) error {
	for range 100 {
		err := syscall.Rmdir(dir)
		if err == nil || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		if !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("remove cgroup %q: %w", dir, err)
		}
		time.Sleep(10 * time.Millisecond)
	}

	return fmt.Errorf("remove cgroup %q: still busy", dir)
}
