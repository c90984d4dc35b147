package pricelist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "pricelist"

// heldRetry is when a list that is being deleted is looked at again: use is settled without anybody telling this package.
const heldRetry = time.Minute

// Open reads what a tenant has used and was not settled, with the name of the list that it is priced by.
type Open func(ctx context.Context, tenant string) (book.Record, error)

// Option changes a Controller.
type Option func(*Controller)

// WithOpen lets a list be held for as long as use that is priced by it is not settled.
func WithOpen(open Open) Option { return func(c *Controller) { c.open = open } }

// WithClock tells the time.
func WithClock(now func() time.Time) Option { return func(c *Controller) { c.now = now } }

// Controller looks after PriceLists. It keeps nothing in memory.
type Controller struct {
	cached, live client.Reader
	open         Open
	now          func() time.Time
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader, opts ...Option) *Controller {
	c := &Controller{cached: cached, live: live, now: time.Now}
	for _, opt := range opts {
		opt(c)
	}

	return c
}

// Reconcile looks at one PriceList. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, l *billingv1.PriceList) (outcome.Result, error) {
	deleted := !l.DeletionTimestamp.IsZero()

	// What is let go must not have come into use meanwhile.
	reader := c.cached
	if deleted {
		reader = c.live
	}

	w, err := survey(ctx, reader, c.now())
	if err != nil {
		return outcome.Result{}, err
	}

	next := w.report(l)

	switch {
	case deleted:
		return c.release(ctx, w, l)
	case w.rival(l) != nil:
		return next, &outcome.Stall{Reason: billingv1.ReasonForked, Message: fmt.Sprintf(
			"spec.replaces: PriceList %q replaces %q already, and was made before; this one replaces nothing: make one that replaces %q",
			w.rival(l).Name, l.Spec.Replaces, w.rival(l).Name)}
	default:
		return next, nil
	}
}

// world is what there is that prices concern.
type world struct {
	lists   []billingv1.PriceList
	plans   []v1alpha1.Plan
	tenants []v1alpha1.Tenant
	now     time.Time
}

func survey(ctx context.Context, r client.Reader, now time.Time) (*world, error) {
	var (
		lists   billingv1.PriceListList
		plans   v1alpha1.PlanList
		tenants v1alpha1.TenantList
	)

	for _, list := range []client.ObjectList{&lists, &plans, &tenants} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list what PriceLists concern: %w", err)
		}
	}

	return &world{lists: lists.Items, plans: plans.Items, tenants: tenants.Items, now: now}, nil
}

// rival is the list that replaces what l is meant to replace, if it is another one.
func (w *world) rival(l *billingv1.PriceList) *billingv1.PriceList {
	if l.Spec.Replaces == "" {
		return nil
	}

	first := billing.Successor(w.lists, string(l.Spec.Replaces))
	if first == nil || first.Name == l.Name {
		return nil
	}

	return first
}

// chain lists what takes the place of one another, from the list with the name to the one in effect.
func (w *world) chain(name string) []string {
	end, ok := billing.InEffect(w.lists, name, w.now)
	if !ok {
		return nil
	}

	out := []string{name}
	for name != end.Name {
		next := billing.Successor(w.lists, name)
		if next == nil {
			break
		}

		name = next.Name
		out = append(out, name)
	}

	return out
}

// report says in the status how the list stands, and when that changes by itself.
func (w *world) report(l *billingv1.PriceList) outcome.Result {
	st := &l.Status
	st.Plans, st.Tenants, st.ReplacedBy = 0, 0, ""

	charged := map[string]bool{} // plans whose tenants are charged by it

	for i := range w.plans {
		p := &w.plans[i]
		if string(p.Spec.PriceListName) == l.Name {
			st.Plans++
		}
		if end, ok := billing.InEffect(w.lists, string(p.Spec.PriceListName), w.now); ok && end.Name == l.Name {
			charged[p.Name] = true
		}
	}
	for i := range w.tenants {
		if charged[string(w.tenants[i].Spec.PlanName)] {
			st.Tenants++
		}
	}

	successor := billing.Successor(w.lists, l.Name)
	if successor != nil {
		st.ReplacedBy = successor.Name
	}

	from := billing.Effective(l)

	switch {
	case from.After(w.now):
		conditions.MarkReady(l, billingv1.ReasonScheduled, "The prices are charged from spec.effectiveFrom on")

		return outcome.Result{RequeueAfter: from.Sub(w.now)}
	case successor == nil:
		conditions.MarkReady(l, billingv1.ReasonInEffect, "The prices are charged")

		return outcome.Result{}
	}

	if until := billing.Effective(successor); until.After(w.now) {
		conditions.MarkReady(l, billingv1.ReasonInEffect, fmt.Sprintf("The prices are charged until those of %q come into effect", successor.Name))

		return outcome.Result{RequeueAfter: until.Sub(w.now)}
	}

	conditions.MarkReady(l, billingv1.ReasonReplaced, fmt.Sprintf("The prices of %q have taken their place", successor.Name))

	return outcome.Result{}
}

// release lets a list go that nothing can be charged by any more.
func (c *Controller) release(ctx context.Context, w *world, l *billingv1.PriceList) (outcome.Result, error) {
	if why := w.holders(l); why != "" {
		return outcome.Result{}, inUse(why)
	}

	tenant, err := c.unsettled(ctx, l)
	if err != nil {
		return outcome.Result{}, err
	}
	if tenant != "" {
		return outcome.Result{}, inUse(fmt.Sprintf("use of tenant %q that it prices is not settled", tenant))
	}

	return outcome.Result{Finalized: true}, nil
}

// holders says which plans need the list; empty when none does. One that is scheduled, and that no plan names, may go: its
// prices were never charged.
func (w *world) holders(l *billingv1.PriceList) string {
	var naming, following []string

	for i := range w.plans {
		p := &w.plans[i]

		switch name := string(p.Spec.PriceListName); {
		case name == l.Name:
			naming = append(naming, p.Name)
		case name != "" && slices.Contains(w.chain(name), l.Name):
			following = append(following, p.Name)
		}
	}

	slices.Sort(naming)
	slices.Sort(following)

	switch {
	case len(naming) > 0:
		return "plans name it (" + strings.Join(naming[:min(len(naming), most)], ", ") + "); give them another one"
	case len(following) > 0:
		return "it has taken the place of the one that plans name (" + strings.Join(following[:min(len(following), most)], ", ") +
			"); give them the one that is in effect"
	default:
		return ""
	}
}

// most plans that a message names.
const most = 3

// unsettled is a tenant with use that is priced by the list and not settled; empty when there is none. A ledger that cannot
// be read may hold such use.
func (c *Controller) unsettled(ctx context.Context, l *billingv1.PriceList) (string, error) {
	if c.open == nil {
		return "", nil
	}

	var accounts billingv1.BillingAccountList
	if err := c.live.List(ctx, &accounts); err != nil {
		return "", fmt.Errorf("list billing accounts: %w", err)
	}

	for i := range accounts.Items {
		tenant := accounts.Items[i].Namespace

		record, err := c.open(ctx, tenant)

		switch {
		case errors.Is(err, book.ErrNotFound):
		case err != nil:
			return "", fmt.Errorf("read what tenant %q has used: %w", tenant, err)
		case record.PriceList == l.Name && len(record.Lines) > 0 && !record.Settled:
			return tenant, nil
		}
	}

	return "", nil
}

func inUse(why string) error {
	return &outcome.Wait{
		Reason: billingv1.ReasonInUse, After: heldRetry, Ready: metav1.ConditionTrue,
		Message: "The PriceList is being deleted and goes on to be in effect, because " + why,
	}
}
