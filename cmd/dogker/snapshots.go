package main

import (
	"fmt"
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/volumesnapshot"
	"github.com/dogker/dogker/controllers/volumesnapshotclass"
	dockerswarm "github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/internal/volumes"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/internal/volumework/places"
	"github.com/dogker/dogker/reconciler/engine"
)

// The adapters are what the controllers ask for.
var (
	_ volumesnapshot.Jobs        = (*volumework.Worker)(nil)
	_ volumesnapshot.Storage     = (*volumes.Inventory)(nil)
	_ volumesnapshot.Swarm       = (*dockerswarm.Engine)(nil)
	_ volumesnapshotclass.Places = (*places.Places)(nil)
)

// registerSnapshots adds the loops of VolumeSnapshots and their classes.
func registerSnapshots(m manager.Manager, c *controllers, inventory *volumes.Inventory, passes *engine.Metrics) error {
	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	options := func(name, finalizer string) engine.Options {
		return engine.Options{Name: name, Finalizer: finalizer, Recorder: recorder, Metrics: passes, Logger: c.log}
	}

	kind := volumesnapshot.New(m.GetClient(), m.GetAPIReader(), volumesnapshot.Ports{
		Jobs: c.work, Storage: inventory, Swarm: c.docker.Engine, Recorder: recorder,
	})
	loop := engine.New(m.GetClient(), kind, options(volumesnapshot.Name, v1alpha1.FinalizerVolumeSnapshot))
	if err := volumesnapshot.Setup(m, loop, endedJobs(c.work, c.log)); err != nil {
		return fmt.Errorf("set up controller of snapshots: %w", err)
	}

	classes := volumesnapshotclass.New(m.GetClient(), m.GetAPIReader(), c.places)
	if err := volumesnapshotclass.Setup(m, engine.New(m.GetClient(), classes, options(volumesnapshotclass.Name, v1alpha1.FinalizerVolumeSnapshotClass)), classes); err != nil {
		return fmt.Errorf("set up controller of snapshot classes: %w", err)
	}

	if err := ctrlmetrics.Registry.Register(volumesnapshot.NewMetrics(m.GetClient())); err != nil {
		return fmt.Errorf("register metrics of snapshots: %w", err)
	}

	return nil
}

// endedJobs tells whose job has ended, of whichever kind the owner is. What nobody takes in time is dropped: who waits looks again.
func endedJobs(work *volumework.Worker, log *slog.Logger) <-chan event.TypedGenericEvent[string] {
	ch := make(chan event.TypedGenericEvent[string], hintQueue)
	work.Subscribe(func(owner string) {
		select {
		case ch <- event.TypedGenericEvent[string]{Object: owner}:
		default:
			log.Debug("Dropped a hint of work with data, because nobody takes them")
		}
	})

	return ch
}
