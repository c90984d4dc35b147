package controlplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/keyutil"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/controlplane/kubecontrollers"
	"github.com/dogker/dogker/internal/controlplane/pki"
	"github.com/dogker/dogker/internal/controlplane/views"
	"github.com/dogker/dogker/internal/identity"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// Server is one Dogker API server with what it stands on. Make one with New; nothing is served before Run.
type Server struct {
	log   *slog.Logger
	hosts []string
	id    datadir.Identity

	dir   datadir.Dir
	lock  *datadir.Lock
	addr  *net.TCPAddr
	certs pki.Bundle
	store *etcd.Store
	chain *chain
	// views are nil where no swarm is shown.
	views *views.Views
	// digestKey is read once: a file that is replaced while the server runs counts from the next start.
	digestKey []byte
	restores  int64

	onServing []func(context.Context) error
}

// New takes the data directory for this process, opens the store and assembles the API. It fails with
// datadir.InUseError while another process holds the directory.
func New(ctx context.Context, o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, lock, err := datadir.Acquire(o.DataDir)
	if err != nil {
		return nil, err
	}

	s := &Server{log: o.Log, dir: dir, lock: lock}
	if err := s.build(ctx, o); err != nil {
		return nil, errors.Join(err, s.close())
	}

	return s, nil
}

// build makes the parts in the order in which each needs the one before.
func (s *Server) build(ctx context.Context, o Options) error {
	listener, err := listen(ctx, o.Listen)
	if err != nil {
		return err
	}
	defer func() {
		if s.chain == nil {
			listener.Close()
		}
	}()
	s.addr = listener.Addr().(*net.TCPAddr)
	s.hosts = servingHosts(s.addr.IP, o.Hosts)

	if s.id, err = s.dir.Identity(); err != nil {
		return err
	}
	if err := s.ensureKeys(); err != nil {
		return err
	}
	if s.digestKey, err = ensureDigestKey(s.dir.DigestKey()); err != nil {
		return err
	}
	if err := s.openStore(ctx, o); err != nil {
		return err
	}

	parts := settings{
		dir: s.dir, listener: listener, certs: s.certs, store: s.store, etcd: o.etcd(s.dir.Etcd()),
		authentication: o.AuthenticationConfig,
	}
	completed, err := parts.complete(ctx)
	if err != nil {
		return err
	}
	masters := mastersAlone
	if parts.etcd.External() {
		masters = mastersShared
	}
	people, err := s.people(o)
	if err != nil {
		return err
	}
	s.chain, err = newChain(completed, masters, people, s.showSwarm(o))
	if err != nil {
		return err
	}
	if err := ctrlmetrics.Registry.Register(expiry{s.certs}); err != nil {
		return fmt.Errorf("register metrics of certificates: %w", err)
	}
	s.OnServing(s.chain.people.run)
	s.OnServing(s.chain.tenants.Run)
	if err := s.followSwarm(); err != nil {
		return fmt.Errorf("follow swarm: %w", err)
	}

	return s.AddReadyCheck("identity", s.chain.people.ready)
}

func (s *Server) people(o Options) (peopleSettings, error) {
	dataDir, err := filepath.Abs(s.dir.Path())
	if err != nil {
		return peopleSettings{}, fmt.Errorf("name data directory %q: %w", s.dir.Path(), err)
	}

	return peopleSettings{
		dataDir: dataDir,
		etcd:    s.store.Client, encryption: s.dir.EncryptionConfig(), cluster: s.ClusterTag(), privateRepositories: o.AllowPrivateRepositories, pages: o.Pages,
		exports: exportSettings{provider: o.Provider, region: o.Region, log: o.Log.With(logkey.Component, "ledger")},
		Options: identity.Options{
			Registration: o.Registration,
			Lifetimes:    o.Lifetimes,
			Audiences:    []string{tokenIssuer},
			Metrics:      identity.NewMetrics(ctrlmetrics.Registry),
			Log:          o.Log.With(logkey.Component, "identity"),
		},
	}, nil
}

func (s *Server) ensureKeys() error {
	if err := ensureEncryption(s.dir.EncryptionConfig()); err != nil {
		return err
	}
	certs, err := pki.Ensure(s.dir.PKI(), s.hosts, time.Now())
	if err != nil {
		return err
	}
	s.certs = certs

	return nil
}

// openStore opens the store and makes sure that it and this server belong together.
func (s *Server) openStore(ctx context.Context, o Options) error {
	store, err := etcd.Open(ctx, o.etcd(s.dir.Etcd()))
	if err != nil {
		return err
	}
	s.store = store

	keys, err := s.fingerprints()
	if err != nil {
		return err
	}
	adopted, err := etcd.Adopt(ctx, store.Client, etcd.Claim{
		Marker: etcd.Marker{Cluster: uuid.NewString(), Keys: keys, DigestKey: fingerprint(s.digestKey)},
		Known:  s.id.Cluster,
		Alone:  !o.etcd(s.dir.Etcd()).External(),
	})
	if err != nil {
		return err
	}
	if adopted.NewDigestKey {
		s.log.WarnContext(ctx, "The digest key is not the one from before: containers that refer to Secrets or ConfigMaps get a new revision")
	}
	s.restores = adopted.Restores
	if s.id.Cluster == adopted.Cluster {
		return nil
	}
	s.id.Cluster = adopted.Cluster

	return s.dir.SetIdentity(s.id)
}

// fingerprints identify the keys that all servers of a cluster must share. The encryption key is not among them, because
// an operator may rotate it: a Secret that no key opens is an error of its own.
func (s *Server) fingerprints() (map[string]string, error) {
	token, err := os.ReadFile(s.certs.TokenKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read service-account key: %w", err)
	}
	return map[string]string{
		"certificate authority": fingerprint(s.certs.CA),
		"service-account key":   fingerprint(token),
	}, nil
}

// fingerprint tells keys apart. They are far too long to be guessed from it.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(key)

	return hex.EncodeToString(sum[:])
}

// DigestKey is a key for digests that more people may see than what they are digests of. All servers of the cluster have
// the same, also after a restart.
func (s *Server) DigestKey() []byte { return bytes.Clone(s.digestKey) }

// Restores is how often the store was put back to an earlier time.
func (s *Server) Restores() int64 { return s.restores }

// ClusterTag is what IDs that leave this installation have in common. All its servers have the same.
func (s *Server) ClusterTag() string { return payment.ClusterTag(s.id.Cluster) }

// Etcd is a client of the store, for what is not kept as objects. It is closed when Run returns.
func (s *Server) Etcd() *clientv3.Client { return s.store.Client }

// URL is where clients on this machine reach the API.
func (s *Server) URL() string { return localURL(s.addr) }

// Identity is who this server is.
func (s *Server) Identity() datadir.Identity { return s.id }

// LoopbackConfig is a client configuration that may do anything, without limits on its rate.
func (s *Server) LoopbackConfig() *rest.Config {
	return ownClient(s.chain.generic.LoopbackClientConfig)
}

// ownClient is the configuration of a client of this process.
func ownClient(loopback *rest.Config) *rest.Config {
	cfg := rest.CopyConfig(loopback)
	// Our kinds have no protobuf encoding. Clients of Kubernetes' own kinds choose it themselves.
	cfg.ContentConfig = rest.ContentConfig{}
	cfg.UserAgent = "dogker/" + KubernetesVersion()
	cfg.WarningHandler = rest.NoWarnings{}

	return cfg
}

// AddReadyCheck makes /readyz wait for the check. It must be called before Run, and the check must answer at once.
func (s *Server) AddReadyCheck(name string, check func(*http.Request) error) error {
	if err := s.chain.front.GenericAPIServer.AddReadyzChecks(healthz.NamedCheck(name, check)); err != nil {
		return fmt.Errorf("add ready check %q: %w", name, err)
	}

	return nil
}

// OnServing runs f once the API serves our kinds. f blocks until its context ends, and an early return ends the server.
// It must be called before Run.
func (s *Server) OnServing(f func(context.Context) error) { s.onServing = append(s.onServing, f) }

// RunKubernetesControllers runs the loops of Kubernetes that the API needs, and blocks until the context ends. It is for
// the leader, once the API serves.
func (s *Server) RunKubernetesControllers(ctx context.Context) error {
	key, err := keyutil.PrivateKeyFromFile(s.certs.TokenKeyFile)
	if err != nil {
		return fmt.Errorf("read service-account key: %w", err)
	}
	cfg := s.LoopbackConfig()
	cfg.ContentType, cfg.AcceptContentTypes = protobuf, protobuf+",application/json"

	return kubecontrollers.Run(ctx, kubecontrollers.Options{
		Config:     cfg,
		Informers:  s.chain.informers,
		Containers: s.chain.tenants.Containers(),
		CA:         s.certs.CA,
		TokenKey:   key,
	})
}

// close gives back what New took, in reverse.
func (s *Server) close() error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}

	return errors.Join(append(errs, s.lock.Release())...)
}
