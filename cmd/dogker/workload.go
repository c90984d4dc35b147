package main

import (
	"context"
	"fmt"
	"log/slog"

	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/collector"
	"github.com/dogker/dogker/controllers/workload"
	"github.com/dogker/dogker/internal/registry"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// The adapters are what the controllers ask for.
var (
	_ workload.Swarm    = (*swarm.Engine)(nil)
	_ workload.Registry = (*registry.Client)(nil)
	_ collector.Swarm   = (*swarm.Engine)(nil)
)

// hintQueue is how many owners may wait to be looked at because something of theirs changed in Swarm.
const hintQueue = 1 << 14

// registerWorkload adds the control loop of TenantContainers and the collector of what they leave behind, with the
// adapters they work through, and then what works through the same.
func registerWorkload(m manager.Manager, c *controllers, digests swarmobj.DigestKey) error {
	o, log, docker := c.options, c.log, c.docker.Engine

	if err := m.Add(everywhere(func(ctx context.Context) error {
		if o.initSwarm {
			initSwarm(ctx, c.docker.api, log)
		}

		return docker.Run(ctx)
	})); err != nil {
		return fmt.Errorf("add read cache of swarm: %w", err)
	}

	images, err := newRegistryClient(o)
	if err != nil {
		return err
	}

	c.registry = images

	passes := engine.NewMetrics(ctrlmetrics.Registry)
	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	kind := workload.New(m.GetClient(), m.GetAPIReader(), docker, images, recorder, digests).AfterRestores(c.server.Restores())
	loop := engine.New(m.GetClient(), kind, engine.Options{
		Name:      workload.Name,
		Finalizer: v1alpha1.Finalizer,
		Recorder:  recorder,
		Metrics:   passes,
		Logger:    log,
	})

	if err := workload.Setup(m, loop, hintsOf(docker, log)); err != nil {
		return fmt.Errorf("set up controller of containers: %w", err)
	}

	if err := registerJobs(m, c, digests, passes); err != nil {
		return err
	}

	if err := m.Add(collector.New(m.GetClient(), m.GetAPIReader(), docker, log, ctrlmetrics.Registry)); err != nil {
		return fmt.Errorf("add collector: %w", err)
	}

	for _, register := range []func() error{
		func() error { return registerAgents(m, c, digests) },
		func() error { return registerTenants(m, o, docker, passes, log) },
		func() error { return registerVolumes(m, c, passes) },
		func() error { return registerBilling(m, c, docker, passes) },
		func() error { return registerAutoscaler(m, c) },
		func() error { return registerAlerts(m, c, docker, passes) },
		func() error { return registerHealth(m, c) },
		func() error { return registerGitOps(m, c, passes) },
	} {
		if err := register(); err != nil {
			return err
		}
	}

	return nil
}

var _ engine.Recorder = (record.EventRecorder)(nil)

func newRegistryClient(o serverOptions) (*registry.Client, error) {
	var cfg registry.Config

	if o.registryConfig != "" {
		var err error
		if cfg, err = registry.LoadConfig(o.registryConfig); err != nil {
			return nil, err
		}
	}

	return registry.New(cfg, version, ctrlmetrics.Registry)
}

// initSwarm makes the engine a swarm of one node if it is in none. A failure is told and left to the conditions of the
// objects and to dogker doctor: the API serves all the same.
func initSwarm(ctx context.Context, api swarm.API, log *slog.Logger) {
	created, err := swarm.Init(ctx, api)
	switch {
	case err != nil:
		log.ErrorContext(ctx, "Could not make the engine a swarm", logkey.Err, err)
	case created:
		log.InfoContext(ctx, "Made the engine a swarm of one node")
	}
}

// hintsOf turns the adapter's hints into events for the controller. A server that does not lead does not take them; they
// are dropped then, because whoever takes over looks at every object anyway.
func hintsOf(docker *swarm.Engine, log *slog.Logger) <-chan event.TypedGenericEvent[swarmobj.Owner] {
	ch := make(chan event.TypedGenericEvent[swarmobj.Owner], hintQueue)

	docker.Subscribe(func(o swarmobj.Owner) {
		select {
		case ch <- event.TypedGenericEvent[swarmobj.Owner]{Object: o}:
		default:
			log.Debug("Dropped a hint of Swarm, because nobody takes them", logkey.Tenant, o.Tenant)
		}
	})

	return ch
}

// everywhere is a Runnable that runs on every server, whoever leads: a server that takes over then knows the swarm.
type everywhere func(context.Context) error

// Start implements manager.Runnable.
func (f everywhere) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (everywhere) NeedLeaderElection() bool { return false }
