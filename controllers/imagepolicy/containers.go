package imagepolicy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/imagepolicy"
	"github.com/dogker/dogker/reconciler/inventory"
)

// running are the containers of the namespace with an image of the repository, sorted by name. Nobody may change them.
func (l *look) running(ctx context.Context) ([]*v1alpha1.TenantContainer, error) {
	var list v1alpha1.TenantContainerList
	if err := l.cached.List(ctx, &list, client.InNamespace(l.policy.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list TenantContainers: %w", err)
	}

	var out []*v1alpha1.TenantContainer

	for i := range list.Items {
		if c := &list.Items[i]; imagepolicy.Of(string(l.policy.Spec.Image), string(c.Spec.Image)) {
			out = append(out, c)
		}
	}

	slices.SortFunc(out, func(a, b *v1alpha1.TenantContainer) int { return strings.Compare(a.Name, b.Name) })

	return out, nil
}

// updateContainers writes the image to the containers that are selected. What is wrong with one of them keeps it from none of the
// others.
func (l *look) updateContainers(ctx context.Context) error {
	all, err := l.running(ctx)
	if err != nil {
		return err
	}

	chosen, missing, err := selected(all, l.policy.Spec.Update.Containers)
	if err != nil {
		return err
	}

	as, err := l.accounts.As(l.policy.Namespace, l.account())
	if err != nil {
		return err
	}

	var failed []*failure

	for _, c := range chosen {
		if err := l.updateContainer(ctx, as, c); err != nil {
			failed = append(failed, asFailure(err))
		}
	}

	if len(missing) > 0 {
		failed = append(failed, waiting(gitopsv1.ReasonContainerNotFound,
			"spec.update.containers.names: %s: no TenantContainer of that name has an image of %q", quoted(missing), l.policy.Spec.Image))
	}

	return joined(failed)
}

// selected are the containers to write to, and the names for which there is none.
func selected(all []*v1alpha1.TenantContainer, s *gitopsv1.ContainerSelection) (chosen []*v1alpha1.TenantContainer, missing []string, err error) {
	selector := labels.Nothing()

	if s.Selector != nil {
		if selector, err = metav1.LabelSelectorAsSelector(s.Selector); err != nil {
			return nil, nil, lasting(gitopsv1.ReasonPolicyInvalid, "spec.update.containers.selector: %s", err)
		}
	}

	for _, c := range all {
		if slices.Contains(s.Names, v1alpha1.DNSLabel(c.Name)) || selector.Matches(labels.Set(c.Labels)) {
			chosen = append(chosen, c)
		}
	}

	for _, name := range s.Names {
		if !slices.ContainsFunc(chosen, func(c *v1alpha1.TenantContainer) bool { return c.Name == string(name) }) {
			missing = append(missing, string(name))
		}
	}

	slices.Sort(missing)

	return chosen, missing, nil
}

// updateContainer writes the image to one container, if that changes what it runs.
func (l *look) updateContainer(ctx context.Context, as client.Client, c *v1alpha1.TenantContainer) error {
	if !c.DeletionTimestamp.IsZero() {
		return nil
	}

	if err := l.kept(ctx, c); err != nil {
		return err
	}

	image, changed := imagepolicy.Write(string(c.Spec.Image), resolved(c), *l.ended.latest)
	if !changed {
		return nil
	}

	// Who has changed the image meanwhile is not overwritten; what else was changed does not matter.
	patch, err := json.Marshal([]map[string]string{
		{"op": "test", "path": "/spec/image", "value": string(c.Spec.Image)}, {"op": "replace", "path": "/spec/image", "value": image},
	})
	if err != nil {
		return err
	}

	err = as.Patch(ctx, c.DeepCopy(), client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(gitopsv1.FieldManagerImages))

	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return waiting(gitopsv1.ReasonUpdateFailed, "TenantContainer %q does not take image %q: %s", c.Name, image, err)
	}

	l.ended.updates = append(l.ended.updates, fmt.Sprintf("TenantContainer %q: image %s → %s", c.Name, c.Spec.Image, image))

	return nil
}

// resolved is what the image in the spec of a container was resolved to; empty when that is not known.
func resolved(c *v1alpha1.TenantContainer) string {
	s := c.Status.Image
	if s == nil || !s.Pinned || s.Requested != string(c.Spec.Image) {
		return ""
	}

	return s.Resolved
}

// kept refuses a container whose image a repository puts back. It is told before there is anything to write: the day of a new
// version is no day to find out.
func (l *look) kept(ctx context.Context, c *v1alpha1.TenantContainer) error {
	// What cannot be read is read as the more careful one.
	policy, _ := inventory.PolicyOf(c.Labels, c.Annotations)
	if policy.Skip() || policy.Mode == inventory.ModeIfNotPresent {
		return nil
	}

	if name := c.Labels[inventory.FluxPrefix+inventory.KeyName]; name != "" {
		return lasting(gitopsv1.ReasonManagedByGit,
			"TenantContainer %q is kept by Flux' Kustomization %q, which would put its image back: use spec.update.git with that repository", c.Name, name)
	}

	name := c.Labels[inventory.Prefix+inventory.KeyName]
	if name == "" {
		return nil
	}

	var sync gitopsv1.GitSync

	err := l.cached.Get(ctx, types.NamespacedName{Namespace: c.Labels[inventory.Prefix+inventory.KeyNamespace], Name: name}, &sync)

	switch {
	case apierrors.IsNotFound(err):
		return nil // It is gone, and puts nothing back.
	case err != nil:
		return fmt.Errorf("read GitSync %q: %w", name, err)
	case ignored(sync.Spec.IgnoreFields, c.Name):
		return nil
	default:
		return lasting(gitopsv1.ReasonManagedByGit,
			"TenantContainer %q is kept by GitSync %q, which would put its image back: use spec.update.git with gitSyncName, or add /spec/image to ignoreFields of the GitSync", c.Name, name)
	}
}

// ignored is whether a GitSync leaves the image of a container to others.
func ignored(fields []gitopsv1.IgnoreFields, name string) bool {
	return slices.ContainsFunc(fields, func(f gitopsv1.IgnoreFields) bool {
		return (f.Kind == "" || f.Kind == "TenantContainer") && (f.Name == "" || f.Name == name) &&
			(slices.Contains(f.Paths, "/spec/image") || slices.Contains(f.Paths, "/spec"))
	})
}

// joined is one failure of several. It lasts if all of them do.
func joined(failed []*failure) error {
	if len(failed) == 0 {
		return nil
	}

	out := *failed[0]
	for _, f := range failed[1:] {
		out.message += "; " + f.message
		out.lasting = out.lasting && f.lasting
	}

	return &out
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = fmt.Sprintf("%q", name)
	}

	return strings.Join(out, ", ")
}
