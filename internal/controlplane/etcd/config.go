package etcd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	dialTimeout = 5 * time.Second
	// connectTimeout is how long an external cluster may take to answer for the first time.
	connectTimeout = 30 * time.Second
	keepAlive      = 10 * time.Second
)

// Config says where the store is.
type Config struct {
	// Dir is where the embedded member keeps its data. It is not used with Endpoints.
	Dir string
	// Endpoints of an external cluster; empty for the embedded member.
	Endpoints []string
	// CAFile, CertFile and KeyFile secure the connection to an external cluster.
	CAFile, CertFile, KeyFile string
	// Log takes what etcd has to say.
	Log *slog.Logger
}

// External says whether somebody else runs the store.
func (c Config) External() bool { return len(c.Endpoints) > 0 }

// Validate refuses what cannot work, naming the flag.
func (c Config) Validate() error {
	if !c.External() {
		if c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" {
			return errors.New("--etcd-cafile, --etcd-certfile and --etcd-keyfile need --etcd-endpoints")
		}
		return nil
	}

	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("--etcd-certfile and --etcd-keyfile must be given together")
	}
	for _, e := range c.Endpoints {
		if !strings.HasPrefix(e, "https://") && !strings.HasPrefix(e, "http://") {
			return fmt.Errorf("--etcd-endpoints: %q must begin with https:// or http://", e)
		}
		if strings.HasPrefix(e, "http://") && c.CAFile != "" {
			return fmt.Errorf("--etcd-endpoints: %q must begin with https:// because --etcd-cafile is given", e)
		}
	}

	return nil
}

// tls is nil for a store without certificates.
func (c Config) tls() (*tls.Config, error) {
	if c.CAFile == "" && c.CertFile == "" {
		return nil, nil
	}

	info := transport.TLSInfo{TrustedCAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}
	cfg, err := info.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read certificates for etcd: %w", err)
	}

	return cfg, nil
}

func newClient(c Config, endpoints []string) (*clientv3.Client, error) {
	tlsConfig, err := c.tls()
	if err != nil {
		return nil, err
	}

	client, err := clientv3.New(clientv3.Config{
		Endpoints:            endpoints,
		TLS:                  tlsConfig,
		DialTimeout:          dialTimeout,
		DialKeepAliveTime:    keepAlive,
		DialKeepAliveTimeout: keepAlive,
		Logger:               zapLogger(c.Log),
	})
	if err != nil {
		return nil, fmt.Errorf("create etcd client: %w", err)
	}

	return client, nil
}
