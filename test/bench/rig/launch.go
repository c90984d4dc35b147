package rig

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// starter is a thread that starts processes and lives as long as the benchmark.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())

	go func() {
		runtime.LockOSThread()

		for do := range work {
			do()
		}
	}()

	return work
})

// start starts a process that does not outlive the benchmark, even one that is killed. To the kernel it is the thread that has
// started a process, and not that thread's process, whose death is that of the parent: and threads of the benchmark do end,
// as each connection into a namespace takes one along. So it is always the same thread that starts, and that one stays.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	done := make(chan error, 1)
	starter() <- func() { done <- cmd.Start() }

	return <-done
}

// helper is this program in another process, as a server of another kind. Where that is found is the first line that it
// writes.
type helper struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
}

// startHelper starts one, which knows what to be by a variable of its environment.
func startHelper(variable, value string) (*helper, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}

	h := &helper{cmd: exec.Command(program)}
	h.cmd.Env = append(os.Environ(), variable+"="+value)
	h.cmd.Stderr = os.Stderr
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := start(h.cmd); err != nil {
		return nil, err
	}

	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("await its address: %w", err), h.stop())
	}
	h.address = strings.TrimSpace(line)

	return h, nil
}

// help is the life of a helper: it serves until the one who has started it closes its standard input, or dies.
func help(name, variable string, serve func(value string) error) {
	value := os.Getenv(variable)
	if value == "" {
		return
	}
	if err := serve(value); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// announce tells where the helper is found, and waits until it is to end.
func announce(address string) {
	fmt.Println(address)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (h *helper) process() Process { return Process(h.cmd.Process.Pid) }

func (h *helper) stop() error {
	_ = h.stdin.Close()

	return h.cmd.Wait()
}
