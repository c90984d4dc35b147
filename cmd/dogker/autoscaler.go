package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/autoscaler"
	"github.com/dogker/dogker/internal/counters"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/promquery"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// The adapters are what the controller asks for.
var (
	_ autoscaler.Swarm      = (*swarm.Engine)(nil)
	_ autoscaler.Telemetry  = (*telemetry.Store)(nil)
	_ autoscaler.Prometheus = questions{}
	_ autoscaler.Counters   = pages{}
)

// registerAutoscaler adds what keeps containers with spec.autoscaling at the number of tasks that they need.
func registerAutoscaler(m manager.Manager, c *controllers) error {
	writer, err := monitoringClient(m)
	if err != nil {
		return err
	}
	o := autoscaler.Options{
		Cached: m.GetClient(), Writer: writer, Swarm: c.docker.Engine, Telemetry: c.telemetry,
		Counters:   pages{counters.NewReader(c.fleet)},
		Recorder:   m.GetEventRecorderFor("dogker"), //nolint:staticcheck // kubectl describe shows these for every kind.
		Log:        c.log,
		Registerer: ctrlmetrics.Registry,
	}
	if c.prometheus != nil {
		o.Prometheus = questions{c.prometheus, c.log}
	}
	if err := m.Add(autoscaler.New(o)); err != nil {
		return fmt.Errorf("add autoscaler: %w", err)
	}

	return nil
}

// monitoringClient writes as the only one who may write annotations of monitoring, and who may little else.
func monitoringClient(m manager.Manager) (client.Client, error) {
	cfg := rest.CopyConfig(m.GetConfig())
	cfg.Impersonate = rest.ImpersonationConfig{UserName: v1alpha1.UserMonitoring}
	// What a number of tasks costs is said to people.
	cfg.WarningHandler = rest.NoWarnings{}
	c, err := client.New(cfg, client.Options{Scheme: m.GetScheme(), Mapper: m.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("create client of monitoring: %w", err)
	}

	return c, nil
}

// questions are asked of Prometheus. What goes wrong on the way to it is logged, and none of a tenant's business.
type questions struct {
	client *promquery.Client
	log    *slog.Logger
}

// Number implements autoscaler.Prometheus.
func (q questions) Number(ctx context.Context, namespace, query string) (float64, error) {
	v, err := q.client.Number(ctx, namespace, query)
	if err == nil {
		return v, nil
	}
	q.log.DebugContext(ctx, "Could not ask Prometheus", logkey.Tenant, namespace, logkey.Err, err)

	return 0, errors.New(promquery.Explain(err))
}

// pages are the metrics that containers show of themselves.
type pages struct{ reader *counters.Reader }

// Counter implements autoscaler.Counters.
func (p pages) Counter(ctx context.Context, at autoscaler.Place, c autoscaler.Counter) (float64, error) {
	return p.reader.Read(ctx, fleet.Place(at), counters.Counter(c))
}
