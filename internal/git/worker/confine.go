package worker

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dogker/dogker/reconciler/source"
)

// maxDescriptors and maxThreads are far above what a build needs.
const (
	maxDescriptors = 128
	maxThreads     = 128
)

// cpuSeconds is how much processor time a worker may take. One processor at work for all of its time is enough.
func cpuSeconds(l source.Limits) uint64 { return uint64(l.Time/time.Second) + 2 }

// confine limits what this process can use from now on, for good: nothing in it can raise what was lowered. It does that itself,
// before it looks at what a stranger has a say in, because not every server that is root may do it to others. What it can write to may
// grow by its memory from what it is, and its address space by twice of that, because Go reserves more than it uses.
func confine(t task) error {
	mapped, data, err := sizes()
	if err != nil {
		return err
	}

	limits := t.Request.Limits.OrDefault()
	most := map[int]uint64{
		unix.RLIMIT_AS:     mapped + 2*uint64(t.MemoryBytes),
		unix.RLIMIT_DATA:   data + uint64(t.MemoryBytes),
		unix.RLIMIT_CPU:    cpuSeconds(limits),
		unix.RLIMIT_FSIZE:  uint64(2*limits.CloneBytes + 16<<20),
		unix.RLIMIT_NOFILE: maxDescriptors,
		unix.RLIMIT_CORE:   0,
	}

	// Threads are counted for a user, and the user may be the one who runs everything here.
	if t.Alone {
		most[unix.RLIMIT_NPROC] = maxThreads
	}

	for resource, limit := range most {
		var now unix.Rlimit
		if err := unix.Prlimit(0, resource, nil, &now); err != nil {
			return err
		}

		limit = min(limit, now.Max)
		if err := unix.Prlimit(0, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil); err != nil {
			return err
		}
	}

	return nil
}

// sizes are how large the address space of this process is, and how much of it can be written to and is nobody else's.
func sizes() (mapped, data uint64, err error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}

	fields := strings.Fields(string(text))
	if len(fields) < 6 {
		return 0, 0, errAnswer
	}

	if mapped, err = strconv.ParseUint(fields[0], 10, 64); err != nil {
		return 0, 0, err
	}

	data, err = strconv.ParseUint(fields[5], 10, 64)
	page := uint64(os.Getpagesize())

	return mapped * page, data * page, err
}
