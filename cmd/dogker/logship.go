package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/logship"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/logkey"
)

var _ logship.Swarm = (*swarm.Engine)(nil)

// logshipFlags say where logs of containers go.
type logshipFlags struct{ logship.EndpointOptions }

func (f *logshipFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.URL, "log-ship-url", "", "`URL` of a store that gets all logs of containers: loki+https://HOST, or elasticsearch+https://HOST/INDEX; they are not shipped when not set")
	flags.StringVar(&f.CredentialsFile, "log-ship-credentials-file", "", "file with a token, or NAME:PASSWORD, by which --log-ship-url knows us; read anew for every batch")
	flags.StringVar(&f.CAFile, "log-ship-ca-file", "", "authorities that may have signed the certificate of --log-ship-url; those of the system when not set")
}

// endpoint is nil when logs are not shipped.
func (f *logshipFlags) endpoint() (*logship.Endpoint, error) {
	if f.URL == "" {
		return nil, refuseWithout("--log-ship-url", []given{
			{"--log-ship-credentials-file", f.CredentialsFile != ""}, {"--log-ship-ca-file", f.CAFile != ""},
		})
	}
	e, err := logship.NewEndpoint(f.EndpointOptions)
	switch {
	case errors.Is(err, logship.ErrCredentials):
		return nil, fmt.Errorf("--log-ship-credentials-file: %w", err)
	case errors.Is(err, logship.ErrAuthorities):
		return nil, fmt.Errorf("--log-ship-ca-file: %w", err)
	case err != nil:
		return nil, fmt.Errorf("--log-ship-url: %w", err)
	}

	return e, nil
}

// registerLogship adds shipping of logs, when there is where to.
func registerLogship(m manager.Manager, c *controllers) error {
	if c.logs == nil {
		return nil
	}
	shipper, err := logship.New(logship.Options{
		Endpoint: c.logs, Swarm: c.docker.Engine, Runtime: c.fleet, Cursors: logship.Etcd{Client: c.server.Etcd()},
		Registerer: ctrlmetrics.Registry, Log: c.log.With(logkey.Component, "logship"),
	})
	if err != nil {
		return err
	}
	if err := m.Add(shipper); err != nil {
		return fmt.Errorf("add shipping of logs: %w", err)
	}

	return nil
}
