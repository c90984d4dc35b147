package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/solvency"
)

// actorPlan is the actor in entries of the ledger about what a plan gives.
const actorPlan = "plan"

// keepBooks does in the ledger what time and specs have made due: the grant of the month, coupons, use that nobody else
// settles, lots whose time is over, and a decision that would be another one now. Gifts come first, so that nobody is warned
// of what they make untrue.
func (c *Controller) keepBooks(ctx context.Context, s *situation) error {
	if s.unpriced == nil && !s.leaving() && s.standing.Phase != solvency.Closed {
		if err := c.grant(ctx, s); err != nil {
			return err
		}
		if err := c.redeem(ctx, s); err != nil {
			return err
		}
	}

	if err := c.settle(ctx, s); err != nil {
		return err
	}
	if err := c.expire(ctx, s); err != nil {
		return err
	}

	return c.review(ctx, s)
}

// do asks the ledger for an operation and takes in what came of it. The errors are those of package book.
func (c *Controller) do(ctx context.Context, s *situation, op book.Op) (book.Result, error) {
	req := book.Request{Tenant: s.account.Namespace, Op: op, Decide: s.terms.Decide(c.now)}

	slogctx.From(ctx).LogAttrs(ctx, slog.LevelInfo, "Writing to the ledger of BillingAccount", slog.String(logkey.Operation, fmt.Sprintf("%T", op)))

	result, err := c.ledger.Do(ctx, req)
	if err != nil {
		return book.Result{}, err
	}

	return result, s.take(result.Head)
}

// grant gives what the plan gives every month, once. It can be used until the month ends, as the account counts months.
func (c *Controller) grant(ctx context.Context, s *situation) error {
	rules := s.terms.Plan.Spec.Billing
	if rules == nil || rules.MonthlyGrant == "" || rules.MonthlyGrant == "0" {
		return nil
	}

	month := monthOf(s)
	if c.memory.granted(s.account.Namespace) == month.String() {
		return nil
	}

	amount, err := money.ParseWhole(string(rules.MonthlyGrant))
	if err != nil {
		return fmt.Errorf("plan %q: spec.billing.monthlyGrant: %w", s.terms.Plan.Name, err)
	}

	id := "free:" + month.String()
	if _, there := s.head.Lot(id); !there {
		lot := book.Lot{ID: id, Left: amount, Expires: month.End()}
		_, err := c.do(ctx, s, book.Grant{ID: id, Lot: lot, Actor: actorPlan})

		switch {
		case err == nil, errors.Is(err, book.ErrConflict):
			// A conflict means that it was given before the plan or the account's months were changed: one a month is enough.
		case errors.Is(err, book.ErrTooMany):
			return nil // There is room again when another gift has been used, or its time is over, which is seen to next.
		default:
			return unwritten(err)
		}
	}

	c.memory.setGranted(s.account.Namespace, month.String())

	return nil
}

// monthOf is the month it is, as the account counts months.
func monthOf(s *situation) book.Month {
	return book.MonthAt(s.now.Unix(), billing.OffsetHours(s.account))
}

// settle draws the money for what was used in a settlement that is over. Charges do that, and there are none where nothing
// was used any more when it ended; its month could not be closed before something is used again.
func (c *Controller) settle(ctx context.Context, s *situation) error {
	if len(s.head.Accrued) == 0 {
		return nil
	}
	_, last := s.terms.Settlement(book.HourOf(s.head.ChargedThrough))
	if over := s.now.Unix() - book.WindowStart(book.FirstOfHour(last+1)); over < int64(idleTime/time.Second) {
		return nil
	}
	if _, err := c.do(ctx, s, book.Settle{Floor: s.terms.Floor(s.head)}); err != nil {
		return unwritten(err)
	}

	return nil
}

// expire takes what is left of lots whose time is over, as soon as all use of that time has been charged.
func (c *Controller) expire(ctx context.Context, s *situation) error {
	for _, lot := range slices.Clone(s.head.Lots) {
		op := expiry(s, lot)
		if op == nil {
			continue
		}

		_, err := c.do(ctx, s, op)

		switch {
		case err == nil, errors.Is(err, book.ErrNotFound), errors.Is(err, book.ErrTooEarly):
		default:
			return unwritten(err)
		}
	}

	return nil
}

// idleTime is how long after the end of a lot nothing may have run before it counts as certain that no more use of its time
// will be charged, and how long after the end of a settlement a charge may do what it is to do.
const idleTime = time.Hour

// expiry is what takes the rest of a lot; nil while its time is not over, or use of that time may still be charged.
func expiry(s *situation, lot book.Lot) book.Op {
	over := s.now.Unix() - lot.Expires
	charged := s.head.ChargedThrough == 0 || book.WindowEnd(s.head.ChargedThrough) >= lot.Expires

	switch {
	case lot.Expires == 0 || over < 0:
		return nil
	case charged:
		return book.Expire{Lot: lot.ID}
	case over >= int64(idleTime/time.Second) && !s.inUse() && len(s.head.Accrued) == 0:
		return book.Lapse{Lot: lot.ID, Reason: "Its time is over, and nothing was used at the end of it."}
	default:
		return nil
	}
}

// review asks for a decision when it would be another one than the last. The dry run is as pure as the real one: only what
// differs is written.
func (c *Controller) review(ctx context.Context, s *situation) error {
	out, err := book.Apply(book.State{Head: s.head}, book.Review{}, s.terms.Decide(func() time.Time { return s.now }), s.now)
	if err != nil {
		return unwritten(err)
	}

	if len(out.Notices) == 0 && bytes.Equal(out.State.Head.Encode(), s.head.Encode()) {
		return nil
	}

	if _, err := c.do(ctx, s, book.Review{}); err != nil {
		return unwritten(err)
	}

	return nil
}

// redeem redeems the codes in the spec, each once, and notes in the status what became of them.
func (c *Controller) redeem(ctx context.Context, s *situation) error {
	codes := s.account.Spec.CouponCodes
	if len(codes) == 0 {
		s.account.Status.Coupons = nil

		return nil
	}

	coupons, err := c.coupons(ctx, s)
	if err != nil {
		return err
	}

	var shown []redeemed

	for _, code := range codes {
		known := resultOf(s.before, code)
		if known != nil && known.Reason == reasonRedeemed {
			shown = append(shown, *known)

			continue
		}
		if known == nil && !c.memory.mayGuess(s.account.Namespace, s.now) {
			continue // It is looked at later: nobody tries codes by the thousand.
		}

		amount, err := c.redeemOne(ctx, s, billing.Redemption{Code: code, Plan: s.tenant.Spec.PlanName, At: s.now}, coupons)

		switch {
		case errors.Is(err, billing.ErrCodeNotAccepted):
			shown = append(shown, refused(code))
		case err != nil:
			return unwritten(err)
		default:
			shown = append(shown, redeemed{Code: code, Amount: whole(amount), Reason: reasonRedeemed})
		}
	}

	s.account.Status.Coupons = shown

	return nil
}

// redeemOne redeems one code and returns what it gave; ErrCodeNotAccepted when it gives nothing.
func (c *Controller) redeemOne(ctx context.Context, s *situation, r billing.Redemption, coupons []coupon) (money.Micro, error) {
	found, err := r.Coupon(coupons)
	if err != nil || c.memory.usedUp(s.account.Namespace, found) {
		return 0, billing.ErrCodeNotAccepted
	}

	grant, err := r.Grant(found)
	if err != nil {
		slogctx.From(ctx).WarnContext(ctx, "Coupon cannot be redeemed by anybody", logkey.Err, err)

		return 0, billing.ErrCodeNotAccepted
	}

	result, err := c.do(ctx, s, grant)

	switch {
	case err == nil && len(result.Entries) > 0:
		return result.Entries[0].Amount, nil
	case err == nil, errors.Is(err, book.ErrConflict):
		// The tenant has redeemed it before, when it may have lasted until another day.
		return grant.Lot.Left, nil
	case errors.Is(err, book.ErrUsedUp):
		c.memory.setUsedUp(s.account.Namespace, found)

		return 0, billing.ErrCodeNotAccepted
	case errors.Is(err, book.ErrTooMany):
		return 0, billing.ErrCodeNotAccepted // There is room again when another gift has been used.
	default:
		return 0, err
	}
}
