package main

import (
	"net/http"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// burn uses so many seconds of CPU, at the given part of a core, and not a bit more than that takes: who counts can be held
// against it.
//
//	POST /burn?seconds=10&percent=50
func (s *server) burn(w http.ResponseWriter, r *http.Request) {
	seconds, err1 := strconv.ParseFloat(r.FormValue("seconds"), 64)
	percent, err2 := strconv.ParseFloat(r.FormValue("percent"), 64)
	if err1 != nil || err2 != nil || percent <= 0 || percent > 100 {
		http.Error(w, "seconds and percent must be numbers", http.StatusBadRequest)
		return
	}

	go burnFor(time.Duration(seconds*float64(time.Second)), percent/100)
}

func burnFor(total time.Duration, part float64) {
	const period = 50 * time.Millisecond

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	began := usedByThread()
	for used := time.Duration(0); used < total; used = usedByThread() - began {
		end := time.Now().Add(period)
		for slice := used + time.Duration(part*float64(period)); usedByThread()-began < min(slice, total); {
		}
		time.Sleep(time.Until(end))
	}
}

// usedByThread is the CPU time of the thread that asks.
func usedByThread() time.Duration {
	const thread = 1 // RUSAGE_THREAD

	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		return 0
	}

	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bytes answers with so many mebibytes.
//
//	GET /bytes?mib=20
func (s *server) bytes(w http.ResponseWriter, r *http.Request) {
	mib, err := strconv.Atoi(r.FormValue("mib"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	block := make([]byte, 1<<20)
	for range mib {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}
