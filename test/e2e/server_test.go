//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/internal/lab"
)

// server is one `dogker server` process and what it needs to be started again.
type server struct {
	lab     *lab.Lab
	dataDir string
	// address of the API. It stays the same over restarts, as it does for users.
	address string
	// engine is DOCKER_HOST.
	engine string
	// args are further arguments.
	args []string
	// within is the node in whose network it runs, where it reaches containers as it would on a machine of its own; nil for
	// the machine's network.
	within *lab.Node

	process *exec.Cmd
	ended   chan struct{} // Closed when the process has ended.
}

// newServer prepares a server for the engine; start starts it.
func newServer(l *lab.Lab, dir, engine string, args ...string) (*server, error) {
	// A port that was free a moment ago is good enough: what a test cannot have is one that changes at a restart.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer free.Close()

	return &server{lab: l, dataDir: dir, address: free.Addr().String(), engine: engine, args: args}, nil
}

func (s *server) logFile() string    { return filepath.Join(s.dataDir, "server.log") }
func (s *server) kubeconfig() string { return filepath.Join(s.dataDir, "admin.kubeconfig") }

// config is how a client reaches the API as administrator, as fast as it likes.
func (s *server) config() (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig())
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.Burst = -1, -1
	if s.within != nil {
		cfg.Dial = s.within.Dial
	}

	return cfg, nil
}

// start starts the process and waits until it is ready.
func (s *server) start(ctx context.Context) error {
	if err := s.launch(); err != nil {
		return err
	}

	return s.waitReady(ctx)
}

// launch starts the process and does not wait.
func (s *server) launch() error {
	if err := os.MkdirAll(s.dataDir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()

	args := append([]string{"server", "--data-dir", s.dataDir, "--listen", s.address}, s.args...)
	s.process = s.command(binary, args...)
	s.process.Env = append(os.Environ(), "DOCKER_HOST="+s.engine, "TMPDIR="+scratch)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start dogker: %w", err)
	}

	s.ended = make(chan struct{})
	go func(p *exec.Cmd, ended chan struct{}) {
		_ = p.Wait()
		close(ended)
	}(s.process, s.ended)

	return s.lab.Adopt(s.process.Process)
}

// command is a process in the network that the server runs in.
func (s *server) command(name string, args ...string) *exec.Cmd {
	if s.within == nil {
		return exec.Command(name, args...)
	}

	return exec.Command("nsenter", append([]string{"--net=" + s.within.NetworkNamespace(), "--", name}, args...)...)
}

// waitReady asks /readyz until the answer is 200.
func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()

	for {
		last := s.readyz(ctx)
		if last == nil {
			return nil
		}

		select {
		case <-s.ended:
			return fmt.Errorf("dogker ended before it was ready:\n%s", tail(s.logFile(), 20))
		case <-ctx.Done():
			return fmt.Errorf("dogker is not ready: %w\n%s", last, tail(s.logFile(), 20))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *server) readyz(ctx context.Context) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.Host+"/readyz", nil)
	if err != nil {
		return err
	}

	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", resp.Status)
	}

	return nil
}

// stop asks the process to stop, as an init system does, and fails when it does not end well within the time that the
// server promises.
func (s *server) stop() error {
	const patience = 15 * time.Second

	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("dogker does not stop within %v of SIGTERM", patience), s.kill())
	}
	if code := s.process.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("dogker ended with code %d after SIGTERM:\n%s", code, tail(s.logFile(), 10))
	}

	return nil
}

// kill ends the process as the kernel's OOM killer would.
func (s *server) kill() error {
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended

	return nil
}

// pause freezes the process, and resume lets it go on.
func (s *server) pause() error  { return s.process.Process.Signal(syscall.SIGSTOP) }
func (s *server) resume() error { return s.process.Process.Signal(syscall.SIGCONT) }

func (s *server) running() bool {
	if s.process == nil || s.ended == nil {
		return false
	}

	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// tail is the end of a log, for messages.
func tail(file string, lines int) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")

	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
