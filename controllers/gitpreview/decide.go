package gitpreview

import (
	"context"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/preview"
)

// decide says which previews stay, go and come. A tenant that is being deleted takes all of them along.
func (p *pass) decide(ctx context.Context) {
	in := preview.Input{
		Parent: p.preview.Namespace, Asked: p.listing.asked, Now: p.now, TTL: p.ttl(), Room: p.room(),
	}

	switch {
	case p.parent != nil && !p.parent.DeletionTimestamp.IsZero():
		in.Refs, in.Room = map[string]string{}, 0
	case !p.follows():
		// Nobody asks, so nobody knows; what there is goes on until its time is over.
		in.Asked = true
	case p.listing.refs != nil:
		in.Refs, in.Cut = p.selector.Matching(*p.listing.refs), p.listing.refs.Cut
	}

	for _, t := range p.tenants {
		in.Existing = append(in.Existing, existing(t))
	}

	for _, e := range p.preview.Status.Expired {
		in.GivenUp = append(in.GivenUp, preview.GivenUp{Ref: e.Ref, Commit: e.Commit})
	}

	for _, w := range p.preview.Status.Previews {
		if w.Phase == gitopsv1.PreviewWaiting {
			in.Queue = append(in.Queue, w.Ref)
		}
	}

	in.Taken = p.taken(ctx)
	p.decision = preview.Decide(in)
}

// existing is what a Tenant says of itself.
func existing(t *v1alpha1.Tenant) preview.Existing {
	// What cannot be read counts as not said.
	since, _ := time.Parse(time.RFC3339, t.Annotations[gitopsv1.AnnotationPreviewSince])

	return preview.Existing{
		Tenant: t.Name, Ref: t.Annotations[gitopsv1.AnnotationPreviewRef], Commit: t.Annotations[gitopsv1.AnnotationPreviewCommit],
		Since: since, Deleting: !t.DeletionTimestamp.IsZero(),
	}
}

// onRecord is true for a commit of which the stored status says that it had its time.
func (p *pass) onRecord(e preview.Existing) bool {
	for _, r := range p.preview.Status.Expired {
		if r.Ref == e.Ref && r.Commit == e.Commit {
			return true
		}
	}

	return false
}
