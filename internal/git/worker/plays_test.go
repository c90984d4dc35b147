package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

// TestMain is also the workers of the tests: those that work, and those that a repository has taken over.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, ok := plays[os.Args[1]]; ok {
			play()
			os.Exit(0)
		}
	}

	os.Exit(m.Run())
}

// plays are what a process can be, by its first argument.
var plays = map[string]func(){
	worker.Command: func() {
		if err := worker.Main(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	},
	"look":    look,
	"hog":     func() { begin(); hog() },
	"spin":    func() { begin(); spin() },
	"hang":    func() { begin(); time.Sleep(time.Hour) },
	"breed":   func() { begin(); breed() },
	"sit":     func() { time.Sleep(time.Hour) },
	"never":   func() { time.Sleep(time.Hour) },
	"die":     func() { begin(); os.Exit(3) },
	"garbage": func() { begin(); fmt.Println("what?") },
	"flood":   func() { begin(); flood() },
	"lie":     func() { begin(); fmt.Println(`{"built":{"revision":"main@sha1:x","commit":{"hash":"y"}}}`) },
	"many":    func() { begin(); many() },
	"speak": func() {
		begin()
		fmt.Println(`{"error":{"reason":"Build\u0007Failed <b>","message":"\u001b[31mred\u001b[0m","file":"a\nb"}}`)
	},
}

// begin is what every worker does first.
func begin() {
	fmt.Println(`{"ready":true}`)

	if err := worker.Confine(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hog() {
	var all [][]byte

	for {
		b := make([]byte, 16<<20)
		for i := range b {
			b[i] = 1
		}

		all = append(all, b)
		if len(all) > 1000 {
			return
		}
	}
}

func spin() {
	for i := 0; ; i++ {
		if i < 0 {
			return
		}
	}
}

func flood() {
	for line := strings.Repeat("x", 1<<16); ; {
		if _, err := fmt.Printf("{\"object\":{\"json\":{\"a\":%q}}}\n", line); err != nil {
			return
		}
	}
}

func many() {
	for range 1 << 20 {
		if _, err := fmt.Println(`{"object":{"json":{}}}`); err != nil {
			return
		}
	}
}

// breed starts a process that hides: in a session of its own, where its namespace finds it, and else in the worker's group.
func breed() {
	dir, _ := os.Getwd()
	cmd := exec.Command("/proc/self/exe", "sit", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: os.Getpid() == 1}
	_ = cmd.Start()

	time.Sleep(time.Hour)
}

// look answers with what a worker can see, as the subject of a commit.
func look() {
	fmt.Println(`{"ready":true}`)

	request, _ := io.ReadAll(os.Stdin)

	var fds []string

	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !ownOfGo(to) {
			fds = append(fds, e.Name())
		}
	}

	status, _ := os.ReadFile("/proc/self/status")

	var nnp string

	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "NoNewPrivs:"); ok {
			nnp = strings.TrimSpace(v)
		}
	}

	dir, _ := os.Getwd()
	inDir, _ := os.ReadDir(dir)

	groups, _ := os.Getgroups()
	hash := strings.Repeat("0", 40)
	seen := fmt.Sprintf("env=%d args=%d fds=%s nnp=%s uid=%d gid=%d groups=%d indir=%d secret=%t",
		len(os.Environ()), len(os.Args), strings.Join(fds, ","), nnp, os.Getuid(), os.Getgid(), len(groups), len(inDir), bytes.Contains(request, []byte("hunter2")))

	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"built": source.Built{
		Revision: "sha1:" + hash, Commit: source.Commit{Hash: hash, Subject: seen},
	}})
}

// ownOfGo tells whether a file is one that every program in Go has open: what it waits with, what it looks at processors in, and the
// list that is being read.
func ownOfGo(file string) bool {
	return strings.HasPrefix(file, "/proc/") || strings.HasPrefix(file, "/sys/fs/cgroup/") || strings.Contains(file, "anon_inode:")
}
