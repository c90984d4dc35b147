package ledger

import (
	"context"
	"fmt"
	"strconv"

	"github.com/dogker/dogker/reconciler/book"
)

// Redeemed is how often a coupon was redeemed, by all tenants together.
func (l *Ledger) Redeemed(ctx context.Context, coupon string) (int64, error) {
	got, err := l.get(ctx, couponKey(coupon))
	if err != nil {
		return 0, fmt.Errorf("read coupon %q: %w", coupon, err)
	}

	if len(got.Kvs) == 0 {
		return 0, nil
	}

	n, err := strconv.ParseInt(string(got.Kvs[0].Value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read coupon %q: %w: %w", coupon, book.ErrBroken, err)
	}

	return n, nil
}
