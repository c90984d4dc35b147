package main

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/job"
	"github.com/dogker/dogker/internal/registry"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// The adapters are what the controller asks for.
var (
	_ job.Swarm    = (*swarm.Engine)(nil)
	_ job.Registry = (*registry.Client)(nil)
)

// registerJobs adds the control loop of TenantJobs, which works through the same adapters as that of containers.
func registerJobs(m manager.Manager, c *controllers, digests swarmobj.DigestKey, passes *engine.Metrics) error {
	counted, err := job.NewMetrics(ctrlmetrics.Registry)
	if err != nil {
		return err
	}

	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	kind := job.New(m.GetClient(), m.GetAPIReader(), c.docker.Engine, c.registry, job.Options{Recorder: recorder, Digests: digests, Metrics: counted, Restores: c.server.Restores()})
	loop := engine.New(m.GetClient(), kind, engine.Options{
		Name: job.Name, Finalizer: v1alpha1.Finalizer, Recorder: recorder, Metrics: passes, Logger: c.log,
	})

	if err := job.Setup(m, loop, hintsOf(c.docker.Engine, c.log)); err != nil {
		return fmt.Errorf("set up controller of jobs: %w", err)
	}

	return nil
}
