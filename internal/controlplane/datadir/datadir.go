package datadir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Dir is a data directory. The zero value is not usable; make one with At or Acquire.
type Dir struct {
	path string
}

// At names the data directory without touching it, for readers of what lies in it.
func At(path string) Dir { return Dir{path: path} }

// Path is the directory itself.
func (d Dir) Path() string { return d.path }

// AdminKubeconfig is the file that lets kubectl in as an administrator.
func (d Dir) AdminKubeconfig() string { return filepath.Join(d.path, "admin.kubeconfig") }

// Etcd is where the embedded store lives.
func (d Dir) Etcd() string { return filepath.Join(d.path, "etcd") }

// PKI holds certificates and the keys that sign them.
func (d Dir) PKI() string { return filepath.Join(d.path, "pki") }

// EncryptionConfig is the EncryptionConfiguration with the key that encrypts Secrets at rest.
func (d Dir) EncryptionConfig() string { return filepath.Join(d.path, "secrets", "encryption.yaml") }

// DigestKey is the file with the key of digests that more people may see than what they are digests of.
func (d Dir) DigestKey() string { return filepath.Join(d.path, "secrets", "digest.key") }

// AuditPolicy says what is logged of each request.
func (d Dir) AuditPolicy() string { return filepath.Join(d.path, "audit", "policy.yaml") }

// AuditLog is the log of who asked for what.
func (d Dir) AuditLog() string { return filepath.Join(d.path, "audit", "audit.log") }

// Restoring is where a restore makes everything before it puts it in its place. As long as it exists the directory is not
// whole.
func (d Dir) Restoring() string { return filepath.Join(d.path, "restoring") }

func (d Dir) identity() string { return filepath.Join(d.path, "identity.json") }
func (d Dir) lock() string     { return filepath.Join(d.path, "lock") }

// InUseError says that another process holds the directory.
type InUseError struct {
	// Path of the directory.
	Path string
	// PID of the holder; 0 when it is not known.
	PID int
}

// Error is one line for the person who started the second server.
func (e *InUseError) Error() string {
	holder := "another dogker server"
	if e.PID != 0 {
		holder = fmt.Sprintf("the dogker server with pid %d", e.PID)
	}

	return fmt.Sprintf("data directory %q is in use by %s: stop that one first, or give this one its own --data-dir", e.Path, holder)
}

// Lock is the right to use a directory.
type Lock struct {
	file *os.File
}

// AcquireForRestore creates the directory where it does not exist and takes it for this process, whole or not. It fails with
// InUseError while another process holds the directory.
func AcquireForRestore(path string) (*Lock, error) {
	if err := privateDir(path); err != nil {
		return nil, err
	}

	return acquire(At(path))
}

// Acquire creates the directory where it does not exist and takes it for this process. It fails with InUseError while
// another process holds the directory, and while a restore of it is not finished.
func Acquire(path string) (Dir, *Lock, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Dir{}, nil, fmt.Errorf("resolve data directory %q: %w", path, err)
	}
	d := At(abs)

	for _, sub := range []string{abs, d.PKI(), filepath.Dir(d.EncryptionConfig()), filepath.Dir(d.AuditLog())} {
		if err := privateDir(sub); err != nil {
			return Dir{}, nil, err
		}
	}

	lock, err := acquire(d)
	if err != nil {
		return d, nil, err
	}
	if _, err := os.Stat(d.Restoring()); err == nil {
		return d, nil, errors.Join(fmt.Errorf("data directory %q holds a restore that was not finished: run dogker restore again", path), lock.Release())
	}

	return d, lock, nil
}

// privateDir creates the directory, and takes other users' rights away from one that exists.
func privateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("create directory %q: %w", path, err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return fmt.Errorf("make directory %q private: %w", path, err)
	}

	return nil
}

// acquire takes the lock and writes our pid into its file. The file is never removed: a removed file could be locked by
// one process while another creates and locks its successor.
func acquire(d Dir) (*Lock, error) {
	f, err := os.OpenFile(d.lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of data directory %q: %w", d.path, err)
	}

	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{Path: d.path, PID: pidIn(d.lock())}
		}
		return nil, fmt.Errorf("lock data directory %q: %w", d.path, err)
	}

	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		f.Close()
		return nil, fmt.Errorf("write pid to lock of data directory %q: %w", d.path, err)
	}

	return &Lock{file: f}, nil
}

// lockPatience is how long a lock may stay taken: a server that was killed is still there for a moment.
const lockPatience = 500 * time.Millisecond

func flock(f *os.File) error {
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(lockPatience / 20) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
	}
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

func pidIn(path string) int {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(raw)))

	return pid
}

// Release gives the directory back.
func (l *Lock) Release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release data directory: %w", err)
	}

	return nil
}

// WriteFile replaces the content of a file in one step, readable by the owner only. It does nothing when the file already
// holds the content, so that its times and inode tell when it really changed.
func WriteFile(path string, content []byte) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return os.Chmod(path, 0o600)
	}

	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	defer os.Remove(tmp.Name())

	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}

	return syncDir(dir)
}

// syncDir makes a rename in the directory survive a power cut.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory %q: %w", path, err)
	}
	defer d.Close()

	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %q: %w", path, err)
	}

	return nil
}
