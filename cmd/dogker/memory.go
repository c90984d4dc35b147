package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// The share of what is alive by which garbage may grow before it is collected. While the server starts, nothing is to
// be won by collecting; once it serves, half of Go's default trades a little CPU for a process that stays small beside
// the containers it manages.
const (
	gcPercentStarting = 400
	gcPercentServing  = 50
	// settled is how long after the start the memory that only the start needed is given back.
	settled = 20 * time.Second
)

// startWithMemory lets memory grow during the start. An operator who sets GOGC has decided otherwise.
func startWithMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentStarting)
	}
}

// saveMemory makes the process small once it serves.
func saveMemory(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentServing)
	}

	select {
	case <-ctx.Done():
	case <-time.After(settled):
		debug.FreeOSMemory()
		dropProgramPages()
	}
	<-ctx.Done()

	return nil
}

// mapping is a range of this process' memory.
type mapping struct {
	from, to uintptr
}

// dropProgramPages takes the pages of the program out of this process' memory. The start runs through most of the
// program once, and what follows needs a small part of it, which comes back from the page cache at the first touch. It
// changes nothing but how much memory is held, so an error is no reason to say anything.
func dropProgramPages() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()

	for _, m := range programMappings(f, program) {
		// Some kernels bring back two mebibytes at a touch where they are not told to do it in small pages. The result
		// does not matter: a range that cannot be dropped stays.
		for _, advice := range []uintptr{syscall.MADV_NOHUGEPAGE, syscall.MADV_DONTNEED} {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, advice)
		}
	}
}

// programMappings are the ranges that mirror the program's file byte for byte: they are not writable and hold no page of
// the process' own, as ranges do that the dynamic linker has relocated. It reads the format of /proc/PID/smaps.
func programMappings(smaps io.Reader, program string) []mapping {
	var found []mapping
	var current mapping
	candidate := false

	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if !strings.HasSuffix(fields[0], ":") {
			_, err := fmt.Sscanf(fields[0], "%x-%x", &current.from, &current.to)
			candidate = err == nil && fields[len(fields)-1] == program && strings.HasPrefix(fields[1], "r-")
			continue
		}
		if fields[0] == "Anonymous:" && candidate && fields[1] == "0" {
			found = append(found, current)
		}
	}

	return found
}
