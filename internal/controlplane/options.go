package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/controlplane/resourcemetrics"
	"github.com/dogker/dogker/internal/controlplane/streams"
	"github.com/dogker/dogker/internal/controlplane/views"
	"github.com/dogker/dogker/internal/exposition"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/identity"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Options say what kind of server it is. DataDir, Listen and Log must be set.
type Options struct {
	// DataDir holds everything that must outlive the server.
	DataDir string
	// Listen is ADDR:PORT of the API. Port 0 takes a free one.
	Listen string
	// Hosts are further names and addresses by which clients reach the API.
	Hosts []string
	// EtcdEndpoints is an external store; empty for the embedded one.
	EtcdEndpoints []string
	// EtcdCAFile, EtcdCertFile and EtcdKeyFile secure the connection to an external store.
	EtcdCAFile, EtcdCertFile, EtcdKeyFile string
	// AuthenticationConfig is a file with Kubernetes' AuthenticationConfiguration, which names issuers of OIDC tokens;
	// empty for none.
	AuthenticationConfig string
	// Registration says what becomes of people who register.
	Registration identity.Registration
	// Lifetimes say how long tokens are good.
	Lifetimes identity.Lifetimes
	// Provider is who sells what tenants pay for, as exports of their ledgers name it; empty for "Dogker". Region is where it
	// runs; empty for none.
	Provider, Region string
	// AllowPrivateRepositories lets Git repositories of tenants be at addresses that are not public.
	AllowPrivateRepositories bool
	// Swarm is shown as pods and nodes; nil where neither are served. Agents says how the agents of its nodes stand; nil where
	// nothing is known of any. Runtime reaches the containers of pods; nil where they cannot be reached.
	Swarm   views.Swarm
	Agents  views.Agents
	Runtime fleet.Runtime
	// TaskLogs reads logs of nodes whose agent cannot be asked; nil where no streams to pods are served. Samples say what pods
	// and nodes use; nil where that is not served.
	TaskLogs streams.TaskLogs
	Samples  resourcemetrics.Samples
	// StreamsPerNamespace is how many streams to pods a namespace has at once, and StreamIdleTimeout after how long one ends
	// on which nothing moves; 0 for the defaults.
	StreamsPerNamespace int
	StreamIdleTimeout   time.Duration
	// Pages are what Prometheus reads beside the server's own metrics; nil for none.
	Pages *exposition.Server
	// Log takes what the server has to say.
	Log *slog.Logger
}

// Validate refuses what cannot work, naming the flag.
func (o Options) Validate() error {
	if o.DataDir == "" {
		return errors.New("--data-dir must not be empty")
	}
	if o.Log == nil {
		return errors.New("a logger is needed")
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q must be ADDR:PORT, such as 127.0.0.1:6443", o.Listen)
	}
	if host != "" && net.ParseIP(host) == nil {
		return fmt.Errorf("--listen %q: %q must be an IP address; give names with --tls-san", o.Listen, host)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("--listen %q: %q must be a port from 0 to 65535", o.Listen, port)
	}

	if err := o.validatePeople(); err != nil {
		return err
	}
	if err := o.validateStreams(); err != nil {
		return err
	}

	return o.etcd("").Validate()
}

// leastLifetime is the shortest that a token may be good: less, and it is over before a slow client has used it.
const leastLifetime = 5 * time.Second

func (o Options) validatePeople() error {
	modes := []identity.Registration{identity.RegistrationOff, identity.RegistrationApproval, identity.RegistrationOpen}
	if !slices.Contains(modes, o.Registration) {
		return fmt.Errorf("--registration %q must be off, approval or open", o.Registration)
	}
	if o.Lifetimes.Access < leastLifetime || o.Lifetimes.Access > 24*time.Hour {
		return fmt.Errorf("--access-token-lifetime %s must be from %s to 24h", o.Lifetimes.Access, leastLifetime)
	}
	if o.Lifetimes.Session < o.Lifetimes.Access || o.Lifetimes.Session > 365*24*time.Hour {
		return fmt.Errorf("--session-lifetime %s must be from --access-token-lifetime to 8760h", o.Lifetimes.Session)
	}

	return nil
}

func (o Options) etcd(dir string) etcd.Config {
	return etcd.Config{
		Dir:       dir,
		Endpoints: o.EtcdEndpoints,
		CAFile:    o.EtcdCAFile,
		CertFile:  o.EtcdCertFile,
		KeyFile:   o.EtcdKeyFile,
		Log:       o.Log.With(logkey.Component, "etcd"),
	}
}

// portPatience is how long a port may stay taken. A server that was killed gives its lock back a moment before its port.
const portPatience = 2 * time.Second

// listen takes the port. It is the first thing that can fail because of somebody else, so it happens before the store
// is opened.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	for deadline := time.Now().Add(portPatience); ; time.Sleep(portPatience / 40) {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return nil, fmt.Errorf("listen on %q: %w", addr, err)
		}
	}
}
