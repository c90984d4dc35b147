package gitpreview

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/preview"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// apply carries the decision out: what goes, then what stays, then what comes.
func (p *pass) apply(ctx context.Context) error {
	for _, d := range p.decision.Drop {
		// What had its time must be known to have had it before it is gone, or it would come back.
		if d.Why == preview.Expired && !p.onRecord(d.Existing) {
			p.unrecorded = true

			continue
		}

		if err := p.drop(ctx, p.tenants[d.Tenant], string(d.Why)); err != nil {
			return err
		}
	}

	for _, k := range p.decision.Keep {
		if k.Deleting {
			continue
		}

		if err := p.keep(ctx, k.Existing); err != nil {
			return err
		}
	}

	for _, t := range p.decision.Make {
		e := preview.Existing{Tenant: preview.Name(p.preview.Namespace, t.Name), Ref: t.Name, Commit: t.Commit, Since: p.now}
		if err := p.make(ctx, e); err != nil {
			return err
		}
	}

	return nil
}

// drop deletes a preview, and nothing else of its name.
func (c *Controller) drop(ctx context.Context, g *gitopsv1.GitPreview, t *v1alpha1.Tenant, why string) error {
	if !t.DeletionTimestamp.IsZero() {
		return nil
	}

	if !ours(g, t) {
		panic(fmt.Sprintf("gitpreview: tenant %q is not a preview of %s/%s", t.Name, g.Namespace, g.Name))
	}

	// Somebody may have protected it. Whoever wants to keep one takes its labels off, and it is no preview any more.
	right := t.DeepCopy()
	right.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	right.Annotations = with(right.Annotations, map[string]string{v1alpha1.AnnotationDeleteData: t.Name})

	if err := c.patch(ctx, t, right); err != nil {
		return client.IgnoreNotFound(err)
	}

	slogctx.From(ctx).InfoContext(ctx, "Deleting Tenant that is a preview", logkey.Tenant, t.Name, logkey.Reason, why)

	if err := client.IgnoreNotFound(c.cached.Delete(ctx, t, client.Preconditions{UID: &t.UID})); err != nil {
		return fmt.Errorf("delete preview %q: %w", t.Name, err)
	}

	c.event(g, corev1.EventTypeNormal, eventDeleted, fmt.Sprintf("Deleted preview %q: %s", t.Name, why))

	return nil
}

func (p *pass) drop(ctx context.Context, t *v1alpha1.Tenant, why string) error {
	return p.Controller.drop(ctx, p.preview, t, why)
}

// keep brings a preview in line with its tenant and its reference, and then what is in it.
func (p *pass) keep(ctx context.Context, e preview.Existing) error {
	have := p.tenants[e.Tenant]
	want := have.DeepCopy()
	p.shape(want, e)

	if err := p.patch(ctx, have, want); err != nil {
		return err
	}

	p.tenants[e.Tenant] = want

	if p.preview.Spec.Suspend {
		return p.lookAtSync(ctx, want) // What is in it rests as well.
	}

	return p.fill(ctx, want, e)
}

// patch writes what differs, if the object is still the one that was read.
func (c *Controller) patch(ctx context.Context, have, want client.Object) error {
	if equality.Semantic.DeepEqual(have, want) {
		return nil
	}

	slogctx.From(ctx).InfoContext(ctx, "Changing what belongs to a preview", logkey.Object, client.ObjectKeyFromObject(want).String())

	base, ok := have.DeepCopyObject().(client.Object)
	if !ok {
		panic(fmt.Sprintf("gitpreview: %T is no object", have))
	}

	if err := c.cached.Patch(ctx, want, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("change %T %q: %w", want, client.ObjectKeyFromObject(want), err)
	}

	return nil
}

// make makes a preview if there is still room for one at the API server, and nobody has its name.
func (p *pass) make(ctx context.Context, e preview.Existing) error {
	p.making.Lock()
	defer p.making.Unlock()

	var all v1alpha1.TenantList
	if err := p.live.List(ctx, &all, client.HasLabels{gitopsv1.LabelPreviewOf}); err != nil {
		return fmt.Errorf("count previews: %w", err)
	}

	count, ports := 0, map[int32]bool{}

	for i := range all.Items {
		t := &all.Items[i]
		ports[portOf(t)] = true

		if t.Labels[gitopsv1.LabelPreviewOf] == p.preview.Namespace {
			count++
		}

		if t.Name == e.Tenant {
			return nil // The cache will tell.
		}
	}

	if count >= int(p.rules.Max) {
		return nil
	}

	port, free := p.freePort(ports)
	if !free {
		p.troubles[e.Tenant] = trouble{gitopsv1.ReasonPortsExhausted, "every port of the plan's range is some preview's"}

		return nil
	}

	t := p.newTenant(e, port)

	slogctx.From(ctx).InfoContext(ctx, "Creating Tenant that is a preview", logkey.Tenant, t.Name, logkey.Revision, e.Commit)

	switch err := p.cached.Create(ctx, t, client.FieldOwner(fieldOwner)); {
	case apierrors.IsAlreadyExists(err):
		p.troubles[e.Tenant] = trouble{gitopsv1.ReasonNameTaken, nameTaken(e.Tenant)}
	case err != nil:
		return fmt.Errorf("create preview %q: %w", t.Name, err)
	default:
		p.tenants[t.Name], p.made[t.Name] = t, true
		p.event(p.preview, corev1.EventTypeNormal, eventCreated, fmt.Sprintf("Created preview %q of %s", t.Name, e.Ref))
	}

	return nil
}

// freePort is the lowest port of the plan's that no preview has; 0 where previews have none.
func (p *pass) freePort(taken map[int32]bool) (int32, bool) {
	r := p.rules.PortRange
	if r == nil {
		return 0, true
	}

	for port := r.From; port <= r.To; port++ {
		if !taken[port] {
			return port, true
		}
	}

	return 0, false
}

// taken tells of a name whether a Tenant has it that is not ours.
func (p *pass) taken(ctx context.Context) func(string) bool {
	return func(name string) bool {
		var t v1alpha1.Tenant
		// What cannot be read is found when the preview is made.
		return p.cached.Get(ctx, client.ObjectKey{Name: name}, &t) == nil && !ours(p.preview, &t)
	}
}

func nameTaken(name string) string {
	return fmt.Sprintf("there is a Tenant %q that is not this preview", name)
}

// names are those of the previews that there are, sorted.
func (p *pass) names() []string { return slices.Sorted(maps.Keys(p.tenants)) }
