package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

const netnsDir = "/run/netns"

// Destroy removes everything that carries the lab's name: processes first, then what they held. It needs nothing but the
// name, so it also removes what a killed process has left. It is no error when there is nothing.
func Destroy(id string) error {
	if !strings.HasPrefix(id, prefix+"-") {
		return fmt.Errorf("destroy lab %q: this is not the name of a lab", id)
	}

	dir := dirOf(id)
	errs := []error{killCgroup(id), unmountBelow(dir)}

	for _, ns := range partsIn(netnsDir, id) {
		errs = append(errs, run(context.Background(), "ip", "netns", "delete", ns))
	}

	errs = append(errs, os.RemoveAll(dir), removeCgroup(id))

	return errors.Join(errs...)
}

// collectDead removes labs whose owner is dead. It is best effort: what cannot be removed is tried again by the next lab,
// and must not fail a test that has nothing to do with it.
func collectDead() {
	for _, id := range labs() {
		if ownerDead(id) {
			_ = Destroy(id)
		}
	}
}

// labs lists the names of all labs that have left anything on the machine.
func labs() []string {
	var ids []string

	for _, dir := range []string{netnsDir, baseDir(), tracking()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), prefix+"-") {
				ids = append(ids, idOf(e.Name()))
			}
		}
	}

	slices.Sort(ids)

	return slices.Compact(ids)
}

// partsIn lists the entries of a directory that belong to the lab.
func partsIn(dir, id string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}

	var names []string
	for _, e := range entries {
		if idOf(e.Name()) == id {
			names = append(names, e.Name())
		}
	}

	return names
}

// unmountBelow takes away the mounts that killed engines have left in their directories.
func unmountBelow(dir string) error {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}

	var points []string
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			points = append(points, fields[4])
		}
	}

	// The last ones mounted lie on top of the others.
	slices.Reverse(points)

	var errs []error
	for _, point := range points {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %q: %w", point, err))
		}
	}

	return errors.Join(errs...)
}
