package rig

import (
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// TestStart ends the thread of who asks for a process, as connections into namespaces end theirs: the process goes on.
func TestStart(t *testing.T) {
	const lasting = 500 * time.Millisecond

	cmd := exec.Command("sleep", "60")
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Never unlocked: the thread ends with the goroutine.

		started <- start(cmd)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	select {
	case err := <-ended:
		t.Fatalf("the process has ended with the thread that asked for it: %v", err)
	case <-time.After(lasting):
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
