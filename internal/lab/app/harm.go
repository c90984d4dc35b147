package main

import (
	"log"
	"os"
	"runtime"
	"syscall"
)

// scratch is what write writes.
const scratch = "/scratch"

// bomb makes processes that do nothing until there can be no more, and goes on trying without a pause. All of it goes
// round Go's runtime, which would end the program as soon as the kernel refuses it a thread.
func bomb() {
	runtime.LockOSThread()

	for {
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		for pid == 0 && errno == 0 {
			_, _, _ = syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
		}
	}
}

// write keeps the disk busy, and holds no more of it than mib.
func write(mib int) {
	block := make([]byte, 1<<20)

	for {
		f, err := os.Create(scratch)
		if err != nil {
			log.Fatal(err)
		}

		for range mib {
			if _, err := f.Write(block); err != nil {
				log.Fatal(err)
			}
		}
		if err := f.Sync(); err != nil {
			log.Fatal(err)
		}
		f.Close()
	}
}
