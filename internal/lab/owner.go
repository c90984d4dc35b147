package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// NoOwner makes a lab that belongs to no process.
const NoOwner = -1

// prefix starts the name of everything that labs make.
const prefix = "dogkerlab"

// count numbers the labs that this process has made.
var count atomic.Int64

// baseDir holds the directories of all labs.
func baseDir() string { return filepath.Join(os.TempDir(), prefix) }

// dirOf is the directory of a lab.
func dirOf(id string) string { return filepath.Join(baseDir(), id) }

// logsDir holds the logs of engines whose tests failed. It is not cleaned by anybody but the user.
func logsDir() string {
	if dir := os.Getenv("DOGKER_LAB_LOGS"); dir != "" {
		return dir
	}

	return filepath.Join(os.TempDir(), prefix+"-logs")
}

// newID names a lab after its owner, so that anybody can tell later whether the owner still lives.
func newID(owner int) (string, error) {
	if owner == NoOwner {
		return fmt.Sprintf("%s-0-%d-%d", prefix, os.Getpid(), count.Add(1)), nil
	}

	started, err := startTime(owner)
	if err != nil {
		return "", fmt.Errorf("find owner %d of the lab: %w", owner, err)
	}

	return fmt.Sprintf("%s-%d-%s-%d", prefix, owner, started, count.Add(1)), nil
}

// ownerDead is true for the name of a lab whose owner does not run any more. A process that has got the owner's id since
// is told apart by its start time.
func ownerDead(id string) bool {
	parts := strings.Split(id, "-")
	if len(parts) != 4 || parts[0] != prefix || parts[1] == "0" {
		return false
	}

	pid, err := strconv.Atoi(parts[1])
	if err != nil {
		return false
	}

	started, err := startTime(pid)

	return err != nil || started != parts[2]
}

// startTime is when a process started, in ticks since boot, from field 22 of its stat line. A zombie counts as dead.
func startTime(pid int) (string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}

	// The second field is the command in parentheses, which may hold anything: count from the last one.
	fields := strings.Fields(string(line[strings.LastIndexByte(string(line), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("read stat of process %d: %d fields", pid, len(fields))
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "", fmt.Errorf("process %d is dead", pid)
	}

	return fields[19], nil
}

// idOf cuts what follows the name of a lab in the name of one of its parts, such as a network namespace.
func idOf(name string) string {
	parts := strings.Split(name, "-")

	return strings.Join(parts[:min(4, len(parts))], "-")
}
