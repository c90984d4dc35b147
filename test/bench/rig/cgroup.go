package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// Cgroup is the cgroup of a lab: its engine, the helpers of that, and all containers.
type Cgroup string

// accounting is where the kernel accounts for CPU time: in the one tree of cgroup v2, or in a tree of its own before.
func accounting() (root string, unified bool) {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return cgroupRoot, true
	}

	return filepath.Join(cgroupRoot, "cpuacct"), false
}

// join makes the CPU time of processes, and of what they start from now on, count in the lab's cgroup. With cgroup v2 it
// does already. Before, a lab puts only containers into that tree.
func (c Cgroup) join(processes []Process) error {
	root, unified := accounting()
	if unified {
		return nil
	}

	dir := filepath.Join(root, string(c), "engine")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range processes {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(int(p))), 0); err != nil {
			return fmt.Errorf("account for process %d: %w", p, err)
		}
	}

	return nil
}

// CPU is the CPU time that everything in the cgroup has used, in seconds of one core.
func (c Cgroup) CPU() (float64, error) {
	root, unified := accounting()
	if !unified {
		content, err := os.ReadFile(filepath.Join(root, string(c), "cpuacct.usage"))
		if err != nil {
			return 0, err
		}
		nanoseconds, err := strconv.ParseFloat(strings.TrimSpace(string(content)), 64)

		return nanoseconds / 1e9, err
	}

	content, err := os.ReadFile(filepath.Join(root, string(c), "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "usage_usec "); ok {
			microseconds, err := strconv.ParseFloat(strings.TrimSpace(value), 64)

			return microseconds / 1e6, err
		}
	}

	return 0, fmt.Errorf("read CPU time of cgroup %q: there is none", string(c))
}
