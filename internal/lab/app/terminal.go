package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

// windowSize asks the terminal on standard input how large it is; false where there is none.
func windowSize() (columns, rows uint16, ok bool) {
	var size struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, os.Stdin.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))

	return size.columns, size.rows, errno == 0
}

// terminal is what somebody sits at: it says how large the terminal is, again whenever that changes, and repeats each line.
// `exit CODE` ends it, and so does the end of the input.
func terminal([]string) int {
	if _, _, ok := windowSize(); !ok {
		fmt.Println("no terminal")
		return 1
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)

	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	tell := func() {
		if columns, rows, ok := windowSize(); ok {
			say("terminal %dx%d", columns, rows)
		}
	}
	tell()
	go func() {
		for range changed {
			tell()
		}
	}()

	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if code, ok := strings.CutPrefix(in.Text(), "exit "); ok {
			n, err := strconv.Atoi(code)
			if err != nil {
				return 2
			}
			return n
		}
		say("heard %s", in.Text())
	}
	say("the end")

	return 0
}
