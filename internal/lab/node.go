package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/docker/docker/client"
)

// Node is one engine in a network of its own.
type Node struct {
	// Name is also the host name that the engine tells the swarm.
	Name string
	// Address of the node in the lab's network.
	Address string
	// Host is the value of DOCKER_HOST for this engine.
	Host string
	// Docker is a client of this engine. It outlives restarts of the engine.
	Docker *client.Client

	lab    *Lab
	number int
	args   []string

	mu      sync.Mutex
	engine  *exec.Cmd
	stopped chan struct{} // Closed when the engine's process has ended.
}

func newNode(l *Lab, number int, args []string) *Node {
	name := fmt.Sprintf("node%d", number)

	n := &Node{
		Name:    name,
		Address: fmt.Sprintf("%s%d", subnet, number),
		lab:     l,
		number:  number,
		args:    args,
	}
	n.Host = "unix://" + n.path("docker.sock")
	n.Docker, _ = client.NewClientWithOpts(client.WithHost(n.Host), client.WithAPIVersionNegotiation())

	return n
}

// path of a file in the node's directory.
func (n *Node) path(name string) string { return filepath.Join(n.lab.dir, n.Name, name) }

// LogFile is where the engine writes its log.
func (n *Node) LogFile() string { return n.path("dockerd.log") }

// Start starts the engine and waits until it answers. It fails when the engine runs.
func (n *Node) Start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()

	if n.running() {
		return errors.New("the engine runs already")
	}
	if err := n.launch(); err != nil {
		return err
	}

	return n.waitReady(ctx)
}

// launch starts dockerd inside the node's namespace and cgroup, with nothing of the machine's own engine in reach.
func (n *Node) launch() error {
	if err := os.MkdirAll(n.path(""), 0o700); err != nil {
		return err
	}

	procs, err := makeCgroup(n.engineCgroup())
	if err != nil {
		return err
	}

	// The configuration file keeps /etc/docker out of it, for reading and for the key that the engine would write there.
	config, err := json.Marshal(map[string]string{"deprecated-key-path": n.path("key.json")})
	if err != nil {
		return err
	}
	if err := os.WriteFile(n.path("daemon.json"), config, 0o600); err != nil {
		return err
	}

	log, err := os.OpenFile(n.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()

	// The shell becomes nsenter and then dockerd by exec, so the process that is waited for is dockerd itself. `ip netns
	// exec` would not do: it hides the cgroup mounts.
	const script = `echo $$ > "$1" && hostname "$2" && shift 2 && exec "$@"`
	enter := []string{"-c", script, "lab", procs, n.Name, binary("nsenter"), "--net=" + n.NetworkNamespace(), "--"}

	n.engine = exec.Command("/bin/sh", append(enter, n.command()...)...)
	n.engine.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":"+strings.Join(systemDirs, ":"))
	n.engine.Stdout, n.engine.Stderr = log, log
	n.engine.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWUTS}
	if err := n.engine.Start(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}

	n.stopped = make(chan struct{})
	go func(cmd *exec.Cmd, stopped chan struct{}) {
		_ = cmd.Wait()
		close(stopped)
	}(n.engine, n.stopped)

	return nil
}

func (n *Node) command() []string {
	return append([]string{
		binary("dockerd"),
		"--config-file", n.path("daemon.json"),
		"--data-root", n.path("data"),
		"--exec-root", n.path("exec"),
		"--pidfile", n.path("dockerd.pid"),
		"--host", n.Host,
		"--cgroup-parent", "/" + n.lab.ID + "/" + n.Name,
	}, n.args...)
}

// engineCgroup is where the engine and its helpers run. Its containers are beside it, in a group of the node's name.
func (n *Node) engineCgroup() string { return n.lab.ID + "/" + n.Name + "-engine" }

func (n *Node) waitReady(ctx context.Context) error {
	for {
		if _, err := n.Docker.Ping(ctx); err == nil {
			return nil
		}

		select {
		case <-n.stopped:
			return fmt.Errorf("dockerd ended before it was ready:\n%s", n.logTail())
		case <-ctx.Done():
			return fmt.Errorf("dockerd is not ready: %w\n%s", ctx.Err(), n.logTail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (n *Node) logTail() string {
	content, err := os.ReadFile(n.LogFile())
	if err != nil {
		return err.Error()
	}

	return string(content[max(0, len(content)-2000):])
}

func (n *Node) running() bool {
	if n.engine == nil {
		return false
	}

	select {
	case <-n.stopped:
		return false
	default:
		return true
	}
}
