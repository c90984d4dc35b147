package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// CreateFile writes a backup to a file, which must not exist. It gets its name when it is whole, and on disk.
func CreateFile(ctx context.Context, o CreateOptions, name string) (Manifest, error) {
	folder := filepath.Dir(name)
	if err := wantDirectory(folder); err != nil {
		return Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("write backup: %q exists already", name)
	}

	f, err := os.CreateTemp(folder, unfinished+"*")
	if err != nil {
		return Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	defer os.Remove(f.Name())

	m, err := Create(ctx, o, f, folder)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return m, err
	}
	// A link, unlike a rename, never takes the place of what somebody else has made meanwhile.
	if err := os.Link(f.Name(), name); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}

	return m, syncDir(folder)
}

// wantDirectory refuses a place that is not there. It is not made: it may be that of a disk that is not mounted.
func wantDirectory(name string) error {
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("directory %q does not exist", name)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%q is not a directory", name)
	default:
		return nil
	}
}

const (
	// unfinished begins the names of backups that are being written.
	unfinished = ".dogker-backup-"
	// stamp is the time in names of backups, in UTC; they sort by it.
	stamp  = "20060102T150405Z"
	prefix = "dogker-"
)

// FileName is the name of a backup in a directory of backups.
func FileName(cluster string, at time.Time, encrypted bool) string {
	suffix := ".tar.gz"
	if encrypted {
		suffix += ".age"
	}

	return prefix + cluster + "-" + at.UTC().Format(stamp) + suffix
}

// CreateIn writes a backup into a directory under a name with cluster and time, and then removes all but the newest ones of
// the same cluster. Zero keeps all. It returns the path of the new one and those that it removed.
func CreateIn(ctx context.Context, o CreateOptions, dir string, keep int) (name string, m Manifest, removed []string, err error) {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	// One time is in the name and in the manifest.
	at := now()
	o.Now = func() time.Time { return at }

	id, err := identityOf(datadir.At(o.DataDir))
	if err != nil {
		return "", m, nil, err
	}

	name = filepath.Join(dir, FileName(id.Cluster, at, len(o.Recipients) > 0))
	if m, err = CreateFile(ctx, o, name); err != nil {
		return name, m, nil, err
	}

	removed, err = prune(dir, id.Cluster, keep)

	return name, m, removed, err
}

// prune removes all but the newest backups of a cluster. What has another form of name is nobody's business.
func prune(dir, cluster string, keep int) ([]string, error) {
	if keep <= 0 {
		return nil, nil
	}

	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}

	var names []string

	for _, e := range entries {
		if e.Type().IsRegular() && isBackupOf(e.Name(), cluster) {
			names = append(names, e.Name())
		}
	}

	slices.Sort(names)

	var removed []string

	for _, name := range names[:max(len(names)-keep, 0)] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return removed, fmt.Errorf("remove old backup: %w", err)
		}

		removed = append(removed, name)
	}

	return removed, nil
}

func isBackupOf(name, cluster string) bool {
	rest, ours := strings.CutPrefix(name, prefix+cluster+"-")
	at, suffix, _ := strings.Cut(rest, ".")
	_, err := time.Parse(stamp, at)

	return ours && err == nil && (suffix == "tar.gz" || suffix == "tar.gz.age")
}

// syncDir makes new names in the directory survive a power cut.
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
