package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/wake"
)

// interval between two looks at everything.
const interval = 30 * time.Second

// Swarm is the part of Docker Swarm that this controller uses.
type Swarm interface {
	// Inventory shows everything with our labels. It fails while nothing is known.
	Inventory(ctx context.Context) (swarmobj.Inventory, error)
	// RemoveService removes the service if, asked now, it still belongs to the owner.
	RemoveService(ctx context.Context, id string, o swarmobj.Owner) error
	// RemoveSecret, RemoveConfig and RemoveNetwork remove what is ours and fail with ErrInUse while it is used.
	RemoveSecret(ctx context.Context, id string) error
	RemoveConfig(ctx context.Context, id string) error
	RemoveNetwork(ctx context.Context, tenant string) error
}

// Collector is a Runnable of a manager, for the leader only.
type Collector struct {
	cached  client.Reader
	live    client.Reader
	swarm   Swarm
	log     *slog.Logger
	metrics metrics
	seen    map[string]time.Time
}

// New returns a collector. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader, s Swarm, log *slog.Logger, reg prometheus.Registerer) *Collector {
	return &Collector{
		cached: cached, live: live, swarm: s, metrics: newMetrics(reg),
		log:  log.With(logkey.Controller, "collector"),
		seen: map[string]time.Time{},
	}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Collector) NeedLeaderElection() bool { return true }

// Start looks at everything every interval until the context ends.
func (c *Collector) Start(ctx context.Context) error {
	wake.Every(ctx, interval, func(ctx context.Context) error { return c.Sweep(ctx, time.Now()) }, func(err error) {
		c.log.WarnContext(ctx, "Could not look for objects without an owner", logkey.Err, err)
	})

	return nil
}

// Sweep looks once. It is exported for tests, which have a clock of their own.
func (c *Collector) Sweep(ctx context.Context, now time.Time) error {
	inv, err := c.swarm.Inventory(ctx)
	if err != nil {
		return fmt.Errorf("look at swarm: %w", err)
	}

	d, err := c.declared(ctx)
	if err != nil {
		return err
	}

	found := orphans(inv, d)
	due := ripe(c.seen, found, now)
	c.metrics.orphans.Set(float64(len(found)))

	if braked(due, len(inv.Services)) {
		c.metrics.held.Set(1)
		c.log.ErrorContext(ctx, "Refusing to remove services without an owner: there are too many of them, as after the restore of an old backup; "+
			"apply what is missing, or remove the services by hand", "services", len(inv.Services), "unowned", len(due))

		return nil
	}

	c.metrics.held.Set(0)

	var errs []error

	for _, o := range due {
		if err := c.remove(ctx, o); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o, err))
		}
	}

	return errors.Join(errs...)
}

// declared reads what the API holds, from the cache.
func (c *Collector) declared(ctx context.Context) (declared, error) {
	d := declared{owners: map[string]bool{}, tenants: map[string]bool{}, contents: map[string]bool{}}

	var containers v1alpha1.TenantContainerList
	if err := c.cached.List(ctx, &containers, client.UnsafeDisableDeepCopy); err != nil {
		return d, fmt.Errorf("list containers: %w", err)
	}

	for i := range containers.Items {
		d.owners[string(containers.Items[i].UID)] = true
		d.tenants[containers.Items[i].Namespace] = true
	}

	var tenants v1alpha1.TenantList
	if err := c.cached.List(ctx, &tenants, client.UnsafeDisableDeepCopy); err != nil {
		return d, fmt.Errorf("list tenants: %w", err)
	}

	for i := range tenants.Items {
		d.tenants[tenants.Items[i].Name] = true
	}

	var jobs v1alpha1.TenantJobList
	if err := c.cached.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil {
		return d, fmt.Errorf("list jobs: %w", err)
	}

	for i := range jobs.Items {
		d.owners[string(jobs.Items[i].UID)] = true
		d.tenants[jobs.Items[i].Namespace] = true
	}

	var revisions v1alpha1.ContainerRevisionList
	if err := c.cached.List(ctx, &revisions, client.UnsafeDisableDeepCopy); err != nil {
		return d, fmt.Errorf("list revisions: %w", err)
	}

	for i := range revisions.Items {
		for _, content := range revisions.Items[i].Spec.Contents {
			d.contents[content.SwarmName] = true
		}
	}

	return d, nil
}

// remove asks the API server whether there really is no owner, and then removes.
func (c *Collector) remove(ctx context.Context, o orphan) error {
	owned, err := c.owned(ctx, o)
	if err != nil || owned {
		return err
	}

	c.log.InfoContext(ctx, "Removing object without an owner", logkey.Step, o.String(), logkey.Tenant, o.item.Owner.Tenant)

	switch o.sort {
	case sortService:
		err = c.swarm.RemoveService(ctx, o.item.ID, o.item.Owner)
	case sortSecret:
		err = c.swarm.RemoveSecret(ctx, o.item.ID)
	case sortConfig:
		err = c.swarm.RemoveConfig(ctx, o.item.ID)
	case sortNetwork:
		err = c.swarm.RemoveNetwork(ctx, o.item.Owner.Tenant)
	}

	if errors.Is(err, swarmobj.ErrInUse) {
		return nil
	}
	if err == nil {
		c.metrics.removed.WithLabelValues(string(o.sort)).Inc()
	}

	return err
}

func (c *Collector) owned(ctx context.Context, o orphan) (bool, error) {
	switch o.sort {
	case sortService:
		var owner client.Object = &v1alpha1.TenantContainer{}
		if o.item.Owner.Kind == swarmobj.KindJob {
			owner = &v1alpha1.TenantJob{}
		}

		err := c.live.Get(ctx, client.ObjectKey{Namespace: o.item.Owner.Tenant, Name: o.item.Owner.Name}, owner)
		if apierrors.IsNotFound(err) {
			return false, nil
		}

		return err == nil && string(owner.GetUID()) == o.item.Owner.UID, err
	case sortNetwork:
		return c.inhabited(ctx, o.item.Owner.Tenant)
	default:
		return c.referenced(ctx, o)
	}
}

// inhabited is true for a namespace that has a container, or a tenant, who keeps his network without any.
func (c *Collector) inhabited(ctx context.Context, namespace string) (bool, error) {
	var tenant v1alpha1.Tenant

	err := c.live.Get(ctx, client.ObjectKey{Name: namespace}, &tenant)
	if !apierrors.IsNotFound(err) {
		return err == nil, err
	}

	var list v1alpha1.TenantContainerList

	if err := c.live.List(ctx, &list, client.InNamespace(namespace), client.Limit(1)); err != nil || len(list.Items) > 0 {
		return len(list.Items) > 0, err
	}

	var jobs v1alpha1.TenantJobList

	err = c.live.List(ctx, &jobs, client.InNamespace(namespace), client.Limit(1))

	return len(jobs.Items) > 0, err
}

// referenced asks for the revisions of the namespace. Whatever a service refers to, Swarm itself does not let go.
func (c *Collector) referenced(ctx context.Context, o orphan) (bool, error) {
	var list v1alpha1.ContainerRevisionList
	if err := c.live.List(ctx, &list, client.InNamespace(o.item.Owner.Tenant)); err != nil {
		return false, err
	}

	for i := range list.Items {
		for _, content := range list.Items[i].Spec.Contents {
			if content.SwarmName == o.item.Name {
				return true, nil
			}
		}
	}

	return false, nil
}
