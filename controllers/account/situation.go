package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/solvency"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// situation is what one pass knows.
type situation struct {
	account *billingv1.BillingAccount
	// before is the status that the pass has found.
	before *billingv1.BillingAccountStatus
	// tenant that the namespace belongs to; nil when there is none.
	tenant *v1alpha1.Tenant
	// terms of the tenant; without prices when unpriced says why.
	terms    billing.Terms
	unpriced error

	// head of the tenant's ledger, and how the account stands by it. Both move on as the pass writes to the ledger.
	head     book.Head
	standing billing.Standing

	// tasks of the tenant that have not ended; meaningless when blind is true.
	tasks []swarmobj.Task
	blind bool

	// turn is how long the account has to wait until it may resume.
	turn time.Duration
	now  time.Time
}

// survey looks at everything that a pass needs. It writes nothing.
func (c *Controller) survey(ctx context.Context, a *billingv1.BillingAccount) (*situation, error) {
	s := &situation{account: a, before: a.Status.DeepCopy(), now: c.now()}

	if err := c.lookAtTerms(ctx, s); err != nil {
		return nil, err
	}

	head, err := c.ledger.Head(ctx, a.Namespace)
	if err != nil {
		return nil, unwritten(err)
	}
	if err := s.take(head); err != nil {
		return nil, err
	}

	s.tasks, err = c.swarm.TenantTasks(a.Namespace)
	s.blind = err != nil

	return s, nil
}

// lookAtTerms finds the tenant and its terms. What is missing is part of the situation, and no error.
func (c *Controller) lookAtTerms(ctx context.Context, s *situation) error {
	terms, err := c.desk.Terms(ctx, s.account.Namespace)

	switch {
	case err == nil, errors.Is(err, billing.ErrNotBilled), errors.Is(err, billing.ErrNotInEffect), apierrors.IsNotFound(err):
		s.terms, s.tenant, s.unpriced = terms, c.memory.newest(terms.Tenant), err

		// The account that the engine hands out is never older than what a cache shows.
		s.terms.Account = s.account
		if terms.Plan != nil {
			s.terms.Rules = billing.RulesOf(terms.Tenant, terms.Plan, s.account)
		}

		return nil
	default:
		return fmt.Errorf("find the terms of tenant %q: %w", s.account.Namespace, err)
	}
}

// take takes a head in.
func (s *situation) take(head book.Head) error {
	standing, err := s.terms.Standing(head, s.now)
	if err != nil {
		return unwritten(fmt.Errorf("read the state in the ledger of %q: %w", s.account.Namespace, err))
	}

	s.head, s.standing = head, standing

	return nil
}

// inUse is true while something of the tenant runs, or may run.
func (s *situation) inUse() bool { return s.blind || len(s.tasks) > 0 }

// billed is false for a tenant whose plan names no prices.
func (s *situation) billed() bool {
	return s.tenant != nil && !errors.Is(s.unpriced, billing.ErrNotBilled)
}

// leaving is true when the tenant goes, or has gone.
func (s *situation) leaving() bool { return s.tenant == nil || !s.tenant.DeletionTimestamp.IsZero() }

// charging is true while use is charged, minute by minute.
func (s *situation) charging() bool { return s.now.Sub(chargedAt(s.head)) < behind }

// suspension is why nothing of the tenant may run, empty when it may.
func (s *situation) suspension() string {
	switch phase := s.standing.Phase; {
	case phase.Runs():
		return ""
	case phase == solvency.Suspended:
		return billingv1.ReasonInsufficientBalance
	default:
		return string(phase)
	}
}

// suspended is why nothing of the tenant runs by order of billing, as its annotation says.
func (s *situation) suspended() (reason string, is bool) {
	if s.tenant == nil {
		return "", false
	}

	reason, is = s.tenant.Annotations[v1alpha1.AnnotationBillingSuspend]

	return reason, is
}

// tenantNow asks the API server itself for the tenant; nil when there is none.
func (c *Controller) tenantNow(ctx context.Context, name string) (*v1alpha1.Tenant, error) {
	var t v1alpha1.Tenant

	err := c.live.Get(ctx, client.ObjectKey{Name: name}, &t)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tenant %q: %w", name, err)
	}

	return &t, nil
}

// ledgerRetry is when a ledger that could not be asked is asked again.
const ledgerRetry = 10 * time.Second

// unwritten turns an error of the ledger into what the owner of the account is told. What was decided goes on to be so.
func unwritten(err error) error {
	switch {
	case errors.Is(err, book.ErrBroken):
		return &outcome.Stall{
			Reason: billingv1.ReasonLedgerBroken, Err: err,
			Message: "The ledger of the tenant contradicts itself; nothing is charged before a person has looked at it: dogker ledger verify",
		}
	case errors.Is(err, book.ErrNewer):
		return &outcome.Stall{
			Reason: billingv1.ReasonLedgerUnavailable, Err: err,
			Message: "The ledger of the tenant was written by a newer version of Dogker, and only that can go on",
		}
	default:
		return &outcome.Wait{
			Reason: billingv1.ReasonLedgerUnavailable, Err: err, After: ledgerRetry, Ready: "Unknown",
			Message: "The ledger cannot be read or written at the moment; what runs goes on",
		}
	}
}
