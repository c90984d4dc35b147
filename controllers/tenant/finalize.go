package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/deletion"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// finalize takes a deleted tenant down, in the one order that loses nothing by accident and leaks no address: what is
// protected holds all of it; then containers with their services, the account when nothing is owed, the namespace with all
// that is left in it, the network when its last task has ended, and the rights.
func (c *Controller) finalize(ctx context.Context, t *v1alpha1.Tenant) (outcome.Result, error) {
	ns, err := c.namespaceOf(ctx, t)
	if err != nil {
		return outcome.Result{}, err
	}

	if ns != nil {
		return outcome.Result{}, c.emptyNamespace(ctx, t, ns)
	}

	if err := c.dropNetwork(ctx, t); err != nil {
		return outcome.Result{}, err
	}

	for _, o := range []client.Object{&rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRole{}} {
		o.SetName(selfRole(t.Name))

		if err := client.IgnoreNotFound(c.cached.Delete(ctx, o)); err != nil {
			return outcome.Result{}, fmt.Errorf("remove %s: %w", keyOf(o), err)
		}
	}

	c.event(t, corev1.EventTypeNormal, eventRemoved, "Removed everything that was made for the tenant")

	return outcome.Result{Finalized: true}, nil
}

// namespaceOf asks the API server for the namespace; nil when there is none of the tenant's.
func (c *Controller) namespaceOf(ctx context.Context, t *v1alpha1.Tenant) (*corev1.Namespace, error) {
	var ns corev1.Namespace

	err := c.live.Get(ctx, client.ObjectKey{Name: t.Name}, &ns)

	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read namespace %q: %w", t.Name, err)
	case !ours(t, &ns):
		return nil, nil
	default:
		return &ns, nil
	}
}

// emptyNamespace removes containers and jobs, then volumes, their snapshots, the account, and then the namespace. It always returns an error: a Wait, until the namespace
// is gone and nobody asks for this any more.
func (c *Controller) emptyNamespace(ctx context.Context, t *v1alpha1.Tenant, ns *corev1.Namespace) error {
	var containers v1alpha1.TenantContainerList
	if err := c.live.List(ctx, &containers, client.InNamespace(ns.Name)); err != nil {
		return fmt.Errorf("list containers of %q: %w", ns.Name, err)
	}

	var jobs v1alpha1.TenantJobList
	if err := c.live.List(ctx, &jobs, client.InNamespace(ns.Name)); err != nil {
		return fmt.Errorf("list jobs of %q: %w", ns.Name, err)
	}

	// A namespace that is being deleted cannot be saved any more.
	if ns.DeletionTimestamp.IsZero() {
		data, err := c.data(ctx, ns.Name)
		if err != nil {
			return err
		}

		if why := deletion.Protected(t, len(containers.Items), data); why != "" {
			return &outcome.Wait{Reason: v1alpha1.ReasonProtected, Message: why, After: lookAround}
		}
	}

	if len(containers.Items)+len(jobs.Items) > 0 {
		return c.removeWork(ctx, containers.Items, jobs.Items)
	}

	volumes, err := c.volumes(ctx, ns.Name)
	if err != nil {
		return err
	}

	if len(volumes) > 0 {
		return c.removeVolumes(ctx, volumes)
	}

	snapshots, err := c.snapshots(ctx, ns.Name)
	if err != nil {
		return err
	}

	if len(snapshots) > 0 {
		return c.removeSnapshots(ctx, snapshots)
	}

	if err := c.closeAccount(ctx, ns.Name); err != nil {
		return err
	}

	if ns.DeletionTimestamp.IsZero() {
		slogctx.From(ctx).InfoContext(ctx, "Removing namespace of deleted Tenant", logkey.Tenant, t.Name)

		if err := client.IgnoreNotFound(c.cached.Delete(ctx, ns, client.Preconditions{UID: &ns.UID})); err != nil {
			return fmt.Errorf("remove namespace %q: %w", ns.Name, err)
		}
	}

	return deleting("The namespace is being removed", nil)
}

func (c *Controller) removeWork(ctx context.Context, containers []v1alpha1.TenantContainer, jobs []v1alpha1.TenantJob) error {
	for i := range jobs {
		if err := c.remove(ctx, &jobs[i], "job"); err != nil {
			return err
		}
	}

	for i := range containers {
		if err := c.remove(ctx, &containers[i], "container"); err != nil {
			return err
		}
	}

	if len(containers) == 0 {
		return deleting("Jobs are being removed", nil)
	}

	return deleting("Containers are being removed", nil)
}

// remove deletes an object that is not being deleted, and not one that was made under its name meanwhile.
func (c *Controller) remove(ctx context.Context, o client.Object, noun string) error {
	if !o.GetDeletionTimestamp().IsZero() {
		return nil
	}

	slogctx.From(ctx).InfoContext(ctx, "Removing "+noun+" of deleted Tenant", logkey.Object, client.ObjectKeyFromObject(o).String())

	if err := client.IgnoreNotFound(c.cached.Delete(ctx, o, client.Preconditions{UID: new(o.GetUID())})); err != nil {
		return fmt.Errorf("remove %s %q: %w", noun, o.GetName(), err)
	}

	return nil
}

// removeVolumes deletes the Volumes, each of which does with its data what its reclaim policy says. Nothing mounts them any more.
func (c *Controller) removeVolumes(ctx context.Context, volumes []v1alpha1.Volume) error {
	for i := range volumes {
		if err := c.remove(ctx, &volumes[i], "volume"); err != nil {
			return err
		}
	}

	return deleting("Volumes are being removed or released", nil)
}

func (c *Controller) volumes(ctx context.Context, namespace string) ([]v1alpha1.Volume, error) {
	var list v1alpha1.VolumeList
	if err := c.live.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list volumes of %q: %w", namespace, err)
	}

	return list.Items, nil
}

// removeSnapshots deletes the VolumeSnapshots, each of which does with its archive what its class says. No Volume makes any more.
func (c *Controller) removeSnapshots(ctx context.Context, snapshots []v1alpha1.VolumeSnapshot) error {
	for i := range snapshots {
		if err := c.remove(ctx, &snapshots[i], "snapshot"); err != nil {
			return err
		}
	}

	return deleting("Snapshots are being removed", nil)
}

func (c *Controller) snapshots(ctx context.Context, namespace string) ([]v1alpha1.VolumeSnapshot, error) {
	var list v1alpha1.VolumeSnapshotList
	if err := c.live.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list snapshots of %q: %w", namespace, err)
	}

	return list.Items, nil
}

// data lists the Volumes, VolumeSnapshots, Secrets and ConfigMaps of the namespace that people made, sorted.
func (c *Controller) data(ctx context.Context, namespace string) ([]string, error) {
	var (
		secrets    corev1.SecretList
		configMaps corev1.ConfigMapList
	)

	for _, list := range []client.ObjectList{&secrets, &configMaps} {
		if err := c.live.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("list data of %q: %w", namespace, err)
		}
	}

	volumes, err := c.volumes(ctx, namespace)
	if err != nil {
		return nil, err
	}

	names := make([]string, 0, len(volumes))
	for i := range volumes {
		names = append(names, volumes[i].Name)
	}

	snapshots, err := c.snapshots(ctx, namespace)
	if err != nil {
		return nil, err
	}

	taken := make([]string, 0, len(snapshots))
	for i := range snapshots {
		taken = append(taken, snapshots[i].Name)
	}

	return deletion.Data(secrets.Items, configMaps.Items, names, taken), nil
}

// dropNetwork removes the network, once nothing uses it. That of a namespace that never was the tenant's stays.
func (c *Controller) dropNetwork(ctx context.Context, t *v1alpha1.Tenant) error {
	view, err := c.swarm.LookNetwork(ctx, ownerOf(t))
	if err != nil {
		return sight.Lost(err)
	}

	if view.Network == nil {
		return nil
	}

	owner, _ := swarmobj.OwnerOf(view.Network.Labels)
	if owner.UID != string(t.UID) && t.Status.Namespace == "" {
		return nil
	}

	slogctx.From(ctx).InfoContext(ctx, "Removing network of deleted Tenant", logkey.Tenant, t.Name)

	err = c.swarm.RemoveNetwork(ctx, t.Name)
	if errors.Is(err, swarmobj.ErrInUse) {
		return &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: "Waiting until the network is free", Err: err, After: lookAgain}
	}
	if err != nil {
		return fmt.Errorf("remove network: %w", sight.Lost(err))
	}

	return nil
}

func deleting(message string, err error) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonDeleting, Message: message, Err: err, After: lookLater}
}

// lookLater is when a pass that waits for something in the API looks again: watches tell when it is there.
const lookLater = 5 * time.Second
