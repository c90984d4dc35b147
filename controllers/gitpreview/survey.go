package gitpreview

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/preview"
)

// pass is what one pass over a GitPreview knows.
type pass struct {
	*Controller

	preview  *gitopsv1.GitPreview
	key      types.NamespacedName
	now      time.Time
	selector preview.Selector

	// parent is the tenant whose namespace this is; nil when there is none.
	parent *v1alpha1.Tenant
	// rules are those of its plan; nil when it has none.
	rules *v1alpha1.PreviewRules
	// obstacle is why nothing new can be made, whatever the repository has; nil when nothing is in the way.
	obstacle error
	// tenants are the previews of this GitPreview by their names, and beside how many others the parent has.
	tenants map[string]*v1alpha1.Tenant
	others  int

	listing  listing
	decision preview.Decision
	// made are previews that were made in this pass, syncs the GitSyncs that were found in them, and troubles what is wrong with
	// some of them, by tenant.
	made     map[string]bool
	syncs    map[string]*gitopsv1.GitSync
	troubles map[string]trouble
	// unrecorded is true when something had its time of which status does not say so yet.
	unrecorded bool
}

// trouble is what keeps one preview from being complete.
type trouble struct{ reason, message string }

// survey looks at everything that a decision needs but the repository.
func (c *Controller) survey(ctx context.Context, g *gitopsv1.GitPreview) (*pass, error) {
	p := &pass{
		Controller: c, preview: g, key: client.ObjectKeyFromObject(g), now: c.opts.Now(), selector: preview.NewSelector(&g.Spec),
		tenants: map[string]*v1alpha1.Tenant{}, made: map[string]bool{}, syncs: map[string]*gitopsv1.GitSync{}, troubles: map[string]trouble{},
	}

	for _, look := range []func(context.Context) error{p.lookAtParent, p.lookAtPlan, p.lookAtTenants} {
		if err := look(ctx); err != nil {
			return nil, err
		}
	}

	return p, nil
}

func (p *pass) lookAtParent(ctx context.Context) error {
	var t v1alpha1.Tenant

	err := p.cached.Get(ctx, client.ObjectKey{Name: p.preview.Namespace}, &t)
	if apierrors.IsNotFound(err) {
		p.obstacle = &outcome.Stall{
			Reason:  gitopsv1.ReasonNoTenant,
			Message: fmt.Sprintf("namespace %q is no tenant's: previews have the members and the plan of a Tenant", p.preview.Namespace),
		}

		return nil
	}
	if err != nil {
		return fmt.Errorf("read tenant %q: %w", p.preview.Namespace, err)
	}

	p.parent = &t

	switch {
	case t.Labels[gitopsv1.LabelPreviewOf] != "":
		p.obstacle = &outcome.Stall{Reason: gitopsv1.ReasonNoTenant, Message: "the namespace is that of a preview, which has no previews of its own"}
	case len(t.Name) > preview.MaxParent:
		p.obstacle = &outcome.Stall{
			Reason:  gitopsv1.ReasonPreviewsNotAllowed,
			Message: fmt.Sprintf("the name of the tenant has more than %d characters, which leaves no room for the names of previews", preview.MaxParent),
		}
	}

	return nil
}

func (p *pass) lookAtPlan(ctx context.Context) error {
	if p.parent == nil {
		return nil
	}

	var plan v1alpha1.Plan

	err := p.cached.Get(ctx, client.ObjectKey{Name: string(p.parent.Spec.PlanName)}, &plan)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read plan %q: %w", p.parent.Spec.PlanName, err)
	}

	p.rules = plan.Spec.Previews

	if p.rules == nil && p.obstacle == nil {
		p.obstacle = &outcome.Stall{
			Reason:  gitopsv1.ReasonPreviewsNotAllowed,
			Message: fmt.Sprintf("Plan %q of the tenant allows no previews: it has no spec.previews", p.parent.Spec.PlanName),
		}
	}

	return nil
}

// lookAtTenants finds the previews that there are. Who reads from a cache may miss one; it is found when it is made.
func (p *pass) lookAtTenants(ctx context.Context) error {
	var list v1alpha1.TenantList
	if err := p.cached.List(ctx, &list, client.MatchingLabels{gitopsv1.LabelPreviewOf: p.preview.Namespace}); err != nil {
		return fmt.Errorf("list previews of %q: %w", p.preview.Namespace, err)
	}

	for i := range list.Items {
		if t := &list.Items[i]; ours(p.preview, t) {
			p.tenants[t.Name] = t
		} else {
			p.others++
		}
	}

	return nil
}

// ours is true for a preview of this very GitPreview.
func ours(g *gitopsv1.GitPreview, t *v1alpha1.Tenant) bool {
	return g.UID != "" && t.Labels[gitopsv1.LabelPreviewUID] == string(g.UID)
}

// follows is true while the repository is asked. Where it is not, previews last no longer for it, and stay in line with their
// tenant: neither whoever lets a GitPreview rest, nor whoever breaks it, gets more than the plan gives.
func (p *pass) follows() bool { return p.obstacle == nil && !p.preview.Spec.Suspend }

// ttl is how long previews last: what is asked for, and no longer than the plan allows.
func (p *pass) ttl() time.Duration {
	d := p.preview.Spec.TTL.Duration
	if p.rules != nil && p.rules.MaxTTL.Duration > 0 {
		d = min(d, p.rules.MaxTTL.Duration)
	}

	return d
}

// room is how many more previews there may be.
func (p *pass) room() int {
	if !p.follows() {
		return 0
	}

	room := int(p.rules.Max) - len(p.tenants) - p.others
	if own := p.preview.Spec.Max; own != nil {
		room = min(room, int(*own)-len(p.tenants))
	}

	return max(0, room)
}
