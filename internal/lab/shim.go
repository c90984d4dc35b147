package lab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shimDir is where the shims of every containerd on the machine have their sockets, under names that say nothing.
const shimDir = "/run/containerd/s/"

// shimSockets adds the shim sockets that the processes hold open. Each process is asked for the sockets of its own
// network namespace.
func shimSockets(pids []int, found map[string]bool) {
	for _, pid := range pids {
		held := socketsOf(pid)
		if len(held) == 0 {
			continue
		}

		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/unix", pid))
		if err != nil {
			continue // It has ended.
		}

		// The last two columns are the inode and the path.
		for line := range strings.Lines(string(table)) {
			fields := strings.Fields(line)
			if n := len(fields); n > 2 && held[fields[n-2]] && strings.HasPrefix(fields[n-1], shimDir) {
				found[fields[n-1]] = true
			}
		}
	}
}

// socketsOf lists the inodes of the sockets that a process holds open.
func socketsOf(pid int) map[string]bool {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil
	}

	inodes := map[string]bool{}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}

	return inodes
}

func removeAll(files map[string]bool) error {
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}

	return errors.Join(errs...)
}
