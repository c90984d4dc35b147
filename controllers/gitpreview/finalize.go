package gitpreview

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// lookLater is when a pass looks again that waits for something in the API: watches tell when it is there.
const lookLater = 5 * time.Second

// finalize deletes all previews, and waits until they are gone. It asks the API server itself: what it misses would stay for
// ever.
func (c *Controller) finalize(ctx context.Context, g *gitopsv1.GitPreview) (outcome.Result, error) {
	c.listings.forget(client.ObjectKeyFromObject(g))

	var list v1alpha1.TenantList
	if err := c.live.List(ctx, &list, client.MatchingLabels{gitopsv1.LabelPreviewUID: string(g.UID)}); err != nil {
		return outcome.Result{}, fmt.Errorf("list previews: %w", err)
	}

	if len(list.Items) == 0 {
		return outcome.Result{Finalized: true}, nil
	}

	g.Status.Active, g.Status.Waiting, g.Status.Previews = int32(len(list.Items)), 0, nil

	for i := range list.Items {
		t := &list.Items[i]
		if err := c.drop(ctx, g, t, "its GitPreview was deleted"); err != nil {
			return outcome.Result{}, err
		}

		g.Status.Previews = append(g.Status.Previews, gitopsv1.Preview{
			Ref: t.Annotations[gitopsv1.AnnotationPreviewRef], Commit: t.Annotations[gitopsv1.AnnotationPreviewCommit],
			Tenant: t.Name, Phase: gitopsv1.PreviewDeleting, Port: portOf(t), Message: deletionOf(t),
		})
	}

	return outcome.Result{}, &outcome.Wait{
		Reason: gitopsv1.ReasonDeletingPreviews, Message: "Previews are being deleted; status.previews says what each waits for", After: lookLater,
	}
}

// deletionOf is what a Tenant says that is being deleted.
func deletionOf(t *v1alpha1.Tenant) string {
	if ready := conditions.Get(t, conditions.Ready); ready != nil && !t.DeletionTimestamp.IsZero() {
		return ready.Message
	}

	return ""
}
