package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/fleet"
	dockerswarm "github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/internal/volumework/places"
)

// The adapters are what the worker asks for.
var (
	_ volumework.Engines = (*fleet.Fleet)(nil)
	_ volumework.Nodes   = (*dockerswarm.Engine)(nil)
	_ volumework.Places  = (*places.Places)(nil)
)

// registerVolumework adds what copies, saves and restores the data of volumes, where the controllers run. They order it by c.work, and
// look after places of snapshots by c.places.
func registerVolumework(m manager.Manager, c *controllers) error {
	c.places = places.New(places.Options{Reader: m.GetAPIReader(), Writer: m.GetClient(), Namespace: bootstrap.Namespace})
	c.work = volumework.New(volumework.Options{
		Engines: c.fleet.Fleet, Nodes: c.docker.Engine, Places: c.places,
		Holder: c.server.Identity().Server, Version: builtFrom().Dogker,
		Hold: c.docker.hold, Log: c.log, Registerer: ctrlmetrics.Registry,
	})
	if err := m.Add(manager.RunnableFunc(c.work.Run)); err != nil {
		return fmt.Errorf("add work with the data of volumes: %w", err)
	}

	return nil
}

// letGo is how long connections to nodes outlast the order to stop. Nothing that might need them is waited for longer.
const letGo = stopGrace

// outlasting is a context that ends after another one, once nothing is done any more with the data of volumes: containers that were
// frozen for it must run again, and it takes the connections to their nodes for that.
func outlasting(ctx context.Context, settled func() bool, bound time.Duration) context.Context {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer cancel()
		const pause = 20 * time.Millisecond
		for end := time.Now().Add(bound); !settled() && time.Now().Before(end); {
			time.Sleep(pause)
		}
	})

	return lasting
}
