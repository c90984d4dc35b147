package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends the engine as the kernel's OOM killer would. Its containers go on.
func (n *Node) Kill() error {
	if err := n.end(syscall.SIGKILL); err != nil {
		return err
	}
	n.buryContainerd()

	return nil
}

// Stop asks the engine to stop, as an init system does, and waits. Its containers are stopped first.
func (n *Node) Stop() error { return n.end(syscall.SIGTERM) }

// Restart stops the engine and starts it again.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Stop(); err != nil {
		return err
	}

	return n.Start(ctx)
}

// PowerCut ends every process of the node at once: the engine, its helpers and all containers.
func (n *Node) PowerCut() error {
	if err := n.Kill(); err != nil {
		return err
	}
	if err := killCgroup(n.engineCgroup()); err != nil {
		return err
	}

	return killCgroup(n.lab.ID + "/" + n.Name)
}

// Pause freezes the engine without ending it: its sockets accept and nobody answers.
//
// The kernel stops threads one by one. When Pause returns all of them stand still, so that nothing is answered any more.
func (n *Node) Pause() error {
	const patience = 10 * time.Second

	if err := n.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		still, err := standsStill(n.engine.Process.Pid)
		if err != nil || still {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("pause node %q: the engine has threads that go on after %v", n.Name, patience)
		}
	}
}

// standsStill is whether all threads of a process are stopped (proc_pid_stat(5), state T).
func standsStill(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if errors.Is(err, fs.ErrNotExist) {
			continue // It ended a moment ago.
		}
		if err != nil {
			return false, err
		}
		// The name before the state is in parentheses, and may hold anything.
		if _, state, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" ")); !bytes.HasPrefix(state, []byte("T")) {
			return false, nil
		}
	}

	return len(threads) > 0, nil
}

// Resume lets a paused engine go on.
func (n *Node) Resume() error { return n.signal(syscall.SIGCONT) }

func (n *Node) signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()

	if !n.running() {
		return fmt.Errorf("send %v to node %q: the engine does not run", s, n.Name)
	}

	return n.engine.Process.Signal(s)
}

// end sends a signal that ends the engine and waits until it has ended.
func (n *Node) end(s syscall.Signal) error {
	const patience = time.Minute

	if err := n.signal(s); err != nil {
		return err
	}

	select {
	case <-n.stopped:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("dockerd of node %q does not end on %v", n.Name, s)
	}
}

// buryContainerd waits until the engine's containerd, which the kernel kills with its parent, is gone, and removes the
// file with its process id. An engine that started in between would take the dying containerd for a living one.
func (n *Node) buryContainerd() {
	file := n.path("exec/containerd/containerd.pid")

	content, err := os.ReadFile(file)
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return
	}

	for range 500 {
		if _, err := startTime(pid); err != nil {
			_ = os.Remove(file)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
