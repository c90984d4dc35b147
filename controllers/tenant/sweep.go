package tenant

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/wake"
)

const (
	// sweepEvery is the time between two looks at the namespaces.
	sweepEvery = 30 * time.Second
	// grace is how long a namespace must have been seen without its tenant before it is removed.
	grace = time.Minute
)

// Sweeper removes empty namespaces of tenants that are gone: a former leader that wakes up late can make one. The
// namespace does not belong to its tenant as Kubernetes understands it, because a store that was restored from a backup
// knows the tenant by another UID, and all that the tenant has would be collected. It is a Runnable of a manager.
type Sweeper struct {
	controller *Controller
	log        *slog.Logger
	seen       map[string]time.Time
}

// NewSweeper returns a sweeper that looks and removes as the controller does.
func NewSweeper(c *Controller, log *slog.Logger) *Sweeper {
	return &Sweeper{controller: c, log: log.With(logkey.Controller, Name), seen: map[string]time.Time{}}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Sweeper) NeedLeaderElection() bool { return true }

// Start looks from time to time until the context ends.
func (s *Sweeper) Start(ctx context.Context) error {
	wake.Every(ctx, sweepEvery, func(ctx context.Context) error { return s.sweep(ctx, s.controller.now()) }, func(err error) {
		s.log.WarnContext(ctx, "Could not look for namespaces without their tenant", logkey.Err, err)
	})

	return nil
}

func (s *Sweeper) sweep(ctx context.Context, now time.Time) error {
	var spaces corev1.NamespaceList
	if err := s.controller.cached.List(ctx, &spaces, client.HasLabels{v1alpha1.LabelTenant}); err != nil {
		return fmt.Errorf("list namespaces: %w", err)
	}

	alone := map[string]time.Time{}

	for i := range spaces.Items {
		ns := &spaces.Items[i]

		// A namespace that is labelled for a tenant of another name waits for nobody: it is an operator's slip.
		if ns.Labels[v1alpha1.LabelTenant] != ns.Name || !ns.DeletionTimestamp.IsZero() {
			continue
		}

		if gone, err := without(ctx, s.controller.cached, ns.Name); err != nil || !gone {
			continue
		}

		first, known := s.seen[ns.Name]
		if !known {
			first = now
		}

		alone[ns.Name] = first

		if now.Sub(first) >= grace {
			if err := s.remove(ctx, ns); err != nil {
				return err
			}
		}
	}

	s.seen = alone

	return nil
}

// without is true when there is no tenant of that name.
func without(ctx context.Context, r client.Reader, name string) (bool, error) {
	err := r.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Tenant{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}

	return false, err
}

// remove asks the API server itself whether there is no tenant, and nothing in the namespace, and then removes it. One that
// holds something is for a person to look at.
func (s *Sweeper) remove(ctx context.Context, ns *corev1.Namespace) error {
	c := s.controller

	gone, err := without(ctx, c.live, ns.Name)
	if err != nil || !gone {
		return err
	}

	var containers v1alpha1.TenantContainerList
	if err := c.live.List(ctx, &containers, client.InNamespace(ns.Name), client.Limit(1)); err != nil {
		return fmt.Errorf("list containers of %q: %w", ns.Name, err)
	}

	account, err := c.accountOf(ctx, ns.Name)
	if err != nil {
		return err
	}

	data, err := c.data(ctx, ns.Name)
	if err != nil || len(containers.Items) > 0 || len(data) > 0 || account != nil {
		return err
	}

	s.log.InfoContext(ctx, "Removing empty namespace of a Tenant that is gone", logkey.Tenant, ns.Name)

	if err := client.IgnoreNotFound(c.cached.Delete(ctx, ns, client.Preconditions{UID: &ns.UID})); err != nil {
		return fmt.Errorf("remove namespace %q: %w", ns.Name, err)
	}

	return nil
}
