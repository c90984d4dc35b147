package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// fieldOwner of what people change by these commands.
const fieldOwner = "dogker-cli"

// Rollout works on one TenantContainer.
type Rollout struct {
	// Client of the API, and where to print.
	Client client.Client
	Out    io.Writer
	// Key of the container.
	Key types.NamespacedName
}

// Undo runs an earlier revision in place of the declared one, by setting spec.rollbackTo. Without a number it is the
// newest complete revision before the one that was declared last.
func (r *Rollout) Undo(ctx context.Context, revision int64) error {
	revs, err := r.revisions(ctx)
	if err != nil {
		return err
	}

	if revision == 0 {
		if revision, err = r.previous(ctx, revs); err != nil {
			return err
		}
	}

	if !slices.ContainsFunc(revs, func(v v1alpha1.ContainerRevision) bool { return v.Spec.Revision == revision }) {
		return fmt.Errorf("revision %d is not in the history of %q; see dogker rollout history %s", revision, r.Key.Name, r.Key.Name)
	}

	if err := r.patch(ctx, map[string]any{"spec": map[string]any{"rollbackTo": revision}}); err != nil {
		return err
	}

	fmt.Fprintf(r.Out, "tenantcontainer.dogker.io/%s goes back to revision %d\nIt stays there until `dogker rollout forward %s`, or until spec.rollbackTo is removed.\n",
		r.Key.Name, revision, r.Key.Name)

	return nil
}

// previous is the newest complete revision before the one that runs now.
func (r *Rollout) previous(ctx context.Context, revs []v1alpha1.ContainerRevision) (int64, error) {
	tc, err := r.get(ctx)
	if err != nil {
		return 0, err
	}

	for _, v := range slices.Backward(revs) {
		if v.Spec.Revision < tc.Status.Revision && v.Status.Outcome == v1alpha1.OutcomeComplete {
			return v.Spec.Revision, nil
		}
	}

	return 0, fmt.Errorf("%q runs revision %d, and there is no complete revision before it", r.Key.Name, tc.Status.Revision)
}

// Forward ends an Undo: the declared template runs again.
func (r *Rollout) Forward(ctx context.Context) error {
	if err := r.patch(ctx, map[string]any{"spec": map[string]any{"rollbackTo": nil}}); err != nil {
		return err
	}

	fmt.Fprintf(r.Out, "tenantcontainer.dogker.io/%s goes forward to what is declared\n", r.Key.Name)

	return nil
}

// Pause holds changes of the template back, or lets them go.
func (r *Rollout) Pause(ctx context.Context, paused bool) error {
	verb, value := "paused", any(true)
	if !paused {
		verb, value = "resumed", nil
	}

	if err := r.patch(ctx, map[string]any{"spec": map[string]any{"paused": value}}); err != nil {
		return err
	}

	fmt.Fprintf(r.Out, "tenantcontainer.dogker.io/%s %s\n", r.Key.Name, verb)

	return nil
}

// Restart asks for one rolling restart.
func (r *Rollout) Restart(ctx context.Context, now time.Time) error {
	annotations := map[string]any{v1alpha1.AnnotationRestartedAt: now.UTC().Format(time.RFC3339)}
	if err := r.patch(ctx, map[string]any{"metadata": map[string]any{"annotations": annotations}}); err != nil {
		return err
	}

	fmt.Fprintf(r.Out, "tenantcontainer.dogker.io/%s restarts\n", r.Key.Name)

	return nil
}

func (r *Rollout) get(ctx context.Context) (*v1alpha1.TenantContainer, error) {
	var tc v1alpha1.TenantContainer
	if err := r.Client.Get(ctx, r.Key, &tc); err != nil {
		return nil, fmt.Errorf("read tenantcontainer %q in namespace %q: %w", r.Key.Name, r.Key.Namespace, err)
	}

	return &tc, nil
}

func (r *Rollout) patch(ctx context.Context, change map[string]any) error {
	data, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}

	tc := &v1alpha1.TenantContainer{}
	tc.Namespace, tc.Name = r.Key.Namespace, r.Key.Name

	if err := r.Client.Patch(ctx, tc, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("change tenantcontainer %q in namespace %q: %w", r.Key.Name, r.Key.Namespace, err)
	}

	return nil
}

// revisions returns the history, oldest first.
func (r *Rollout) revisions(ctx context.Context) ([]v1alpha1.ContainerRevision, error) {
	var list v1alpha1.ContainerRevisionList

	err := r.Client.List(ctx, &list, client.InNamespace(r.Key.Namespace), client.MatchingLabels{v1alpha1.LabelContainer: r.Key.Name})
	if err != nil {
		return nil, fmt.Errorf("list revisions of %q: %w", r.Key.Name, err)
	}

	slices.SortFunc(list.Items, func(a, b v1alpha1.ContainerRevision) int { return cmp.Compare(a.Spec.Revision, b.Spec.Revision) })

	return list.Items, nil
}
