package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc: USER_HZ, which Linux fixes at 100.
const ticksPerSecond = 100

// Process is a process by its id.
type Process int

// Self is the benchmark.
func Self() Process { return Process(os.Getpid()) }

// CPU is the CPU time that the process and its ended children have used, in seconds of one core.
func (p Process) CPU() (float64, error) {
	line, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return 0, err
	}

	// The second field is the command in parentheses, which may hold anything: count from the last one.
	fields := strings.Fields(string(line[strings.LastIndexByte(string(line), ')')+1:]))
	if len(fields) < 15 {
		return 0, fmt.Errorf("read %s: %d fields", p.file("stat"), len(fields))
	}

	// utime, stime, cutime and cstime are fields 14 to 17 of the line, and fields[0] is its third.
	ticks := 0.0
	for _, f := range fields[11:15] {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", p.file("stat"), err)
		}
		ticks += n
	}

	return ticks / ticksPerSecond, nil
}

// RSS is the resident memory in megabytes, with the pages of the program and other files.
func (p Process) RSS() (float64, error) { return p.memory("VmRSS:") }

// Own is the resident memory in megabytes that is no page of a file.
func (p Process) Own() (float64, error) { return p.memory("RssAnon:") }

// Peak is the most resident memory that the process has had so far, in megabytes, with the pages of files.
func (p Process) Peak() (float64, error) { return p.memory("VmHWM:") }

// ForgetPeak lets Peak count from now on.
func (p Process) ForgetPeak() error {
	const peak = "5" // proc_pid_clear_refs(5)

	return os.WriteFile(p.file("clear_refs"), []byte(peak), 0)
}

// Children are the processes that this one has started and that have not ended.
func (p Process) Children() []Process {
	var out []Process

	// Each thread has a list of those that it has started.
	lists, _ := filepath.Glob(p.file("task/*/children"))
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue // The thread has ended.
		}
		for _, field := range strings.Fields(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil {
				out = append(out, Process(pid))
			}
		}
	}

	return out
}

func (p Process) memory(field string) (float64, error) {
	content, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, err
	}

	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != field {
			continue
		}
		kib, err := strconv.ParseFloat(fields[1], 64)

		return kib * 1024 / 1e6, err
	}

	return 0, fmt.Errorf("read %s: no %s", p.file("status"), field)
}

func (p Process) file(name string) string {
	return filepath.Join("/proc", strconv.Itoa(int(p)), name)
}

// Load is the load average of the machine over the last minute.
func Load() float64 {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	load, _ := strconv.ParseFloat(strings.Fields(string(content))[0], 64)

	return load
}

// busy is the CPU time that everything on the machine has used, in seconds of one core.
func busy() float64 {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}

	fields := strings.Fields(strings.SplitN(string(content), "\n", 2)[0])
	total := 0.0
	for i, f := range fields[1:] {
		// user nice system idle iowait irq softirq steal; guest times are part of user.
		if i == 3 || i == 4 || i > 6 {
			continue
		}
		n, _ := strconv.ParseFloat(f, 64)
		total += n
	}

	return total / ticksPerSecond
}

// Consumer is something that uses CPU time.
type Consumer interface {
	// CPU is what it has used so far, in seconds of one core.
	CPU() (float64, error)
}

// Meter tells how much CPU named consumers have used since it was started, and how much everybody else has.
type Meter struct {
	start     time.Time
	machine   float64
	before    map[string]float64
	consumers map[string]Consumer
}

// StartMeter starts a meter. A process that has ended counts as zero.
func StartMeter(consumers map[string]Consumer) *Meter {
	return &Meter{start: time.Now(), machine: busy(), consumers: consumers, before: used(consumers)}
}

// Stop returns the CPU seconds of each consumer, and the number of cores that everybody else has kept busy.
func (m *Meter) Stop() (seconds map[string]float64, foreign float64) {
	elapsed, machine, now := time.Since(m.start).Seconds(), busy()-m.machine, used(m.consumers)

	seconds = map[string]float64{}
	for name := range m.consumers {
		seconds[name] = max(0, now[name]-m.before[name])
		machine -= seconds[name]
	}

	return seconds, max(0, machine/elapsed)
}

func used(consumers map[string]Consumer) map[string]float64 {
	out := map[string]float64{}
	for name, c := range consumers {
		if cpu, err := c.CPU(); err == nil {
			out[name] = cpu
		}
	}

	return out
}
