package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/solvency"
)

const (
	// lastCharge is how long after the last task has ended its use may still be charged.
	lastCharge = 2 * time.Minute
	// closingRetry is when an account that waits for somebody is looked at again.
	closingRetry = 10 * time.Second
)

// finalize lets an account go that somebody deletes. While its tenant lives and is billed that is no loss, because money is
// in the ledger: another one is made at once. But a hold is not got rid of that way.
//
// Otherwise the account, and with it the tenant, stays until nothing is owed to anybody:
//
//	stopped ─► all use charged ─► settled ─► gifts lapse ─► nothing held, nothing on its way, balance zero ─► gone
//	                                                          └ or what is left is given up, by the annotation
func (c *Controller) finalize(ctx context.Context, s *situation) (outcome.Result, error) {
	tenant, err := c.tenantNow(ctx, s.account.Namespace)
	if err != nil {
		return outcome.Result{}, err
	}

	s.tenant = tenant

	if !s.leaving() && s.billed() {
		if s.account.Spec.Hold != nil {
			return outcome.Result{}, &outcome.Wait{
				Reason: string(solvency.Held), After: lookAround,
				Message: sentence(s, string(solvency.Held)) + "; it is deleted, and made anew, when spec.hold is taken away",
			}
		}

		return outcome.Result{Finalized: true}, nil
	}

	if err := c.close(ctx, s); err != nil {
		return outcome.Result{RequeueAfter: lookAround}, c.showLeft(s, err)
	}

	return c.letGo(ctx, s)
}

// abandon deletes an account of ours whose tenant is gone: a former leader that wakes up late can make one. It is closed like
// every other. One that somebody else has made is not touched.
func (c *Controller) abandon(ctx context.Context, s *situation) error {
	a := s.account
	if a.Labels[v1alpha1.LabelTenant] != a.Namespace {
		return nil
	}

	tenant, err := c.tenantNow(ctx, a.Namespace)
	if err != nil || tenant != nil {
		return err
	}

	slogctx.From(ctx).InfoContext(ctx, "Removing BillingAccount of a Tenant that is gone", logkey.Tenant, a.Namespace)

	a = a.DeepCopy()
	if err := client.IgnoreNotFound(c.cached.Delete(ctx, a, client.Preconditions{UID: &a.UID})); err != nil {
		return fmt.Errorf("remove billing account of %q: %w", a.Namespace, err)
	}

	return nil
}

// showLeft keeps the amounts in the status right while the account waits for somebody to settle them.
func (c *Controller) showLeft(s *situation, err error) error {
	project(s)
	conditions.Delete(s.account, billingv1.ConditionNotMetered)
	conditions.Delete(s.account, billingv1.ConditionBalanceLow)

	return err
}

// letGo leaves nothing of the account on a tenant that lives on without being billed.
func (c *Controller) letGo(ctx context.Context, s *situation) (outcome.Result, error) {
	if !s.leaving() {
		if _, stopped := s.suspended(); stopped {
			if err := c.resume(ctx, s); err != nil {
				return outcome.Result{}, err
			}
		}
		if err := c.writeTenant(ctx, s, nil, false); err != nil {
			return outcome.Result{}, err
		}
	}

	return outcome.Result{Finalized: true}, nil
}

// close brings the books of the tenant to zero, as far as that is not for somebody else to do. It returns a Wait until they
// are.
func (c *Controller) close(ctx context.Context, s *situation) error {
	switch charged := s.now.Sub(chargedAt(s.head)); {
	case s.inUse():
		return closing("Waiting until everything of the tenant has stopped")
	case s.head.ChargedThrough > 0 && charged >= 0 && charged < lastCharge:
		return closing("Waiting until all use is charged")
	}

	if len(s.head.Accrued) > 0 {
		if _, err := c.do(ctx, s, book.Settle{Floor: s.terms.Floor(s.head)}); err != nil {
			return unwritten(err)
		}
	}
	for _, lot := range slices.Clone(s.head.Lots) {
		_, err := c.do(ctx, s, book.Lapse{Lot: lot.ID, Reason: "The account is closed."})
		if err != nil && !errors.Is(err, book.ErrNotFound) {
			return unwritten(err)
		}
	}

	pending, err := c.pending(ctx, s.account.Namespace)
	if err != nil {
		return err
	}

	reason, given := s.account.Annotations[billingv1.AnnotationWriteOff]

	switch coming := len(s.head.Holds) > 0 || len(pending) > 0; {
	case !coming && s.head.Paid != 0 && max(s.head.Paid, -s.head.Paid) < money.Rupiah:
		err = c.writeOff(ctx, s, actorDogker, "Less than a rupiah is left, which nobody can pay.")
	case !coming && s.head.Paid != 0 && strings.TrimSpace(reason) != "":
		err = c.writeOff(ctx, s, actorOf(s), reason)
	}

	if err != nil {
		return err
	}

	// Also of what was given up: money that came meanwhile is not left behind.
	return unsettled(s.head, pending, given)
}

// pending are the TopUps by which money may still come, by name.
func (c *Controller) pending(ctx context.Context, namespace string) ([]string, error) {
	var list billingv1.TopUpList
	if err := c.live.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list payments of %q: %w", namespace, err)
	}

	var out []string

	for i := range list.Items {
		if t := &list.Items[i]; open(t.Status.Phase) || conditions.IsTrue(t, billingv1.ConditionNeedsReview) {
			out = append(out, t.Name)
		}
	}

	slices.Sort(out)

	return out, nil
}

// open is true for a payment of which nobody knows what will become of it, and also for one of which nothing is known.
func open(phase billingv1.TopUpPhase) bool {
	switch phase {
	case billingv1.TopUpCredited, billingv1.TopUpPartiallyRefunded, billingv1.TopUpRefunded, billingv1.TopUpReversed,
		billingv1.TopUpChargedBack, billingv1.TopUpFailed, billingv1.TopUpExpired:
		return false
	default:
		return true
	}
}

// unsettled says what is left, and who can do what about it; nil when nothing is.
func unsettled(head book.Head, pending []string, given bool) error {
	var left []string

	switch paid := head.Paid; {
	case paid > 0:
		left = append(left, fmt.Sprintf("%s rupiah of paid money are left: pay them back with a Refund", exact(paid)))
	case paid < 0:
		left = append(left, fmt.Sprintf("%s rupiah are owed: a TopUp pays them", exact(-paid)))
	}
	if len(head.Holds) > 0 {
		left = append(left, fmt.Sprintf("%s rupiah are on their way back to a payer", exact(head.Held())))
	}
	if len(pending) > 0 {
		left = append(left, "payments may still arrive ("+few(pending)+"): delete these TopUps")
	}
	if len(left) == 0 {
		return nil
	}

	text := strings.Join(left, "; ")

	switch {
	case head.Paid == 0:
	case given:
		text += "; the annotation " + billingv1.AnnotationWriteOff + " gives the balance up once nothing is on its way, if its value says why"
	default:
		text += "; or give the balance up: the annotation " + billingv1.AnnotationWriteOff + " with the reason as its value"
	}

	return &outcome.Wait{Reason: billingv1.ReasonBalanceNotSettled, Message: upperFirst(text), After: closingRetry}
}

// Actors in entries of the ledger about what is given up.
const (
	// actorPlatform is for the platform, when admission did not write down who it was.
	actorPlatform = "platform"
	// actorDogker is for Dogker itself.
	actorDogker = "dogker"
)

// actorOf is who gave the balance up.
func actorOf(s *situation) string {
	return cmp.Or(s.account.Annotations[billingv1.AnnotationWrittenOffBy], actorPlatform)
}

// writeOff gives up what is left. The key holds the entry that it is about, so that a second try whose first was written
// finds nothing to do.
func (c *Controller) writeOff(ctx context.Context, s *situation, actor, reason string) error {
	id := fmt.Sprintf("close:%s:%d", s.account.UID, s.head.Seq)

	var op book.Op = book.Adjust{ID: id, Amount: -s.head.Paid, Actor: actor, Reason: reason}
	if s.head.Paid < 0 {
		op = book.WriteOff{ID: id, Actor: actor, Reason: reason}
	}

	_, err := c.do(ctx, s, op)

	switch {
	case errors.Is(err, book.ErrInvalid):
		return &outcome.Stall{
			Reason: billingv1.ReasonBalanceNotSettled, Err: err,
			Message: fmt.Sprintf("The annotation %s cannot be written into the ledger: it must be printable text of at most 512 bytes", billingv1.AnnotationWriteOff),
		}
	case err != nil:
		return unwritten(err)
	default:
		return nil
	}
}

func closing(message string) error {
	return &outcome.Wait{Reason: billingv1.ReasonStopping, Message: message, After: closingRetry}
}

// few names some of many.
func few(names []string) string {
	const most = 3

	if len(names) <= most {
		return strings.Join(names, ", ")
	}

	return strings.Join(names[:most], ", ") + " and more"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
