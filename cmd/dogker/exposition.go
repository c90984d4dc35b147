package main

import (
	"context"
	"fmt"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/exposition"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/podview"
)

var _ exposition.Swarm = (*swarm.Engine)(nil)

// newExposition makes what shows Prometheus what runs. It is there before the API, and says that it does not know yet.
func newExposition(d *docker, log *slog.Logger) *exposition.Server {
	return exposition.New(exposition.Options{
		Swarm: d.Engine, NodeNames: podview.Names, Log: log.With(logkey.Component, "exposition"),
	})
}

// registerExposition shows objects out of the manager's cache, on every server. The kinds that are shown are followed from
// the start: a scrape must not be the first that asks for them, and wait.
func registerExposition(m manager.Manager, c *controllers) error {
	c.pages.ShowSamples(c.telemetry)
	if err := m.Add(everywhere(func(ctx context.Context) error {
		for _, o := range []client.Object{&v1alpha1.TenantContainer{}, &gitopsv1.GitSync{}, &corev1.ResourceQuota{}} {
			if _, err := m.GetCache().GetInformer(ctx, o); err != nil {
				return fmt.Errorf("follow what is shown to Prometheus: %w", err)
			}
		}
		c.pages.ShowObjects(m.GetCache())

		return c.pages.Run(ctx)
	})); err != nil {
		return fmt.Errorf("add what is shown to Prometheus: %w", err)
	}

	return nil
}
