package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/metering"
	"github.com/dogker/dogker/controllers/releasedvolume"
	"github.com/dogker/dogker/controllers/volume"
	"github.com/dogker/dogker/controllers/volumeclass"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/internal/fleet"
	dockerswarm "github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/internal/volumes"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
	decide "github.com/dogker/dogker/reconciler/volume"
)

// The adapters are what the controllers ask for.
var (
	_ volumes.Engines        = (*fleet.Fleet)(nil)
	_ volumes.Nodes          = (*dockerswarm.Engine)(nil)
	_ volume.Storage         = (*volumes.Inventory)(nil)
	_ volume.Swarm           = (*dockerswarm.Engine)(nil)
	_ volume.Work            = (*volumework.Worker)(nil)
	_ releasedvolume.Storage = (*volumes.Inventory)(nil)
	_ metering.Volumes       = declaredVolumes{}
)

// registerVolumes adds what knows the volumes of nodes, where the controllers run, and the loops of Volumes, their classes, what was
// released, and snapshots.
func registerVolumes(m manager.Manager, c *controllers, passes *engine.Metrics) error {
	inventory := volumes.New(volumes.Options{
		Engines: c.fleet.Fleet, Nodes: c.docker.Engine, Hold: c.docker.hold, Log: c.log, Registerer: ctrlmetrics.Registry,
	})
	if err := m.Add(manager.RunnableFunc(inventory.Run)); err != nil {
		return fmt.Errorf("add inventory of volumes: %w", err)
	}

	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	options := func(name, finalizer string) engine.Options {
		return engine.Options{Name: name, Finalizer: finalizer, Recorder: recorder, Metrics: passes, Logger: c.log}
	}

	kind := volume.New(m.GetClient(), m.GetAPIReader(), inventory, c.work, c.docker.Engine, confined(m.GetClient()), recorder).AfterRestores(c.server.Restores())
	loop := engine.New(m.GetClient(), kind, options(volume.Name, v1alpha1.FinalizerVolume))
	hints := volume.Hints{Data: dataHints(inventory, c.log), Jobs: jobHints(c.work, c.log), Nodes: nodeHints(c.docker.Engine)}
	if err := volume.Setup(m, loop, hints); err != nil {
		return fmt.Errorf("set up controller of volumes: %w", err)
	}

	classes := engine.New(m.GetClient(), volumeclass.New(m.GetClient(), m.GetAPIReader()), options(volumeclass.Name, v1alpha1.FinalizerVolumeClass))
	if err := volumeclass.Setup(m, classes); err != nil {
		return fmt.Errorf("set up controller of volume classes: %w", err)
	}

	released := releasedvolume.New(m.GetClient(), m.GetAPIReader(), inventory, c.docker.Engine)
	if err := releasedvolume.Setup(m, engine.New(m.GetClient(), released, options(releasedvolume.Name, v1alpha1.FinalizerReleasedVolume))); err != nil {
		return fmt.Errorf("set up controller of released volumes: %w", err)
	}
	if err := m.Add(releasedvolume.NewSweeper(released, c.log)); err != nil {
		return fmt.Errorf("add sweeper of released volumes: %w", err)
	}

	return registerSnapshots(m, c, inventory, passes)
}

// confined is what controllers of containers know of tenants.
func confined(cached client.Reader) volume.Confined {
	return func(ctx context.Context, namespace string) (bool, error) {
		tenant, err := permit.Tenant(ctx, cached, namespace)
		if err != nil {
			return false, err
		}
		profile, err := permit.Profile(ctx, cached, tenant)

		return profile != v1alpha1.ProfilePrivileged, err
	}
}

// dataHints tells of data that came, went or was measured. What nobody takes in time is dropped: who waits looks again.
func dataHints(inventory *volumes.Inventory, log *slog.Logger) <-chan event.TypedGenericEvent[swarmobj.Owner] {
	ch := make(chan event.TypedGenericEvent[swarmobj.Owner], hintQueue)
	inventory.Subscribe(func(o swarmobj.Owner) {
		select {
		case ch <- event.TypedGenericEvent[swarmobj.Owner]{Object: o}:
		default:
			log.Debug("Dropped a hint of a volume, because nobody takes them", logkey.Tenant, o.Tenant)
		}
	})

	return ch
}

// jobHints tells whose work with data has ended.
func jobHints(work *volumework.Worker, log *slog.Logger) <-chan event.TypedGenericEvent[string] {
	ch := make(chan event.TypedGenericEvent[string], hintQueue)
	work.Subscribe(func(owner string) {
		select {
		case ch <- event.TypedGenericEvent[string]{Object: owner}:
		default:
			log.Debug("Dropped a hint that work with a volume has ended, because nobody takes them")
		}
	})

	return ch
}

// nodeHints tells that nodes have changed in a way that matters to Volumes: that one came, went, is down or up again, or has
// another name. What else is told of nodes would wake all Volumes for nothing.
func nodeHints(nodes interface {
	Nodes() []swarm.Node
	SubscribeNodes(tell func())
}) <-chan event.TypedGenericEvent[struct{}] {
	ch := make(chan event.TypedGenericEvent[struct{}], 1)
	changed := make(chan struct{}, 1)
	nodes.SubscribeNodes(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})

	// The subscription must not call back, so that what has changed is found out here. It lives as long as the process.
	go func() {
		var last string
		for range changed {
			if now := standing(nodes.Nodes()); now != last {
				last = now
				select {
				case ch <- event.TypedGenericEvent[struct{}]{}:
				default:
				}
			}
		}
	}()

	return ch
}

// standing is what of nodes matters to Volumes.
func standing(nodes []swarm.Node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, fmt.Sprintf("%s %s %s %s %s", n.ID, n.Description.Hostname, n.Status.State, n.Spec.Availability, n.Spec.Role))
	}
	slices.Sort(out)

	return strings.Join(out, "\n")
}

// declaredVolumes are the Volumes of tenants that pay: each counts with its size from when it was made until it is gone.
type declaredVolumes struct {
	cached client.Reader
	desk   interface {
		Paying(ctx context.Context) (map[string]bool, error)
	}
}

// Volumes implements metering.Volumes.
func (d declaredVolumes) Volumes(ctx context.Context) ([]usage.Volume, error) {
	paying, err := d.desk.Paying(ctx)
	if err != nil {
		return nil, fmt.Errorf("find out who pays: %w", err)
	}
	var all v1alpha1.VolumeList
	if err := d.cached.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}

	var out []usage.Volume
	for i := range all.Items {
		if v := &all.Items[i]; paying[v.Namespace] {
			out = append(out, usage.Volume{Owner: decide.Owner(v), Bytes: v.Spec.Size.Value(), Created: v.CreationTimestamp.Time})
		}
	}

	return out, nil
}
