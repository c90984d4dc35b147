package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
)

// CreateOptions say what is backed up, and for whom.
type CreateOptions struct {
	// DataDir of a server, which may be running.
	DataDir string
	// Recipients can open the backup; everybody can when there are none.
	Recipients []age.Recipient
	// Dogker is the version that the manifest names.
	Dogker string
	// Now is the clock; nil for the machine's.
	Now func() time.Time
	Log *slog.Logger
}

// Create writes a backup to w. It fails with an error that names what is missing when no server with a store of its own has
// ever run on the data directory. Nothing that w got is worth anything when it fails.
//
// Scratch is a directory for the snapshot, whose size has to be known before it is written. It holds what the store holds
// (Secrets in it are encrypted with a key that is not in it), and nothing is left there.
func Create(ctx context.Context, o CreateOptions, w io.Writer, scratch string) (Manifest, error) {
	dir := datadir.At(o.DataDir)

	id, err := identityOf(dir)
	if err != nil {
		return Manifest{}, err
	}

	now := time.Now
	if o.Now != nil {
		now = o.Now
	}

	begun := now().UTC().Truncate(time.Second)

	snapshot, err := takeSnapshot(ctx, dir, scratch, o.Log)
	if err != nil {
		return Manifest{}, err
	}
	defer snapshot.Close()

	out, err := newWriter(w, o.Recipients, begun)
	if err != nil {
		return Manifest{}, err
	}
	// Keys come after the snapshot: one that is made in between, and that the snapshot needs, cannot be missing.
	if err := addOpen(out, snapshotName, snapshot); err != nil {
		return Manifest{}, err
	}
	if err := addKeys(out, dir); err != nil {
		return Manifest{}, err
	}

	return out.close(Manifest{Cluster: id.Cluster, Dogker: o.Dogker})
}

// identityOf is who the server is that serves, or served, the directory.
func identityOf(dir datadir.Dir) (datadir.Identity, error) {
	if _, err := os.Stat(filepath.Join(dir.Path(), identityName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return datadir.Identity{}, fmt.Errorf("no server has ever run on data directory %q", dir.Path())
		}

		return datadir.Identity{}, fmt.Errorf("look at data directory: %w", err)
	}

	id, err := dir.Identity()
	if err != nil {
		return id, err
	}
	if id.Cluster == "" {
		return id, fmt.Errorf("the server of data directory %q has never finished its first start", dir.Path())
	}
	if _, err := os.Stat(dir.Etcd()); errors.Is(err, fs.ErrNotExist) {
		return id, fmt.Errorf("data directory %q has no store of its own: the server uses an external etcd, which has its own backups (etcdctl snapshot save); "+
			"keep the directories pki and secrets beside them", dir.Path())
	}

	return id, nil
}

// takeSnapshot asks the server that runs, or the store itself when none does. The file has no name any more.
func takeSnapshot(ctx context.Context, dir datadir.Dir, scratch string, log *slog.Logger) (*os.File, error) {
	store, release, err := openStore(ctx, dir, log)
	if err != nil {
		return nil, err
	}
	defer release()

	f, err := os.CreateTemp(scratch, ".dogker-snapshot-*")
	if err != nil {
		return nil, fmt.Errorf("create file for the snapshot: %w", err)
	}
	if err := errors.Join(os.Remove(f.Name()), store.Snapshot(ctx, f)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("read the snapshot: %w", err), f.Close())
	}

	return f, nil
}

func openStore(ctx context.Context, dir datadir.Dir, log *slog.Logger) (*etcd.Store, func(), error) {
	config := etcd.Config{Dir: dir.Etcd(), Log: log}

	_, lock, err := datadir.Acquire(dir.Path())

	var used *datadir.InUseError
	if errors.As(err, &used) {
		store, err := etcd.Dial(config)
		if err != nil {
			return nil, nil, err
		}

		return store, func() { _ = store.Close() }, nil
	}
	if err != nil {
		return nil, nil, err
	}

	store, err := etcd.Open(ctx, config)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Release())
	}

	return store, func() { _ = errors.Join(store.Close(), lock.Release()) }, nil
}

// addKeys adds everything of the data directory but the store.
func addKeys(out *writer, dir datadir.Dir) error {
	names := []string{identityName}

	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(dir.Path(), folder))
		if err != nil {
			return fmt.Errorf("list directory %q: %w", folder, err)
		}

		for _, e := range entries {
			// Files that begin with a dot are being written.
			if name := path.Join(folder, e.Name()); e.Type().IsRegular() && known(name) == nil {
				names = append(names, name)
			}
		}
	}

	for _, name := range names {
		if err := addFile(out, name, filepath.Join(dir.Path(), filepath.FromSlash(name))); err != nil {
			return err
		}
	}

	return nil
}

func addFile(out *writer, name, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	defer f.Close()

	return addOpen(out, name, f)
}

func addOpen(out *writer, name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	if name != snapshotName && info.Size() > maxKeyFile {
		return fmt.Errorf("read %q: it has %d bytes, and no file of a server's keys has more than %d", name, info.Size(), maxKeyFile)
	}

	return out.add(name, info.Size(), f)
}
