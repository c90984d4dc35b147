package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"
)

// The share of what is alive, in percent, by which garbage may grow before it is collected. While the server starts,
// nothing is to be won by collecting. At rest, half of Go's default keeps the process small beside the containers it
// manages. Under load that would cost a third of all its time, so garbage may grow by headroom instead.
const (
	gcPercentStarting = 400
	gcPercentResting  = 50
	gcPercentBusiest  = 400
	headroom          = 192 << 20 // bytes
)

const (
	// settled is how long after the start the memory that only the start needed is given back.
	settled = 20 * time.Second
	// gcLook is how often the pace of collections is looked at.
	gcLook = time.Second
	// busyCollections in one gcLook are too many for a process at rest.
	busyCollections = 2
	// calm is how long the collector has to have little to do before the process is made small again.
	calm = 15 * time.Second
)

// startWithMemory lets memory grow during the start. An operator who sets GOGC has decided otherwise.
func startWithMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentStarting)
	}
}

// saveMemory makes the process small once it serves, and keeps it small for as long as there is little to do.
func saveMemory(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentResting)
		go paceCollector(ctx)
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

// paceCollector gives the garbage collector room under load and takes it back afterwards.
func paceCollector(ctx context.Context) {
	ticks := time.NewTicker(gcLook)
	defer ticks.Stop()

	p := pacer{cycles: readCollector().cycles, percent: gcPercentResting}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			if !p.look(now, readCollector()) {
				continue
			}
			debug.SetGCPercent(p.percent)
			if p.percent == gcPercentResting {
				debug.FreeOSMemory()
			}
		}
	}
}

// collections is what the runtime tells of its garbage collector.
type collections struct {
	cycles uint64 // Since the start.
	live   uint64 // Bytes that the last cycle found in use.
}

func readCollector() collections {
	samples := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)

	return collections{cycles: samples[0].Value.Uint64(), live: samples[1].Value.Uint64()}
}

// pacer decides how far garbage may grow.
type pacer struct {
	percent int
	cycles  uint64
	busy    time.Time // When there was last much to collect.
}

// look is true when the percentage has changed. A busy collector gets room at once: headroom, or gcPercentBusiest where
// little is alive, and never less than at rest where much is. With that room a load does not look busy any more, so it
// is given back only when what is collected would not be much at rest either.
func (p *pacer) look(now time.Time, c collections) bool {
	ran := c.cycles - p.cycles
	p.cycles = c.cycles

	// As many collections as there would have been at rest.
	if uint64(p.percent)*ran >= gcPercentResting*busyCollections {
		p.busy = now
	}

	want := p.percent
	switch {
	case p.busy.Equal(now):
		want = min(max(int(headroom*100/max(c.live, 1)), gcPercentResting), gcPercentBusiest) //nolint:gosec // below 2^41
	case now.Sub(p.busy) >= calm:
		want = gcPercentResting
	}
	// What is alive varies a little from one collection to the next, and each change stops the world for a moment.
	if diff := want - p.percent; want != gcPercentResting && diff*diff <= gcPercentResting*gcPercentResting {
		return false
	}
	changed := want != p.percent
	p.percent = want

	return changed
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
