package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
)

// RestoreOptions say what is restored, and to where.
type RestoreOptions struct {
	// File is the backup.
	File string
	// Identities open it; none for one that is not encrypted.
	Identities []age.Identity
	// DataDir must not exist, be empty, or hold a restore that was not finished.
	DataDir string
	Log     *slog.Logger
}

const (
	// committed is a file in the staging directory from when on everything in it is whole.
	committed = "committed"
	// restored is what is left of the staging directory when everything is in its place.
	restored = "restored"
)

// Restore makes a data directory of a backup. Unless it returns nil no server starts on the directory: either it has nothing,
// or it has what datadir.Acquire refuses, and another Restore goes on with.
func Restore(ctx context.Context, o RestoreOptions) (Manifest, error) {
	dir := datadir.At(o.DataDir)

	lock, err := datadir.AcquireForRestore(o.DataDir)
	if err != nil {
		return Manifest{}, err
	}
	defer lock.Release()

	staging := dir.Restoring()

	if _, err := os.Stat(filepath.Join(staging, committed)); err == nil {
		// All of it was read and held against its digests before.
		m, err := readManifest(staging)
		if err != nil {
			return Manifest{}, err
		}

		return m, move(staging, dir.Path())
	}
	if err := vacant(dir.Path()); err != nil {
		return Manifest{}, err
	}

	m, err := stage(ctx, o, staging)
	if err != nil {
		return m, errors.Join(err, os.RemoveAll(staging))
	}

	return m, move(staging, dir.Path())
}

// vacant refuses a directory that somebody uses: nothing that is there is ever replaced.
func vacant(dir string) error {
	for _, name := range append([]string{identityName, "etcd"}, folders...) {
		entries, err := os.ReadDir(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
			continue
		}

		return fmt.Errorf("data directory %q has %s already: move the directory away, or name another one by --data-dir", dir, name)
	}

	return nil
}

// stage makes everything in a directory beside what it is for.
func stage(ctx context.Context, o RestoreOptions, staging string) (Manifest, error) {
	if err := os.RemoveAll(staging); err != nil {
		return Manifest{}, fmt.Errorf("remove what an earlier restore has left: %w", err)
	}
	if err := os.Mkdir(staging, 0o700); err != nil {
		return Manifest{}, fmt.Errorf("create directory for the restore: %w", err)
	}

	f, err := os.Open(o.File)
	if err != nil {
		return Manifest{}, fmt.Errorf("read backup: %w", err)
	}
	defer f.Close()

	content, err := open(f, o.Identities)
	if err != nil {
		return Manifest{}, err
	}

	m, err := unpack(content, staging)
	if err != nil {
		return m, fmt.Errorf("read backup %q: %w", o.File, err)
	}

	snapshot := filepath.Join(staging, snapshotName)
	if err := etcd.Restore(snapshot, filepath.Join(staging, "etcd"), o.Log); err != nil {
		return m, err
	}
	if err := os.Remove(snapshot); err != nil {
		return m, fmt.Errorf("remove the snapshot: %w", err)
	}
	if err := markRestored(ctx, filepath.Join(staging, "etcd"), m.Cluster, o.Log); err != nil {
		return m, err
	}
	if err := writeManifest(staging, m); err != nil {
		return m, err
	}

	return m, errors.Join(datadir.WriteFile(filepath.Join(staging, committed), []byte("yes\n")), syncDir(staging))
}

// markRestored starts the restored store, which also proves that it can be started.
func markRestored(ctx context.Context, dir, cluster string, log *slog.Logger) (err error) {
	store, err := etcd.Open(ctx, etcd.Config{Dir: dir, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	marker, err := etcd.MarkRestored(ctx, store.Client)
	if err != nil {
		return err
	}
	if marker.Cluster != cluster {
		return fmt.Errorf("the backup says that it is of cluster %s, and its store is of cluster %s", cluster, marker.Cluster)
	}

	return nil
}

// move puts everything in its place. The staging directory goes last; as long as it is there no server starts.
func move(staging, dir string) error {
	for _, name := range append([]string{"etcd", identityName}, folders...) {
		to := filepath.Join(dir, name)
		if _, err := os.Lstat(filepath.Join(staging, name)); errors.Is(err, fs.ErrNotExist) {
			continue // It is there already, from before a restore was interrupted.
		}
		// Acquiring a data directory makes empty directories in it.
		if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put %s in its place: %w", name, err)
		}
		if err := os.Rename(filepath.Join(staging, name), to); err != nil {
			return fmt.Errorf("put %s in its place: %w", name, err)
		}
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	// Its name goes in one step: half of it would be taken for a restore that was not finished.
	if err := os.Rename(staging, filepath.Join(dir, restored)); err != nil {
		return fmt.Errorf("end restore: %w", err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, restored)), syncDir(dir)); err != nil {
		return fmt.Errorf("end restore: %w", err)
	}

	return nil
}
