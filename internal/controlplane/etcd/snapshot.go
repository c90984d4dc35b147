package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
)

// revisionBump is by how much the revisions of a restored store are ahead of those in the snapshot. Clients that have seen
// objects which were written after the snapshot must not take the new ones for older; a server that writes a thousand
// times a second needs eleven days for as many.
const revisionBump = 1_000_000_000

// Dial connects to the embedded member of a server that runs on this machine. Only who may enter its directory can.
func Dial(c Config) (*Store, error) {
	dir, err := os.Open(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open directory %q: %w", c.Dir, err)
	}
	endpoint := socketURL(dir, clientSocket)

	s := &Store{dir: dir, Endpoints: []string{endpoint.String()}}
	if s.Client, err = newClient(c, s.Endpoints); err != nil {
		return nil, errors.Join(err, s.Close())
	}

	return s, nil
}

// Snapshot writes the whole store as it is at one moment, while it is being written to, followed by a digest that Restore
// checks. What comes after that moment is not in it.
func (s *Store) Snapshot(ctx context.Context, w io.Writer) error {
	r, err := s.Client.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("ask etcd for a snapshot: %w", err)
	}
	defer r.Close()

	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("read snapshot from etcd: %w", err)
	}

	return nil
}

// Restore makes the directory of an embedded member out of a snapshot. The directory must not exist. A snapshot that was
// cut or changed is refused, and leaves nothing that a server would start with.
func Restore(path, dir string, log *slog.Logger) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore etcd: %q exists already", dir)
	}

	member := memberConfig(Config{Dir: dir, Log: log})

	// etcd's own code does not return from some files that are no database.
	err := guarded(func() error {
		return snapshot.NewV3(zapLogger(log)).Restore(snapshot.RestoreConfig{
			SnapshotPath: path, OutputDataDir: dir, Name: member.Name, InitialCluster: member.InitialCluster,
			InitialClusterToken: member.InitialClusterToken, PeerURLs: []string{member.AdvertisePeerUrls[0].String()},
			RevisionBump: revisionBump, MarkCompacted: true,
		})
	})
	if err != nil {
		return fmt.Errorf("restore etcd: %w", errors.Join(err, os.RemoveAll(dir)))
	}

	return nil
}

func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the snapshot is none of etcd's: %v", r)
		}
	}()

	return f()
}

// MarkRestored notes in the store that it has been put back to an earlier time once more, and returns to which cluster it
// belongs. Objects can then have generations that they have had before: see Marker.Restores.
func MarkRestored(ctx context.Context, client *clientv3.Client) (Marker, error) {
	m, err := readMarker(ctx, client)
	if err != nil {
		return Marker{}, err
	}
	if m == nil {
		return Marker{}, errors.New("the snapshot is not of a Dogker server: it has no cluster marker")
	}

	m.Restores++

	done, err := replaceMarker(ctx, client, *m)
	if err == nil && !done {
		err = errors.New("somebody else writes to the restored store")
	}

	return *m, err
}
