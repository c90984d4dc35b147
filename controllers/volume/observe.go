package volume

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/volume"
)

// The kinds of what mounts Volumes, as people read them.
const (
	kindContainer = "TenantContainer"
	kindJob       = "TenantJob"
)

// observe collects all that a Volume is judged by.
func (c *Controller) observe(ctx context.Context, v *v1alpha1.Volume) (volume.View, error) {
	view := volume.View{Volume: v, Held: c.storage.Held(volume.Name(v)), Told: c.storage.Told, Restores: c.restores, Now: c.now()}
	if c.swarm.State() == nil {
		view.Nodes = c.swarm.Nodes()
		within := v.Namespace
		if volume.Name(v) == v.Spec.Adopt {
			within = "" // It was another's.
		}
		view.Mounting = volume.MountingOf(c.swarm.Mounting(within, volume.Name(v)), volume.Name(v))
	}

	var class v1alpha1.VolumeClass
	switch err := c.client.Get(ctx, client.ObjectKey{Name: string(v.Spec.ClassName)}, &class); {
	case err == nil:
		view.Class = &class
	case !apierrors.IsNotFound(err):
		return view, fmt.Errorf("read class %q: %w", v.Spec.ClassName, err)
	}

	var err error
	if view.Consumers, err = consumers(ctx, c.client, v); err != nil {
		return view, err
	}
	if v.Spec.Adopt != "" {
		if view.AdoptedBy, err = c.adoptedBy(ctx, v); err != nil {
			return view, err
		}
	}
	if v.Status.Node != nil {
		delete(c.chosen, v.UID)
	}
	if v.Status.Node == nil && view.Class != nil && view.Class.Spec.Access == v1alpha1.AccessSingle {
		err = c.prepare(ctx, &view)
	}

	return view, err
}

// prepare collects what a node is chosen by. That happens once in the life of a Volume.
func (c *Controller) prepare(ctx context.Context, view *volume.View) error {
	v := view.Volume

	var all v1alpha1.VolumeList
	if err := c.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	view.Counts = map[string]int{}
	for i := range all.Items {
		if id := c.nodeOf(&all.Items[i]); id != "" {
			view.Counts[id]++
		}
	}

	if len(view.Consumers) == 0 {
		return nil
	}
	confined, err := c.confined(ctx, v.Namespace)
	if err != nil {
		return fmt.Errorf("find profile of %q: %w", v.Namespace, err)
	}
	for i := range view.Consumers {
		consumer := &view.Consumers[i]
		consumer.OffManagers = confined
		if consumer.Pinned, err = c.pinned(ctx, v, consumer.Others, view.Nodes); err != nil {
			return err
		}
	}

	return nil
}

// pinned are the nodes that other Volumes live on, or are to: what mounts them can run nowhere else. They are read past the
// cache, because two Volumes of one container are chosen for at nearly the same time.
func (c *Controller) pinned(ctx context.Context, v *v1alpha1.Volume, names []string, nodes []swarm.Node) ([]string, error) {
	var out []string
	for _, name := range names {
		if name == v.Name {
			continue
		}
		var other v1alpha1.Volume
		if err := c.live.Get(ctx, client.ObjectKey{Namespace: v.Namespace, Name: name}, &other); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("read volume %q: %w", name, err)
		}
		id := c.nodeOf(&other)
		if id == "" {
			id = volume.Wished(&other, nodes)
		}
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}

	return out, nil
}

// nodeOf is the node that a Volume lives on, also when that was decided a moment ago.
func (c *Controller) nodeOf(v *v1alpha1.Volume) string {
	if v.Status.Node != nil {
		return v.Status.Node.ID
	}

	return c.chosen[v.UID]
}

// adoptedBy asks the API server itself: nobody else may have been given the data meanwhile.
func (c *Controller) adoptedBy(ctx context.Context, v *v1alpha1.Volume) (string, error) {
	var all v1alpha1.VolumeList
	if err := c.live.List(ctx, &all); err != nil {
		return "", fmt.Errorf("list volumes: %w", err)
	}

	return volume.AdoptedBy(v, all.Items), nil
}

// consumers are what mounts the Volume, in the order of kinds and names. What is being deleted is among them: its tasks may
// still write. So is a job between two runs; one that is over is not.
func consumers(ctx context.Context, r client.Reader, v *v1alpha1.Volume) ([]volume.Consumer, error) {
	var containers v1alpha1.TenantContainerList
	if err := r.List(ctx, &containers, client.InNamespace(v.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}

	var out []volume.Consumer
	for i := range containers.Items {
		tc := &containers.Items[i]
		if volume.Mounts(tc.Spec.Volumes, v.Name) {
			out = append(out, volume.ConsumerOf(kindContainer, tc.Name, tc.Spec.Placement, tc.Spec.Resources, tc.Spec.Volumes))
		}
	}

	var jobs v1alpha1.TenantJobList
	if err := r.List(ctx, &jobs, client.InNamespace(v.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if t := &job.Spec.Template; volume.Mounts(t.Volumes, v.Name) && !jobrun.Over(job) {
			consumer := volume.ConsumerOf(kindJob, job.Name, t.Placement, t.Resources, t.Volumes)
			consumer.Began = len(job.Status.Active)+len(job.Status.History) > 0
			out = append(out, consumer)
		}
	}
	slices.SortFunc(out, func(a, b volume.Consumer) int { return strings.Compare(a.Kind+"/"+a.Name, b.Kind+"/"+b.Name) })

	return out, nil
}
