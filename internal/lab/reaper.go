package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// reapVariable turns a copy of this program into a reaper of the labs whose names start with its value.
const reapVariable = "DOGKER_LAB_REAP"

// reaper is the helper process of this one. It waits for this process to end, in whatever way, and then removes the labs
// that it has left. While it waits it costs nothing: the kernel closes the pipe between the two.
var reaper struct {
	once sync.Once
	err  error
	pipe *os.File // Never written to. It is kept here so that it closes with the process and not before.
}

// init makes every program that uses labs able to be its own reaper. It has to act before the program's own main, which
// in a test is generated code.
func init() {
	if owned := os.Getenv(reapVariable); owned != "" {
		reap(owned)
		os.Exit(0)
	}
}

// startReaper starts the reaper once. A lab of another process, or of none, has no reaper.
func startReaper(owner int) error {
	if owner != os.Getpid() {
		return nil
	}

	reaper.once.Do(func() { reaper.pipe, reaper.err = spawnReaper(owner) })

	return reaper.err
}

func spawnReaper(owner int) (*os.File, error) {
	started, err := startTime(owner)
	if err != nil {
		return nil, err
	}

	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()

	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s-%d-%s-", reapVariable, prefix, owner, started))
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C at the terminal must not take it along.
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}

	return w, nil
}

// reap waits for the owner's end and removes its labs. An engine may be on its way into its cgroup at that moment, so it
// looks a second time.
func reap(owned string) {
	_, _ = os.Stdin.Read(make([]byte, 1))

	for range 2 {
		for _, id := range labs() {
			if strings.HasPrefix(id, owned) {
				_ = Destroy(id)
			}
		}
		time.Sleep(300 * time.Millisecond)
	}
}
