package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/controllers/gitsync"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/internal/gitops/apply"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/engine"
)

// waitingBuilds is how many builds of one tenant may wait for a worker. Each GitSync has one at most, and it takes little.
const waitingBuilds = 10_000

// gitops is everything about Git in this process.
type gitops struct {
	*controllers
	m        manager.Manager
	passes   *engine.Metrics
	recorder record.EventRecorder
	// builders run apart from this process.
	builders *worker.Pool
}

// registerGitOps adds the control loops that work with repositories.
func registerGitOps(m manager.Manager, c *controllers, passes *engine.Metrics) error {
	g := &gitops{
		controllers: c, m: m, passes: passes,
		recorder: m.GetEventRecorderFor("dogker"), //nolint:staticcheck // kubectl describe shows these for every kind.
		builders: worker.NewPool(worker.Options{Waiting: waitingBuilds, Owner: c.server.Identity().Server, Log: c.log}),
	}

	if err := g.receive(); err != nil {
		return err
	}

	if err := g.syncs(); err != nil {
		return err
	}

	if err := g.images(); err != nil {
		return err
	}

	return g.previews()
}

// syncs adds what keeps GitSyncs.
func (g *gitops) syncs() error {
	statuses, err := g.statuses()
	if err != nil {
		return err
	}

	cfg := g.server.LoopbackConfig()
	kind := gitsync.New(g.m.GetClient(), g.m.GetAPIReader(), g.builders, apply.NewReader(cfg),
		applier{apply.New(cfg, g.m.GetRESTMapper(), apply.Options{})},
		gitsync.Options{
			Platform: bootstrap.Namespace, AllowPrivateAddresses: g.options.AllowPrivateRepositories,
			Statuses: statuses, Recorder: g.recorder, Registerer: ctrlmetrics.Registry,
		})
	loop := engine.New(g.m.GetClient(), kind, engine.Options{
		Name: gitsync.Name, Finalizer: gitopsv1.FinalizerGitSync, Recorder: g.recorder, Metrics: g.passes, Logger: g.log,
		Timeout: gitsync.PassTimeout,
	})
	if err := gitsync.Setup(g.m, loop, kind); err != nil {
		return fmt.Errorf("set up controller of syncs: %w", err)
	}

	return nil
}

// The adapters are what the controller asks for.
var (
	_ gitsync.Accounts = (*apply.Reader)(nil)
	_ gitsync.Applier  = applier{}
	_ gitsync.Plan     = (*apply.Plan)(nil)
)

// applier has plans that are the controller's.
type applier struct{ *apply.Applier }

// Plan implements gitsync.Applier.
func (a applier) Plan(ctx context.Context, r delivery.Request) (gitsync.Plan, error) {
	p, err := a.Applier.Plan(ctx, r)
	if err != nil {
		return nil, err // A nil plan in an interface is not nil.
	}

	return p, nil
}
