package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// finalize takes down what a deleted container has in Swarm, in the one order that leaks no addresses: tasks, service,
// secrets and configs, and with the last container of a namespace its network. Swarm lets a network go while containers
// are still stopping, and then never gives their addresses back; and a service that is removed first hides tasks that
// refuse to stop. So the service is scaled to nothing and is removed when every task has ended.
func (c *Controller) finalize(ctx context.Context, tc *v1alpha1.TenantContainer) (outcome.Result, error) {
	w, err := c.swarm.Look(ctx, ownerOf(tc))
	if err != nil {
		return outcome.Result{}, blind(err)
	}

	for _, d := range w.Duplicates {
		if err := c.swarm.RemoveService(ctx, d.ID, ownerOf(tc)); err != nil {
			return outcome.Result{}, fmt.Errorf("remove service %q: %w", d.Spec.Name, blind(err))
		}
	}

	if w.Service != nil {
		if err := c.takeDown(ctx, tc, w); err != nil {
			return outcome.Result{}, err
		}
	}

	alone, err := c.lastOfNamespace(ctx, tc)
	if err != nil {
		return outcome.Result{}, err
	}

	if err := c.removeContents(ctx, tc, w, alone != othersLive); err != nil {
		return outcome.Result{}, err
	}

	tenant, err := permit.Tenant(ctx, c.client, tc.Namespace)
	if err != nil {
		return outcome.Result{}, err
	}

	// The network of a tenant stays for as long as the tenant does.
	if alone != othersLive && tenant == nil {
		err := c.swarm.RemoveNetwork(ctx, tc.Namespace)
		if errors.Is(err, swarmobj.ErrInUse) && alone == othersLeave {
			err = nil // Whoever leaves last takes it along.
		}
		if err != nil {
			return outcome.Result{}, deleting("Waiting until the network is free", fmt.Errorf("remove network: %w", blind(err)))
		}
	}

	return outcome.Result{Finalized: true}, nil
}

// takeDown stops the tasks and then removes the service. It returns a Wait until that is done.
func (c *Controller) takeDown(ctx context.Context, tc *v1alpha1.TenantContainer, w swarmobj.World) error {
	live := w.Service
	c.swarm.Converging(live.ID)

	if !swarmobj.Stopped(&live.Spec) {
		slogctx.From(ctx).InfoContext(ctx, "Stopping tasks of deleted TenantContainer", logkey.Service, live.ID)

		if err := c.swarm.UpdateService(ctx, *live, servicespec.Stop(live.Spec), ""); err != nil {
			return fmt.Errorf("scale service %q to zero: %w", live.Spec.Name, blind(err))
		}

		return deleting("Tasks are being stopped", nil)
	}

	if restless(w, c.now()) {
		slogctx.From(ctx).InfoContext(ctx, "Writing service again, because Swarm goes on starting its tasks", logkey.Service, live.ID)

		if err := c.swarm.UpdateService(ctx, *live, live.Spec, ""); err != nil {
			return fmt.Errorf("write service %q again: %w", live.Spec.Name, blind(err))
		}

		return deleting("Tasks are being stopped", nil)
	}

	if w.Uncertain || !w.TasksFresh || slices.ContainsFunc(w.Tasks, func(t swarmobj.Task) bool { return holdsOn(w, t) }) {
		return deleting("Tasks are being stopped", nil)
	}

	slogctx.From(ctx).InfoContext(ctx, "Removing service of deleted TenantContainer", logkey.Service, live.ID)

	if err := c.swarm.RemoveService(ctx, live.ID, ownerOf(tc)); err != nil {
		return fmt.Errorf("remove service %q: %w", live.Spec.Name, blind(err))
	}

	c.event(tc, corev1.EventTypeNormal, eventServiceRemoved, fmt.Sprintf("Removed service %q", live.Spec.Name))

	return nil
}

// holdsOn is true for a task that stands in the way of removing its service. One that runs still has its addresses; but
// nobody waits for a node that is down, because its tasks cannot be asked, and the swarm gives them up when the node
// comes back. One that has ended and is about to be forgotten takes its manager down: engines up to 20.10 crash when a
// service is removed in the very moment in which they forget one of its tasks. They do so within a quarter of a second.
func holdsOn(w swarmobj.World, t swarmobj.Task) bool {
	if t.Ended() {
		return t.Desired == swarm.TaskStateRemove
	}

	return nodeUp(w.Nodes, t.NodeID)
}

func deleting(message string, err error) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: message, Err: err, After: lookAgain}
}

// company is who else is in the namespace.
type company int

const (
	nobody      company = iota // no other container, and no job
	othersLeave                // others, all being deleted
	othersLive                 // others that stay
)

func (c *Controller) lastOfNamespace(ctx context.Context, tc *v1alpha1.TenantContainer) (company, error) {
	var list v1alpha1.TenantContainerList
	if err := c.client.List(ctx, &list, client.InNamespace(tc.Namespace)); err != nil {
		return othersLive, fmt.Errorf("list containers of %q: %w", tc.Namespace, err)
	}

	found := nobody

	for i := range list.Items {
		other := &list.Items[i]
		if other.UID == tc.UID {
			continue
		}
		if other.DeletionTimestamp.IsZero() {
			return othersLive, nil
		}

		found = othersLeave
	}

	var jobs v1alpha1.TenantJobList
	if err := c.client.List(ctx, &jobs, client.InNamespace(tc.Namespace)); err != nil {
		return othersLive, fmt.Errorf("list jobs of %q: %w", tc.Namespace, err)
	}

	for i := range jobs.Items {
		if jobs.Items[i].DeletionTimestamp.IsZero() {
			return othersLive, nil
		}

		found = othersLeave
	}

	return found, nil
}

// removeContents removes the secrets and configs that only this container needed. With nobody left in the namespace
// that is all of them. What is in use after all is left to whoever uses it.
func (c *Controller) removeContents(ctx context.Context, tc *v1alpha1.TenantContainer, w swarmobj.World, all bool) error {
	var revisions v1alpha1.ContainerRevisionList
	if err := c.client.List(ctx, &revisions, client.InNamespace(tc.Namespace)); err != nil {
		return fmt.Errorf("list revisions of %q: %w", tc.Namespace, err)
	}

	var mine, others history

	for _, r := range revisions.Items {
		if string(r.Spec.Container) == tc.Name {
			mine = append(mine, r)
		} else {
			others = append(others, r)
		}
	}

	goes := func(name string) bool { return !others.refersTo(name) && (all || mine.refersTo(name)) }

	for name, held := range w.Secrets {
		if goes(name) {
			if err := unless(c.swarm.RemoveSecret(ctx, held.ID), swarmobj.ErrInUse); err != nil {
				return fmt.Errorf("remove secret %q: %w", name, blind(err))
			}
		}
	}

	for name, held := range w.Configs {
		if goes(name) {
			if err := unless(c.swarm.RemoveConfig(ctx, held.ID), swarmobj.ErrInUse); err != nil {
				return fmt.Errorf("remove config %q: %w", name, blind(err))
			}
		}
	}

	return nil
}
