package gather

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/audit"
)

func TestParseStatus(t *testing.T) {
	const status = "Name:\tapp\nUmask:\t0022\nUid:\t65532\t0\t0\t0\nGid:\t1\t1\t1\t1\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

	cases := map[string]struct {
		reason string
		status string
		want   *audit.Process
	}{
		"Whole":     {"The real user is the first of the four.", status, &audit.Process{UID: 65532, NoNewPrivileges: true, Seccomp: 2}},
		"Free":      {"0 is not forbidden, and not filtered.", strings.NewReplacer("NoNewPrivs:\t1", "NoNewPrivs:\t0", "Seccomp:\t2", "Seccomp:\t0").Replace(status), &audit.Process{UID: 65532}},
		"OldKernel": {"A line that is missing is not a zero.", strings.Replace(status, "NoNewPrivs:\t1\n", "", 1), nil},
		"NoNumber":  {"What is no number is not a zero.", strings.Replace(status, "Seccomp:\t2", "Seccomp:\tx", 1), nil},
		"Empty":     {"The process has ended.", "", nil},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := parseStatus(tc.status)
			if !ok {
				got = nil
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestListener(t *testing.T) {
	// The kernel writes words of the machine's byte order.
	one := "0100000A"
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		one = "0A000001"
	}

	cases := map[string]struct {
		reason, line, want string
	}{
		"Address":   {"10.0.0.1 listens.", "   1: " + one + ":0949 00000000:0000 0A 00000000:00000000", "10.0.0.1:2377"},
		"All":       {"All addresses listen.", "   1: 00000000:0949 00000000:0000 0A", "0.0.0.0:2377"},
		"AllOfSix":  {"All addresses of both families listen.", "   1: 00000000000000000000000000000000:0949 00000000000000000000000000000000:0000 0A", "[::]:2377"},
		"Connected": {"A connection does not listen.", "   1: 00000000:0949 0100007F:D431 01", ""},
		"Header":    {"The first line has no addresses.", "  sl  local_address rem_address   st tx_queue", ""},
		"Nothing":   {"An empty line has none either.", "", ""},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			if a, ok := listener(tc.line); ok {
				got = a.String()
			}
			if got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestListening looks at this process itself.
func TestListening(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	if diff := cmp.Diff([]string{"127.0.0.1"}, listening(os.Getpid(), port)); diff != "" {
		t.Errorf("addresses on which this process listens (-want +got):\n%s", diff)
	}
}

// TestLocate: a socket proves nothing about who is behind it.
func TestLocate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	for host, why := range map[string]string{
		"tcp://10.0.0.1:2376":               "another machine",
		"unix://" + socket:                  "no engine of this machine", // It is this test.
		"unix://" + socket + ".is.not.here": "cannot be looked at",
	} {
		if got := locate(context.Background(), host); !strings.Contains(got.why, why) {
			t.Errorf("%s: got %+v, want %q", host, got, why)
		}
	}
}

func TestNoteFile(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for path, mode := range map[string]os.FileMode{first: 0o640, second: 0o600} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}

	found := map[string]audit.File{}
	note(found, "unit", filepath.Join(dir, "missing"))
	note(found, "unit", first)
	note(found, "unit", second)
	if f, ok := found["unit"]; !ok || f.Mode.Perm() != 0o640 || f.Owner == "" || f.Group == "" {
		t.Errorf("the first that is there wins: got %+v", found)
	}
}

func TestOwnPartition(t *testing.T) {
	if got := ownPartition("/proc"); got == nil || !*got {
		t.Errorf("/proc is a file system of its own: got %v", got)
	}
	if got := ownPartition(t.TempDir()); got == nil || *got {
		t.Errorf("a directory made just now is none: got %v", got)
	}
	if got := ownPartition("/no/such/directory"); got != nil {
		t.Errorf("what is not there cannot be told: got %v", *got)
	}
}
