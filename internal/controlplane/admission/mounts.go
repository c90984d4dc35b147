package admission

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/mounting"
)

var (
	mountedResource = v1alpha1.GroupVersion.WithResource("volumes")
	storageResource = v1alpha1.GroupVersion.WithResource("volumeclasses")
)

// judgeMounts refuses what cannot be with the Volumes that a container mounts: several tasks, or two containers, that write to
// data which one node has. A Volume that is not there yet refuses nothing: the controller looks again before it starts a task.
func (p *Plugin) judgeMounts(ctx context.Context, tc *v1alpha1.TenantContainer, old *unstructured.Unstructured) (field.ErrorList, error) {
	var errs field.ErrorList
	if len(tc.Spec.Volumes) > 0 {
		access, err := accessOf(ctx, p.client, tc.Namespace, tc.Spec.Volumes)
		if err != nil {
			return nil, err
		}
		others, err := p.otherWriters(ctx, tc, old, access)
		if err != nil {
			return nil, err
		}
		errs = append(mounting.Conflicts(&tc.Spec, access), others...)
	}

	template, err := templateInstead(ctx, p.client, tc)
	if err != nil || template == nil || len(template.Volumes) == 0 {
		return errs, err
	}
	access, err := accessOf(ctx, p.client, tc.Namespace, template.Volumes)
	if err != nil {
		return nil, err
	}
	template.Replicas, template.Autoscaling, template.Rollout = tc.Spec.Replicas, tc.Spec.Autoscaling, tc.Spec.Rollout
	for _, e := range mounting.Conflicts(template, access) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "rollbackTo"), *tc.Spec.RollbackTo, "with that revision "+e.Error()))
	}

	return errs, nil
}

// judgeScaleMounts does so for a new number of replicas alone.
func (p *Plugin) judgeScaleMounts(ctx context.Context, a admission.Attributes, replicas int32) error {
	if replicas <= 1 {
		return nil
	}
	u, err := p.client.Resource(containerResource).Namespace(a.GetNamespace()).Get(ctx, a.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // The request fails by itself.
	}
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("read TenantContainer %q: %w", a.GetName(), err))
	}
	tc, err := typed[v1alpha1.TenantContainer](u)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if len(tc.Spec.Volumes) == 0 {
		return nil
	}
	access, err := accessOf(ctx, p.client, a.GetNamespace(), tc.Spec.Volumes)
	if err != nil {
		return apierrors.NewInternalError(err)
	}

	spec := &v1alpha1.TenantContainerSpec{Volumes: tc.Spec.Volumes, Replicas: &replicas}
	if errs := mounting.Conflicts(spec, access); len(errs) > 0 {
		return apierrors.NewInvalid(containerKind, a.GetName(), errs)
	}

	return nil
}

// judgeMountsOfJob does so for the tasks of a run. Who else writes is not looked at: runs wait for others and for containers. What a
// job had before it may keep, which was judged then, so that one with a conflict can still be suspended.
func judgeMountsOfJob(ctx context.Context, c dynamic.Interface, job *v1alpha1.TenantJob, old *unstructured.Unstructured) (field.ErrorList, error) {
	tasks := jobrun.Container(&job.Spec)
	if len(tasks.Volumes) == 0 {
		return nil, nil
	}
	if old != nil {
		before, err := typed[v1alpha1.TenantJob](old)
		if err != nil {
			return nil, err
		}
		same, was := equality.Semantic.DeepEqual, jobrun.Container(&before.Spec)
		if same(tasks.Volumes, was.Volumes) && same(tasks.Replicas, was.Replicas) && same(tasks.Files, was.Files) && same(tasks.Tmpfs, was.Tmpfs) {
			return nil, nil
		}
	}
	access, err := accessOf(ctx, c, job.Namespace, tasks.Volumes)
	if err != nil {
		return nil, err
	}

	return inTemplate(mounting.Conflicts(tasks, access)), nil
}

// otherWriters refuses to write what another container of the namespace writes, where one node has the data. What the
// container wrote before it may go on to write: that was judged then.
func (p *Plugin) otherWriters(ctx context.Context, tc *v1alpha1.TenantContainer, old *unstructured.Unstructured, access mounting.Access) (field.ErrorList, error) {
	var before v1alpha1.TenantContainer
	if old != nil {
		o, err := typed[v1alpha1.TenantContainer](old)
		if err != nil {
			return nil, err
		}
		before = *o
	}

	fresh := map[string]int{}
	for i, m := range tc.Spec.Volumes {
		name := string(m.Name)
		if a, known := access(name); !m.ReadOnly && known && a == v1alpha1.AccessSingle && !mounting.Writes(before.Spec.Volumes, name) {
			fresh[name] = i
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}

	list, err := p.client.Resource(containerResource).Namespace(tc.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the containers that mount volumes: %w", err)
	}
	var errs field.ErrorList
	for i := range list.Items {
		if list.Items[i].GetName() == tc.Name {
			continue
		}
		other, err := typed[v1alpha1.TenantContainer](&list.Items[i])
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(fresh)) {
			if mounting.Writes(other.Spec.Volumes, name) {
				errs = append(errs, field.Invalid(field.NewPath("spec", "volumes").Index(fresh[name]).Child("readOnly"), false, fmt.Sprintf(
					"must be true: container %q writes to Volume %q, whose data is on one node, and two writers would lose each other's data", other.Name, name)))
			}
		}
	}

	return errs, nil
}

// accessOf reads who can reach the data of the Volumes that are mounted.
func accessOf(ctx context.Context, c dynamic.Interface, namespace string, mounts []v1alpha1.VolumeMount) (mounting.Access, error) {
	known := map[string]v1alpha1.VolumeAccess{}
	for _, m := range mounts {
		name := string(m.Name)
		if _, ok := known[name]; ok {
			continue
		}
		v, err := lookUp[v1alpha1.Volume](ctx, c, mountedResource, namespace, name)
		if err != nil {
			return nil, err
		}
		if v == nil || v.Spec.ClassName == "" {
			continue
		}
		class, err := lookUp[v1alpha1.VolumeClass](ctx, c, storageResource, "", string(v.Spec.ClassName))
		if err != nil {
			return nil, err
		}
		if class != nil {
			known[name] = class.Spec.Access
		}
	}

	return func(name string) (v1alpha1.VolumeAccess, bool) {
		a, ok := known[name]

		return a, ok
	}, nil
}

// lookUp reads an object; nil when there is none.
func lookUp[T any](ctx context.Context, c dynamic.Interface, r schema.GroupVersionResource, namespace, name string) (*T, error) {
	u, err := c.Resource(r).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %q: %w", r.Resource, name, err)
	}

	return typed[T](u)
}
