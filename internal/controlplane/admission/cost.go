package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/warning"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// monthHours is what an hour's price is shown for as well: an average month.
const monthHours = 730

// quote is what a request costs.
type quote struct {
	resource schema.GroupVersionResource
	// container is the name of the container, or the job.
	container, tenant string
	// own is what an hour of the container costs after the request, and more by how much that is more than before.
	own, more money.Micro
	// total is what an hour of everything of the tenant costs after it.
	total money.Micro
}

// judgeCost refuses what makes a tenant's rate greater than its balance can carry, and says what it costs. Whatever makes it
// no greater passes, whether or not prices and balance can be read.
func (p *Billing) judgeCost(ctx context.Context, a admission.Attributes) error {
	if a.GetSubresource() != "" && a.GetSubresource() != "scale" {
		return nil
	}
	terms, err := p.termsIn(ctx, a.GetNamespace())
	switch {
	case errors.Is(err, billing.ErrNotBilled):
		return nil
	case errors.Is(err, billing.ErrNotInEffect):
		warn(ctx, "nothing of tenant %q is charged yet: %v", terms.Tenant.Name, err)
		return nil
	}
	old, now, refusal := p.demands(ctx, a)
	switch {
	case refusal != nil:
		return refusal
	case err != nil && within(now, old):
		return nil
	case err != nil:
		return apierrors.NewInternalError(fmt.Errorf("find out what %s %q costs: %w", a.GetResource().GroupResource(), a.GetName(), err))
	}

	if concernsJob(a) && !within(now, old) {
		old = billing.Demand{} // The tenant's rate knows nothing of it.
	}

	q, err := quoteOf(terms, old, now)
	if err != nil {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), fmt.Errorf("what it costs cannot be worked out: %w", err))
	}
	q.resource, q.container, q.tenant = a.GetResource(), a.GetName(), terms.Tenant.Name
	if q.more > 0 {
		if err := p.afford(ctx, terms, q); err != nil {
			return err
		}
	}
	if q.more != 0 || a.GetOperation() == admission.Create {
		warn(ctx, "%s", q.text())
	}

	return nil
}

// termsIn are those of the tenant that a namespace belongs to. It fails with billing.ErrNotBilled where that is nobody's.
func (p *Billing) termsIn(ctx context.Context, namespace string) (billing.Terms, error) {
	tenant, err := p.directory.Tenant(ctx, namespace)
	switch {
	case err != nil:
		return billing.Terms{}, err
	case tenant == "":
		return billing.Terms{}, billing.ErrNotBilled
	default:
		return p.desk.Terms(ctx, tenant)
	}
}

// within is true for a demand that is no more than another in anything: by whatever prices, it costs no more.
func within(now, old billing.Demand) bool {
	return now.Tasks == 0 || now.Tasks <= old.Tasks && now.NanoCPUs <= old.NanoCPUs && now.MemoryBytes <= old.MemoryBytes
}

// demands are what the container of a request wants before and after it. Its error is the answer to the request.
func (p *Billing) demands(ctx context.Context, a admission.Attributes) (old, now billing.Demand, err error) {
	look := declared
	switch {
	case concernsJob(a):
		look = jobDemand
	case a.GetSubresource() == "scale":
		look = p.scaled
	}
	before, after, err := look(ctx, a)
	if err != nil || after == nil {
		return old, now, err
	}
	if before != nil {
		if old, err = p.demandOf(ctx, a.GetNamespace(), before); err != nil {
			return old, now, err
		}
	}
	now, err = p.demandOf(ctx, a.GetNamespace(), after)

	return old, now, err
}

// demandOf is what a container wants, or the revision that is to run in its place, where that wants more: the rate of the
// tenant counts what is declared.
func (p *Billing) demandOf(ctx context.Context, namespace string, tc *v1alpha1.TenantContainer) (billing.Demand, error) {
	d := billing.DemandOf(tc)
	tc.Namespace = namespace
	template, err := templateInstead(ctx, p.client, tc)
	if err != nil {
		return d, apierrors.NewInternalError(err)
	}
	if template != nil {
		tc.Spec.Resources = template.Resources
		instead := billing.DemandOf(tc)
		d.NanoCPUs, d.MemoryBytes = max(d.NanoCPUs, instead.NanoCPUs), max(d.MemoryBytes, instead.MemoryBytes)
	}

	return d, nil
}

// declared are the container before a request and after it: no before when it is new, and neither when what it costs stays.
func declared(_ context.Context, a admission.Attributes) (before, after *v1alpha1.TenantContainer, err error) {
	now, old, err := objects(a)
	if err != nil {
		return nil, nil, err
	}
	if old != nil {
		if now.GetDeletionTimestamp() != nil || !changesSpec(now, old) && !changesScale(now.GetAnnotations(), old.GetAnnotations()) {
			return nil, nil, nil
		}
		if before, err = typed[v1alpha1.TenantContainer](old); err != nil {
			return nil, nil, apierrors.NewInternalError(err)
		}
	}
	if after, err = typed[v1alpha1.TenantContainer](now); err != nil {
		return nil, nil, apierrors.NewInternalError(err)
	}

	return before, after, nil
}

// changesScale is true when annotations alone make another number of tasks: a person suspends the container or lets it run, or
// the autoscaler has decided. What it decides is held against the balance as what people declare is.
func changesScale(now, old map[string]string) bool {
	_, suspended := now[v1alpha1.AnnotationSuspend]
	_, was := old[v1alpha1.AnnotationSuspend]

	return suspended != was || now[v1alpha1.AnnotationReplicas] != old[v1alpha1.AnnotationReplicas]
}

// scaled are those of a request that carries nothing but a number.
func (p *Billing) scaled(ctx context.Context, a admission.Attributes) (before, after *v1alpha1.TenantContainer, err error) {
	now, ok1 := a.GetObject().(*autoscalingv1.Scale)
	old, ok2 := a.GetOldObject().(*autoscalingv1.Scale)
	if !ok1 || !ok2 {
		return nil, nil, apierrors.NewInternalError(fmt.Errorf("admit Scale: unexpected types %T and %T", a.GetObject(), a.GetOldObject()))
	}
	if now.Spec.Replicas == old.Spec.Replicas {
		return nil, nil, nil
	}
	var tc v1alpha1.TenantContainer
	if err := p.reader.Get(ctx, client.ObjectKey{Namespace: a.GetNamespace(), Name: a.GetName()}, &tc); err != nil {
		return nil, nil, apierrors.NewInternalError(fmt.Errorf("read TenantContainer %q: %w", a.GetName(), err))
	}
	// What was read is shared with a cache. These two are copies as far as anybody changes them.
	another := tc
	tc.Spec.Replicas, another.Spec.Replicas = &old.Spec.Replicas, &now.Spec.Replicas

	return &tc, &another, nil
}

// quoteOf prices the difference between two demands.
func quoteOf(t billing.Terms, old, now billing.Demand) (quote, error) {
	before, err1 := billing.RateOf(t.Prices, old)
	own, err2 := billing.RateOf(t.Prices, now)
	if err := errors.Join(err1, err2); err != nil {
		return quote{}, err
	}
	// Neither is below zero. The rate has the old one in it, unless what is remembered is a moment old.
	total, err := t.Rate.Add(own - before)

	return quote{own: own, more: own - before, total: max(total, own)}, err
}

// afford refuses what the account cannot carry.
func (p *Billing) afford(ctx context.Context, t billing.Terms, q quote) error {
	head, err := p.ledger.Head(ctx, q.tenant)
	if err != nil {
		return ledgerUnavailable(q.tenant, err)
	}
	standing, err := t.Standing(head, p.now())
	if err != nil {
		return ledgerUnavailable(q.tenant, err)
	}
	available, runway := standing.Facts.Available, t.Rules.MinRunway
	if !standing.Phase.Runs() {
		// What it may run with when it has paid includes what it asks for now.
		facts := standing.Facts
		facts.Rate = max(facts.Rate, q.total)
		return q.refuse(stoppedReason(standing.Phase), fmt.Sprintf("the account of tenant %q is %s, and nothing of it runs%s",
			q.tenant, standing.Phase, missingText(standing.Phase, solvency.Missing(t.Rules, facts))))
	}
	// Volumes are in the facts' rate, and not in the one that is declared.
	total, err := q.total.Add(max(0, standing.Facts.Rate-t.Rate))
	if err != nil {
		return q.refuse(billingv1.ReasonInsufficientBalance, err.Error())
	}
	missing := solvency.Carries(t.Rules, standing.Facts, total)
	if missing == 0 {
		return nil
	}

	return q.refuse(billingv1.ReasonInsufficientBalance, fmt.Sprintf(
		"%s costs %s an hour more, everything of tenant %q %s an hour then, and the balance must carry that for %s: %s are needed, %s are there, %s are missing. Pay them with a TopUp, or ask for less",
		q.noun(), rupiah(q.more), q.tenant, rupiah(total), runway, rupiah(solvency.Cost(total, runway)), rupiah(available), whole(missing)))
}

// stoppedReason is one word for why nothing runs.
func stoppedReason(phase solvency.Phase) string {
	switch phase {
	case solvency.BudgetCapped:
		return "BudgetCapped"
	case solvency.Held:
		return "AccountOnHold"
	case solvency.Closed:
		return "AccountClosed"
	default:
		return billingv1.ReasonInsufficientBalance
	}
}

func missingText(phase solvency.Phase, missing money.Micro) string {
	switch phase {
	case solvency.BudgetCapped:
		return ": raise spec.budget.monthlyCap of its BillingAccount, or wait for the next month"
	case solvency.Held:
		return " until the platform takes spec.hold of its BillingAccount away"
	case solvency.Closed:
		return " again"
	default:
		return fmt.Sprintf(": with this container %s are missing until it runs again. Pay them with a TopUp", whole(missing))
	}
}

// refuse is the answer to a request that is not let in. Its reason is what kubectl shows in brackets.
func (q quote) refuse(reason, why string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReason(reason),
		Message: fmt.Sprintf("%s %q is refused: %s", q.resource.GroupResource(), q.container, why),
		Details: &metav1.StatusDetails{Name: q.container, Group: q.resource.Group, Kind: q.resource.Resource},
	}}
}

// noun is what costs it.
func (q quote) noun() string {
	if q.resource == jobResource {
		return "a run of the job"
	}

	return "the container"
}

// text says what it costs, for people who look at what they apply.
func (q quote) text() string {
	month, err := q.own.Times(monthHours)
	if err != nil {
		return fmt.Sprintf("%s costs %s an hour", q.container, rupiah(q.own))
	}

	return fmt.Sprintf("%s costs %s an hour, about %s a month; everything of tenant %q costs %s an hour then",
		q.container, rupiah(q.own), whole(month), q.tenant, rupiah(q.total))
}

// rupiah writes an amount without zeros that say nothing.
func rupiah(m money.Micro) string {
	return "Rp " + strings.TrimSuffix(strings.TrimRight(m.String(), "0"), ".")
}

// whole writes an amount in whole rupiah, rounded up: that is what can be paid.
func whole(m money.Micro) string { return fmt.Sprintf("Rp %d", -(-m).Floor()) }

// warn tells whoever asks something that does not keep it from being done.
func warn(ctx context.Context, format string, args ...any) {
	warning.AddWarning(ctx, "", fmt.Sprintf(format, args...))
}

// retryAfter asks a client to come back.
func retryAfter(seconds int32) *metav1.StatusDetails {
	return &metav1.StatusDetails{RetryAfterSeconds: seconds}
}

// tooMany is the answer to somebody who asks too often.
func tooMany(wait time.Duration, what string) error {
	return apierrors.NewTooManyRequests(what, int(wait/time.Second)+1)
}
