package main

import (
	"context"
	"fmt"
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/controllers/alert"
	"github.com/dogker/dogker/controllers/receiver"
	"github.com/dogker/dogker/internal/alertmanager"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/promquery"
	"github.com/dogker/dogker/internal/swarm"
	decide "github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/engine"
)

// The adapters are what the controllers ask for.
var (
	_ alert.Swarm         = (*swarm.Engine)(nil)
	_ alert.Queries       = queries{}
	_ receiver.Deliveries = (*outbox.Deliverer)(nil)
)

// newAlertmanager makes what receives alerts of Alertmanager. It answers that it cannot yet, until there are caches.
func newAlertmanager(log *slog.Logger) (*alertmanager.Handler, error) {
	return alertmanager.New(alertmanager.Options{Platform: bootstrap.Namespace, Log: log, Registerer: ctrlmetrics.Registry})
}

// registerAlerts adds what watches, and what says whether those can be told who are to be.
func registerAlerts(m manager.Manager, c *controllers, docker *swarm.Engine, passes *engine.Metrics) error {
	told := c.options.parts.notices
	ports := alert.Ports{Telemetry: c.telemetry, Swarm: docker, Outbox: told.queue}
	if c.prometheus != nil {
		ports.Queries = queries{c.prometheus}
	}

	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.

	alerts := alert.New(m.GetClient(), m.GetAPIReader(), ports, alert.Options{Platform: bootstrap.Namespace})
	if err := alert.Setup(m, engine.New(m.GetClient(), alerts, engine.Options{
		Name: alert.Name, Recorder: recorder, Metrics: passes, Logger: c.log,
	}), alerts); err != nil {
		return fmt.Errorf("set up controller of alerts: %w", err)
	}

	if err := alert.NewKeeper(m.GetClient()).Setup(m); err != nil {
		return fmt.Errorf("set up keeper of alerts: %w", err)
	}

	receivers := receiver.New(m.GetClient(), told.deliverer, receiver.Options{Platform: bootstrap.Namespace, Mail: told.sender != nil})
	if err := receiver.Setup(m, engine.New(m.GetClient(), receivers, engine.Options{
		Name: receiver.Name, Recorder: recorder, Metrics: passes, Logger: c.log,
	}), told.deliveries()); err != nil {
		return fmt.Errorf("set up controller of receivers: %w", err)
	}

	c.alertmanager.Open(alertmanager.Cached{Reader: m.GetClient()}, told.queue)

	return nil
}

// deliveries tells of each Receiver that something was delivered to, or could not be. What nobody takes in time is dropped: the
// next delivery tells again.
func (n *noticeParts) deliveries() <-chan event.TypedGenericEvent[decide.ReceiverRef] {
	ch := make(chan event.TypedGenericEvent[decide.ReceiverRef], hintQueue)
	n.changed = append(n.changed, func(r decide.ReceiverRef) {
		if r.Name == "" {
			return // There is no object that could say so.
		}
		select {
		case ch <- event.TypedGenericEvent[decide.ReceiverRef]{Object: r}:
		default:
		}
	})

	return ch
}

// queries are those of a Prometheus.
type queries struct{ *promquery.Client }

// Query implements alert.Queries.
func (q queries) Query(ctx context.Context, namespace, query string) ([]alert.Result, error) {
	ask := q.Everywhere
	if namespace != "" {
		ask = func(ctx context.Context, query string) ([]promquery.Sample, error) {
			return q.Vector(ctx, namespace, query)
		}
	}
	samples, err := ask(ctx, query)
	if err != nil {
		return nil, err
	}
	out := make([]alert.Result, len(samples))
	for i, s := range samples {
		out[i] = alert.Result{Labels: s.Labels, Value: s.Value}
	}

	return out, nil
}
