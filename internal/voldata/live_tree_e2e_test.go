//go:build e2e

package voldata_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// populate puts everything into a directory that a file system can hold.
func populate(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, data []byte, mode os.FileMode, uid, gid int) {
		t.Helper()
		must(os.WriteFile(at(name), data, 0o600))
		must(os.Chown(at(name), uid, gid))
		must(os.Chmod(at(name), mode))
	}

	must(os.Chown(dir, 999, 998))
	must(os.Chmod(dir, 0o750|os.ModeSticky))
	write("plain", []byte("hello\n"), 0o644, 0, 0)
	write("empty", nil, 0o400, 70_000, 4_000_000_000)
	write("setuid", []byte("x"), 0o755|os.ModeSetuid|os.ModeSetgid, 1000, 1000)
	write("nobody", []byte("x"), 0, 65534, 65534)
	for _, name := range []string{"ümläut 日本", "line\nbreak", "latin\xff", " space ", "-dash", ".wh.whiteout", ".wh..wh..opq", "back\\slash", "quote'\"", "tab\t", "*?[", strings.Repeat("n", 255)} {
		write(name, []byte(name), 0o600, 1, 2)
	}
	must(os.MkdirAll(at("dir/empty"), 0o700))
	must(os.MkdirAll(at("dir.x"), 0o700))
	must(os.MkdirAll(at("deep/"+strings.Repeat("d/", 200)), 0o700))
	write("deep/"+strings.Repeat("d/", 200)+"file", []byte("deep"), 0o600, 0, 0)

	noise := make([]byte, 24<<20)
	_, _ = rand.Read(noise)
	write("large", noise, 0o600, 0, 0)
	f, err := os.Create(at("sparse"))
	must(err)
	_, err = f.WriteAt([]byte("end"), 64<<20)
	must(errors.Join(err, f.Close()))

	must(os.Symlink("plain", at("to-plain")))
	must(os.Symlink("/etc/passwd", at("to-absolute")))
	must(os.Symlink("../../../../../../etc/shadow", at("to-outside")))
	must(os.Symlink("nowhere/"+strings.Repeat("x", 2000), at("to-nowhere")))
	must(os.Lchown(at("to-plain"), 5, 6))
	must(os.Link(at("plain"), at("dir/hard")))
	must(os.Link(at("to-plain"), at("hard-to-symlink")))
	must(os.Link(at("setuid"), at("z-hard")))
	must(syscall.Mkfifo(at("fifo"), 0o640))
	must(syscall.Mknod(at("null"), syscall.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(unix.Setxattr(at("plain"), "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))
	must(unix.Setxattr(at("plain"), "user.note", []byte("kept?"), 0))

	for i, name := range []string{"plain", "empty", "dir/empty", "dir", "ümläut 日本", "to-plain"} {
		when := unix.NsecToTimespec(time.Date(2001+i, 2, 3, 4, 5, 6, 789, time.UTC).UnixNano())
		must(unix.UtimesNanoAt(unix.AT_FDCWD, at(name), []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW))
	}
	old := unix.Timespec{Sec: -86400}
	must(unix.UtimesNanoAt(unix.AT_FDCWD, at("latin\xff"), []unix.Timespec{old, old}, 0))
	when := unix.NsecToTimespec(time.Date(2010, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano())
	must(unix.UtimesNanoAt(unix.AT_FDCWD, dir, []unix.Timespec{when, when}, 0))
}

// tree is what is in a directory, as the kernel says, one line for each name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, first := map[string]string{}, map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return err
		}
		line := fmt.Sprintf("%o %d:%d mtime %d rdev %d", s.Mode, s.Uid, s.Gid, max(s.Mtim.Sec, 0), s.Rdev)
		switch {
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			buf := make([]byte, 64)
			n, _ := unix.Lgetxattr(path, "security.capability", buf)
			line += fmt.Sprintf(" data %s caps %x", sum(data), buf[:max(n, 0)])
		case d.Type()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " to " + to
		}
		if !d.IsDir() && s.Nlink > 1 {
			if one, known := first[s.Ino]; known {
				line += " same as " + one
			} else {
				first[s.Ino] = rel
			}
		}
		out[rel] = line

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return out
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for name, line := range want {
		if got[name] != line {
			t.Errorf("%s: %.60q is %.200q, want %.200q", what, name, got[name], line)
		}
	}
	for name := range got {
		if _, is := want[name]; !is {
			t.Errorf("%s: %.60q is there and was not", what, name)
		}
	}
}

func sum(data []byte) string {
	s := sha256.Sum256(data)

	return hex.EncodeToString(s[:8])
}
