package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// tick is the unit of /proc/stat. Linux has shown people hundredths of a second on every machine for decades, whatever it
// counts in itself.
const tick = time.Second / 100

// readMachine reads what the kernel tells of the machine. What it reads is the machine's in a container as well.
func readMachine(proc string) (telemetry.Machine, error) {
	var m telemetry.Machine

	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return m, fmt.Errorf("read CPU time of the machine: %w", err)
	}
	if err := parseStat(stat, &m); err != nil {
		return m, fmt.Errorf("read CPU time of the machine: %w", err)
	}

	mem, err := os.ReadFile(filepath.Join(proc, "meminfo"))
	if err != nil {
		return m, fmt.Errorf("read memory of the machine: %w", err)
	}
	if err := parseMeminfo(mem, &m); err != nil {
		return m, fmt.Errorf("read memory of the machine: %w", err)
	}

	return m, nil
}

// parseStat reads the sum of CPU time, the cores, and when the machine was started.
func parseStat(stat []byte, m *telemetry.Machine) error {
	for lines := bufio.NewScanner(bytes.NewReader(stat)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")

		switch {
		case name == "cpu":
			busy, err := busyTime(strings.Fields(rest))
			if err != nil {
				return err
			}
			m.CPU = busy
		case strings.HasPrefix(name, "cpu"):
			m.Cores++
		case name == "btime":
			seconds, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			if err != nil {
				return fmt.Errorf("parse btime: %w", err)
			}
			m.Booted = time.Unix(seconds, 0)
		}
	}
	if m.Cores == 0 || m.Booted.IsZero() {
		return errors.New("there are no lines of CPUs or of btime")
	}

	return nil
}

// The columns of CPU time: user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
const (
	columnIdle   = 3
	columnIOWait = 4
	columns      = 8
)

// busyTime is the time in which something ran, be it another machine on the same host.
func busyTime(fields []string) (time.Duration, error) {
	var busy int64

	for i, field := range fields[:min(len(fields), columns)] {
		if i == columnIdle || i == columnIOWait {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse column %d: %w", i+1, err)
		}
		busy += n
	}

	return time.Duration(busy) * tick, nil
}

func parseMeminfo(meminfo []byte, m *telemetry.Machine) error {
	for lines := bufio.NewScanner(bytes.NewReader(meminfo)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")

		var into *uint64
		switch name {
		case "MemTotal":
			into = &m.MemoryTotal
		case "MemAvailable":
			into = &m.MemoryAvailable
		default:
			continue
		}

		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 54)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		*into = kib << 10
	}
	if m.MemoryTotal == 0 {
		return errors.New("there is no MemTotal")
	}

	return nil
}
