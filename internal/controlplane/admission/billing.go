package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
)

// BillingPluginName is how the plugin for what costs money is known to the API server.
const BillingPluginName = "DogkerBilling"

const (
	// codeBurst coupon codes may be tried by a tenant at once, and one each codeInterval after that. Those that are
	// accepted do not count.
	codeBurst    = 10
	codeInterval = time.Minute
	// topUpBurst payments may be asked for by a tenant at once, and one each topUpInterval after that. Each is a call to
	// the payment gateway.
	topUpBurst    = 20
	topUpInterval = 30 * time.Second
	// ledgerPatience is for how long somebody is asked to wait whose ledger cannot be read.
	ledgerPatience = 5
)

// Ledger is what the plugin reads of the books. It is safe for concurrent use.
type Ledger interface {
	// Head reads how a tenant stands. One that has no ledger yet has nothing.
	Head(ctx context.Context, tenant string) (book.Head, error)
	// Order reads what became of a payment of a tenant, or fails with book.ErrNotFound.
	Order(ctx context.Context, tenant, id string) (book.Order, error)
}

// RegisterBilling makes the plugin known.
func RegisterBilling(plugins *admission.Plugins) {
	plugins.Register(BillingPluginName, func(io.Reader) (admission.Interface, error) {
		return &Billing{
			Handler: admission.NewHandler(admission.Create, admission.Update, admission.Delete),
			codes:   throttle.New(codeBurst, codeInterval),
			topUps:  throttle.New(topUpBurst, topUpInterval),
			now:     time.Now,
		}, nil
	})
}

// Billing refuses what a balance cannot carry, and what would make a price, a payment or a record something else than what
// people agreed on. What is read of prices and containers may be a moment old: of two requests at the same moment both may
// pass. It is not the lock of a till: whoever has spent too much is warned and stopped by what is charged.
type Billing struct {
	*admission.Handler

	client     dynamic.Interface
	directory  Directory
	reader     client.Reader
	desk       *billing.Desk
	ledger     Ledger
	cluster    string
	authorizer authorizer.Authorizer

	codes, topUps *throttle.Limiter
	now           func() time.Time
}

var (
	_ admission.MutationInterface    = (*Billing)(nil)
	_ admission.ValidationInterface  = (*Billing)(nil)
	_ initializer.WantsDynamicClient = (*Billing)(nil)
	_ initializer.WantsAuthorizer    = (*Billing)(nil)
)

// SetDynamicClient gives the plugin its sight of payments.
func (p *Billing) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetAuthorizer gives the plugin its sight of who may what.
func (p *Billing) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetDirectory gives the plugin its sight of tenants, and of what they pay.
func (p *Billing) SetDirectory(d Directory) {
	p.directory, p.reader = d, d.Reader()
	p.desk = billing.NewDesk(p.reader)
}

// SetLedger gives the plugin its sight of balances, and of orders by the tag of this installation.
func (p *Billing) SetLedger(l Ledger, cluster string) { p.ledger, p.cluster = l, cluster }

// ValidateInitialization refuses a plugin that could not see.
func (p *Billing) ValidateInitialization() error {
	if p.client == nil || p.directory == nil || p.ledger == nil || p.authorizer == nil {
		return errors.New("admission of what costs money needs a client, a directory of tenants, the ledger and an authorizer")
	}

	return nil
}

// Admit signs what somebody answers for.
func (p *Billing) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != accountKind || a.GetSubresource() != "" || a.GetOperation() == admission.Delete {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	signWriteOff(now, old, a.GetUserInfo().GetName())

	return nil
}

// Validate refuses what must not be.
func (p *Billing) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	resource := a.GetResource().GroupResource()
	if a.GetUserInfo().GetName() == Loopback {
		return nil
	}
	if resource == containerResource.GroupResource() || concernsJob(a) {
		if a.GetOperation() == admission.Delete {
			return nil
		}
		return p.judgeCost(ctx, a)
	}
	if resource == planResource && a.GetSubresource() == "" && a.GetOperation() != admission.Delete {
		return p.lookAtPlan(ctx, a)
	}
	if resource.Group != billingv1.GroupVersion.Group {
		return nil
	}

	return p.judgeObject(ctx, a, resource.Resource)
}

var planResource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "plans"}

// judgeObject holds an object of the group against its rules.
func (p *Billing) judgeObject(ctx context.Context, a admission.Attributes, resource string) error {
	if resource == "statements" && a.GetOperation() != admission.Update { // The schema says that what is there stays.
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(),
			errors.New("a Statement is a record: Dogker alone writes it, and it goes with its tenant"))
	}
	if a.GetOperation() == admission.Delete {
		if resource == "topups" {
			return p.judgeTopUpDeletion(ctx, a)
		}
		return nil
	}
	if a.GetSubresource() != "" && a.GetSubresource() != "status" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	if err := keepFinalizers(a, now, old); err != nil || a.GetSubresource() != "" || now.GetDeletionTimestamp() != nil {
		return err
	}

	switch {
	case resource == "billingaccounts":
		return p.judgeAccount(ctx, a, now, old)
	case resource == "topups":
		if err := keepUnowned(a, now, old); err != nil || old != nil {
			return err
		}
		return p.judgeTopUp(ctx, a, now)
	case resource == "pricelists" && old == nil:
		return p.judgePriceList(ctx, now)
	default:
		return nil
	}
}

// keepFinalizers keeps to the platform what holds an object until its money is where it belongs.
func keepFinalizers(a admission.Attributes, now, old *unstructured.Unstructured) error {
	if old == nil || ofPlatform(a.GetUserInfo()) {
		return nil
	}
	for i, f := range old.GetFinalizers() {
		if strings.HasPrefix(f, billingv1.GroupVersion.Group+"/") && !slices.Contains(now.GetFinalizers(), f) {
			refusal := field.Forbidden(field.NewPath("metadata", "finalizers").Index(i),
				fmt.Sprintf("%q is taken away by Dogker once no money is on its way any more", f))
			return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), refusal)
		}
	}

	return nil
}

// lookAtPlan warns of a plan whose prices are not there. They may come later: whoever applies both need not know an order.
func (p *Billing) lookAtPlan(ctx context.Context, a admission.Attributes) error {
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	name, _, _ := unstructured.NestedString(now.Object, "spec", "priceListName")
	if name == "" {
		return nil
	}
	if old != nil {
		if before, _, _ := unstructured.NestedString(old.Object, "spec", "priceListName"); before == name {
			return nil
		}
	}
	lists, err := p.desk.Lists(ctx)
	if err != nil {
		return nil //nolint:nilerr // It would have been a warning.
	}
	if !slices.ContainsFunc(lists, func(l billingv1.PriceList) bool { return l.Name == name }) {
		warn(ctx, "spec.priceListName: there is no PriceList %q yet; until there is, nobody with this plan is charged", name)
	}

	return nil
}

// ledgerUnavailable is the answer while balances cannot be read: nothing is let in on credit.
func ledgerUnavailable(tenant string, err error) error {
	e := apierrors.NewServiceUnavailable(fmt.Sprintf("the ledger of tenant %q cannot be read, try again: %v", tenant, err))
	e.ErrStatus.Details = retryAfter(ledgerPatience)

	return e
}

// read makes an object what it is.
func read[T any](u *unstructured.Unstructured) (*T, error) {
	out := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("read %s %q: %w", u.GetKind(), u.GetName(), err))
	}

	return out, nil
}
