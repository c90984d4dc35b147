package billing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// ErrCodeNotAccepted is the one answer to every code that cannot be redeemed: one that does not exist, that is not for this
// tenant, not yet or no longer valid, or used up. Whoever guesses learns nothing from it.
var ErrCodeNotAccepted = errors.New("the code is not accepted")

// CouponActor is the actor in entries of the ledger about coupons.
const CouponActor = "coupon"

// HashCode is what the spec of a Coupon holds in place of its code. Capitals do not matter.
func HashCode(code billingv1.CouponCode) string {
	sum := sha256.Sum256([]byte(strings.ToUpper(string(code))))

	return hex.EncodeToString(sum[:])
}

// Redemption is an attempt to redeem a code.
type Redemption struct {
	Code billingv1.CouponCode
	// Plan of the tenant.
	Plan v1alpha1.DNSLabel
	// At is when.
	At time.Time
	// Order and Payment are those of the TopUp that it comes with; empty and 0 without one. What is given goes back with
	// the payment.
	Order   string
	Payment money.Micro
}

// Coupon finds the coupon that the code stands for, if it can be redeemed this way. How often it was redeemed before is for
// the ledger to say. If several have the same code, the first by name counts that can be.
func (r Redemption) Coupon(coupons []billingv1.Coupon) (*billingv1.Coupon, error) {
	hash := HashCode(r.Code)

	var found *billingv1.Coupon

	for i := range coupons {
		c := &coupons[i]
		if c.Spec.CodeSHA256 == hash && r.fits(c) && (found == nil || c.Name < found.Name) {
			found = c
		}
	}
	if found == nil {
		return nil, ErrCodeNotAccepted
	}

	return found, nil
}

// fits tells whether the coupon may be redeemed by that tenant, at that time, in that way.
func (r Redemption) fits(c *billingv1.Coupon) bool {
	s := &c.Spec

	switch {
	case !c.DeletionTimestamp.IsZero():
		return false
	case s.ValidFrom != nil && r.At.Before(s.ValidFrom.Time), s.ValidUntil != nil && !r.At.Before(s.ValidUntil.Time):
		return false
	case len(s.PlanNames) > 0 && !slices.Contains(s.PlanNames, r.Plan):
		return false
	default:
		return s.Amount != "" || r.Payment > 0 // A share of no payment is nothing.
	}
}

// Grant is what redeeming the coupon comes to, for the ledger: each tenant once, all tenants together as often as the
// coupon says. What it gives can be used until a whole hour, at least as many days as the coupon says.
func (r Redemption) Grant(c *billingv1.Coupon) (book.Grant, error) {
	amount, err := r.amount(&c.Spec)
	if err != nil {
		return book.Grant{}, fmt.Errorf("coupon %q: %w", c.Name, err)
	}

	id := CouponKey(c.Name)

	return book.Grant{
		ID: id,
		Lot: book.Lot{
			ID: id, Left: amount, Expires: expiryOf(r.At, c.Spec.ExpirationDays), Meter: money.Meter(c.Spec.Meter), Order: r.Order,
		},
		Coupon: c.Name, CouponLimit: c.Spec.MaxRedemptions, Actor: CouponActor,
	}, nil
}

// CouponKey is the idempotency key of redeeming a coupon, and the ID of the lot that it makes.
func CouponKey(name string) string { return "grant:" + name }

// amount is what the coupon gives: a fixed amount, or a share of the payment in whole rupiah, rounded down.
func (r Redemption) amount(s *billingv1.CouponSpec) (money.Micro, error) {
	if s.Amount != "" {
		amount, err := money.ParseWhole(string(s.Amount))
		if err != nil {
			return 0, fmt.Errorf("spec.amount: %w", err)
		}

		return amount, nil
	}

	most, err := money.ParseWhole(string(s.MaxAmount))
	if err != nil {
		return 0, fmt.Errorf("spec.maxAmount: %w", err)
	}
	if s.Percent < 1 || s.Percent > 100 {
		return 0, fmt.Errorf("spec.percent: invalid value: %d: must be from 1 to 100", s.Percent)
	}

	// A payment is never negative, and a hundredth of it times at most a hundred is no more than it.
	high, low := bits.Mul64(uint64(max(r.Payment, 0)), uint64(s.Percent))
	share, _ := bits.Div64(high, low, 100)
	amount := min(money.Micro(share)/money.Rupiah*money.Rupiah, most)
	if amount <= 0 {
		return 0, ErrCodeNotAccepted // Less than a rupiah.
	}

	return amount, nil
}

// expiryOf is the first whole hour that many days later; 0, which is never, for no days.
func expiryOf(at time.Time, days int32) int64 {
	if days == 0 {
		return 0
	}

	end := at.Add(time.Duration(days) * 24 * time.Hour)
	hour := end.Truncate(time.Hour)
	if hour.Before(end) {
		hour = hour.Add(time.Hour)
	}

	return hour.Unix()
}
