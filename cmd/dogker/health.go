package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/controllers/health"
	"github.com/dogker/dogker/internal/fleet"
)

// registerHealth adds the health monitor. The loopback client may write annotations of monitoring.
func registerHealth(m manager.Manager, c *controllers) error {
	monitor, err := health.New(health.Options{
		Client: m.GetClient(), Swarm: c.docker.Engine, Samples: c.telemetry, Tasks: stopper{c.fleet},
		Recorder: m.GetEventRecorderFor("dogker-health"), //nolint:staticcheck // kubectl describe shows these for every kind.
		Log:      c.log, Registerer: ctrlmetrics.Registry,
	})
	if err != nil {
		return err
	}
	if err := m.Add(monitor); err != nil {
		return fmt.Errorf("add health monitor: %w", err)
	}

	return nil
}

// stopper stops containers through whoever reaches their nodes.
type stopper struct{ runtime fleet.Runtime }

// Stop implements health.Tasks.
func (s stopper) Stop(ctx context.Context, node, task, container string, grace time.Duration) error {
	return s.runtime.Stop(ctx, fleet.Place{Node: node, Task: task, Container: container}, grace)
}
