//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// protocols are the ways in which kubectl opens streams, by what it is told in its environment.
var protocols = map[string][]string{
	"WebSocket": nil,
	"SPDY":      {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "KUBECTL_PORT_FORWARD_WEBSOCKETS=false"},
}

// typed is what somebody types into a terminal.
const typed = "what-nobody-writes-down"

// interactive is what somebody does who works in a container, by every protocol.
func (d *console) interactive(t *testing.T, pod string) {
	for name, env := range protocols {
		t.Run(name, func(t *testing.T) {
			was := *d.n
			was.t = t
			by := &console{n: &was, kubeconfig: d.kubeconfig, env: env}
			t.Run("Pipe", func(t *testing.T) { by.pipe(t, pod) })
			t.Run("Terminal", func(t *testing.T) { by.terminal(t, pod) })
			t.Run("Attach", func(t *testing.T) { by.attach(t, pod) })
			t.Run("Copy", func(t *testing.T) { by.copies(t, pod) })
		})
	}
}

// pipe has commands say something when their input has ended, and end as they like.
func (d *console) pipe(t *testing.T, pod string) {
	const bytes = 1 << 20
	for _, err := range []error{
		d.says(strings.Repeat("x", bytes), 0, fmt.Sprintf(`^heard %d bytes\n$`, bytes), "exec", "-i", pod, "--", "/app", "count"),
		d.says("nobody reads this", 0, `^heard 0 bytes\n$`, "exec", pod, "--", "/app", "count"),
		d.says("", 42, `command terminated with exit code 42`, "exec", "-i", pod, "--", "/app", "exit", "42"),
		d.says("", 1, `no terminal`, "exec", "-i", pod, "--", "/app", "terminal"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// terminal is a session whose terminal changes its size, one that is ended by the end of the input, and one that is interrupted.
func (d *console) terminal(t *testing.T, pod string) {
	exec := []string{"exec", "-it", pod, "--", "/app", "terminal"}

	s := d.sit(t, exec...)
	s.sees("terminal 80x24")
	s.resize(132, 43)
	s.sees("terminal 132x43")
	s.types(typed + "\n")
	s.sees("heard " + typed)
	s.types("exit 42\n")
	s.ends(42)

	s = d.sit(t, exec...)
	s.sees("terminal 80x24")
	s.types("\x04")
	s.sees("the end")
	s.ends(0)

	s = d.sit(t, exec...)
	s.sees("terminal 80x24")
	s.types("\x03")
	s.ends(128 + int(syscall.SIGINT))
}

// attach hears the first process of a container, which was started without a terminal and hears nobody.
func (d *console) attach(t *testing.T, pod string) {
	d.attached(t, pod)

	s := d.sit(t, "attach", "-it", pod)
	s.sees("Unable to use a TTY - container")
}

// attached attaches to a container, and returns how to wait for the end once something was heard.
func (d *console) attached(t *testing.T, pod string) (end func() int) {
	t.Helper()
	said, end := d.follow("attach", pod)
	heard := 0
	await(t, soon, "what the container writes is heard", func() error {
		heard++
		line := fmt.Sprintf("attached %d", heard)
		if err := d.says("", 0, ``, "exec", pod, "--", "/app", "log", line); err != nil {
			return err
		}
		for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(glance) {
			if strings.Contains(said(), line+"\n") {
				return nil
			}
		}

		return fmt.Errorf("heard %q", said())
	})

	return end
}

// copies copies a file into the container and back.
func (d *console) copies(t *testing.T, pod string) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	content := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(content) //nolint:errcheck // It never fails.
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		d.says("", 0, ``, "cp", from, pod+":/copied"),
		d.says("", 0, ``, "cp", pod+":/copied", to),
		d.says("", 2, `no such file`, "cp", pod+":/nothing", to),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, %v, want the %d that were copied", len(got), err, len(content))
	}
}

// session is kubectl with a terminal, of which the test has the other end.
type session struct {
	t      *testing.T
	master *os.File
	seen   tee
	ended  chan struct{}
	code   func() int
}

// sit runs kubectl at a terminal of 80 columns and 24 rows.
func (d *console) sit(t *testing.T, args ...string) *session {
	t.Helper()
	master, slave, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, master: master, ended: make(chan struct{})}
	s.resize(80, 24)

	cmd := d.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.code = func() int { return cmd.ProcessState.ExitCode() }
	err = cmd.Start()
	slave.Close()
	if err != nil {
		master.Close()
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		// It ends with an error when nobody has the other end any more.
		_, _ = s.seen.readFrom(master)
	}()
	go func() {
		defer close(s.ended)
		_ = cmd.Wait()
		<-read
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.ended
		master.Close()
	})

	return s
}

// readFrom writes down what is read.
func (t *tee) readFrom(f *os.File) (int, error) {
	all := 0
	for b := make([]byte, 4096); ; {
		n, err := f.Read(b)
		_, _ = t.Write(b[:n]) // It takes everything.
		if all += n; err != nil {
			return all, err
		}
	}
}

// openTerminal makes a terminal: the one end is for whoever sits at it, the other for programs.
func openTerminal() (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			master.Close()
		}
	}()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlock terminal: %w", err)
	}
	number, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for the number of a terminal: %w", err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)

	return master, slave, err
}

func (s *session) resize(columns, rows uint16) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) types(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// sees waits until something is on the screen.
func (s *session) sees(text string) {
	s.t.Helper()
	await(s.t, soon, "the terminal shows "+text, func() error {
		if !strings.Contains(s.seen.String(), text) {
			return fmt.Errorf("it shows %q", s.seen.String())
		}

		return nil
	})
}

// ends waits until kubectl has ended, with that code.
func (s *session) ends(code int) {
	s.t.Helper()
	await(s.t, soon, "the session ends", func() error {
		select {
		case <-s.ended:
			return nil
		default:
			return errors.New("it goes on")
		}
	})
	if got := s.code(); got != code {
		s.t.Errorf("the session ended with code %d, want %d; the terminal shows %q", got, code, s.seen.String())
	}
}
