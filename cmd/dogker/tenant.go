package main

import (
	"fmt"
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/plan"
	"github.com/dogker/dogker/controllers/tenant"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/engine"
)

var _ tenant.Swarm = (*swarm.Engine)(nil)

// poolFlag is the flag --tenant-address-pool.
type poolFlag struct{ addresses.Pool }

// Set implements pflag.Value.
func (f *poolFlag) Set(s string) (err error) {
	f.Pool, err = addresses.ParsePool(s)

	return err
}

// Type implements pflag.Value.
func (*poolFlag) Type() string { return "range" }

// defaultAddressPool has room for 16,384 tenants of 253 addresses. It is the second quarter of 10.0.0.0/8: Swarm itself
// hands out that range from the beginning, and the clouds' own networks begin at either end.
func defaultAddressPool() poolFlag {
	pool, err := addresses.ParsePool("10.64.0.0/10")
	if err != nil {
		panic(err)
	}

	return poolFlag{pool}
}

// registerTenants adds the control loops of Tenants and Plans.
func registerTenants(m manager.Manager, o serverOptions, docker *swarm.Engine, shared *engine.Metrics, log *slog.Logger) error {
	pool := o.addressPool.Pool
	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	kind := tenant.New(m.GetClient(), m.GetAPIReader(), docker, pool, recorder)
	tenants := engine.New(m.GetClient(), kind, engine.Options{
		Name:      tenant.Name,
		Finalizer: v1alpha1.FinalizerTenant,
		Recorder:  recorder,
		Metrics:   shared,
		Logger:    log,
	})

	if err := tenant.Setup(m, tenants, hintsOf(docker, log)); err != nil {
		return fmt.Errorf("set up controller of tenants: %w", err)
	}

	if err := m.Add(tenant.NewSweeper(kind, log)); err != nil {
		return fmt.Errorf("add sweeper of namespaces: %w", err)
	}

	plans := engine.New(m.GetClient(), plan.New(m.GetClient(), m.GetAPIReader()), engine.Options{
		Name:      plan.Name,
		Finalizer: v1alpha1.FinalizerPlan,
		Recorder:  recorder,
		Metrics:   shared,
		Logger:    log,
	})

	if err := plan.Setup(m, plans); err != nil {
		return fmt.Errorf("set up controller of plans: %w", err)
	}

	return ctrlmetrics.Registry.Register(tenant.NewMetrics(m.GetClient(), pool))
}
