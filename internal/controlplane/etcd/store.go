package etcd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// A member that is alone needs no time to hear others' heartbeats: short ticks make it elect itself at once.
	tickMs     = 100
	electionMs = 500
	// snapshotEntries is after how many writes the log begins anew: this much is read and held when the server starts.
	// catchUpEntries is what is held of it beyond that for members that lag behind, of which there are none.
	snapshotEntries = 2000
	catchUpEntries  = 100
	// startTimeout bounds the replay of the log after a crash.
	startTimeout = 60 * time.Second
	// maxDatabaseBytes is where etcd stops taking writes. Its own default of 2 GiB is small for a cloud, and 8 GiB is
	// the most that its authors recommend.
	maxDatabaseBytes = 8 << 30
	// slow is what etcd shall call slow. A disk that is busy for less is nothing to wake somebody for.
	slow = time.Second
	// clientSocket is where the embedded member listens, in its directory.
	clientSocket = "client.sock"
	// maxSocketPath is what the kernel takes as the path of a unix socket.
	maxSocketPath = 107
)

// Store is a running store and a client of it.
type Store struct {
	// Endpoints are where other clients in this process connect.
	Endpoints []string
	// Client is connected to it.
	Client *clientv3.Client

	member *embed.Etcd
	dir    *os.File
}

// Open starts the embedded member, or connects to the external cluster, and returns when it answers.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.External() {
		return connect(ctx, c)
	}

	return start(ctx, c)
}

func connect(ctx context.Context, c Config) (*Store, error) {
	client, err := newClient(c, c.Endpoints)
	if err != nil {
		return nil, err
	}
	s := &Store{Endpoints: c.Endpoints, Client: client}

	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.Healthy(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to etcd at %s: %w", strings.Join(c.Endpoints, ", "), err), s.Close())
	}

	return s, nil
}

func start(ctx context.Context, c Config) (*Store, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create directory %q: %w", c.Dir, err)
	}
	dir, err := os.Open(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open directory %q: %w", c.Dir, err)
	}
	s := &Store{dir: dir}

	grpc := socketURL(dir, clientSocket)
	cfg := memberConfig(c)
	cfg.ListenClientUrls = []url.URL{grpc}
	cfg.ListenClientHttpUrls = []url.URL{socketURL(dir, "http.sock")}
	s.Endpoints = []string{grpc.String()}

	if s.member, err = embed.StartEtcd(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd on %q: %w", c.Dir, err), s.Close())
	}
	select {
	case <-s.member.Server.ReadyNotify():
	case err = <-s.member.Err():
	case <-time.After(startTimeout):
		err = fmt.Errorf("it was not ready within %s", startTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		s.Client, err = newClient(c, s.Endpoints)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd on %q: %w", c.Dir, err), s.Close())
	}

	return s, nil
}

func memberConfig(c Config) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Dir = c.Dir
	cfg.Name = "dogker"
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapLogger(c.Log))
	cfg.TickMs, cfg.ElectionMs = tickMs, electionMs
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = snapshotEntries, catchUpEntries
	cfg.QuotaBackendBytes = maxDatabaseBytes
	cfg.WarningApplyDuration, cfg.WarningUnaryRequestDuration = slow, slow
	cfg.EnableGRPCGateway = false
	// Nobody listens there: etcd wants addresses to tell other members, and there are none.
	nowhere := url.URL{Scheme: "http", Host: "localhost:2380"}
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{nowhere}
	cfg.AdvertiseClientUrls = []url.URL{nowhere}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)

	return cfg
}

// socketURL names a socket in the directory. The kernel limits the length of a socket's path, and data directories can
// lie deep: then the path goes through our own open descriptor of the directory, which is short however deep it lies.
func socketURL(dir *os.File, name string) url.URL {
	path := filepath.Join(dir.Name(), name)
	if len(path) > maxSocketPath {
		path = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name)
	}

	return url.URL{Scheme: "unix", Path: path}
}

// Healthy asks for a read that only a store with a leader can answer.
func (s *Store) Healthy(ctx context.Context) error {
	if _, err := s.Client.Get(ctx, markerKey, clientv3.WithKeysOnly()); err != nil {
		return fmt.Errorf("read from etcd: %w", err)
	}

	return nil
}

// Failed delivers the error of an embedded member that cannot go on; it never does for an external cluster.
func (s *Store) Failed() <-chan error {
	if s.member == nil {
		return nil
	}

	return s.member.Err()
}

// Close disconnects, and stops the embedded member. What was acknowledged is on disk already.
func (s *Store) Close() error {
	var errs []error
	if s.Client != nil {
		errs = append(errs, s.Client.Close())
	}
	if s.member != nil {
		s.member.Close()
	}
	if s.dir != nil {
		errs = append(errs, s.dir.Close())
	}

	return errors.Join(errs...)
}
