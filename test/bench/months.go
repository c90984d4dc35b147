package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/test/bench/measure"
)

const (
	// hours of a month.
	hours = 30 * 24
	// verified is a rate of entries, each with the record that it was made of.
	verified = "entries verified"
)

// months writes the months of tenants of several sizes, weighs them, and measures how fast they are verified.
func (t *till) months(ctx context.Context) error {
	var tenant string
	for _, workloads := range []int{1, 3, 10} {
		tenant = fmt.Sprintf("month-%02d", workloads)
		before, err := t.bytes(ctx)
		if err != nil {
			return err
		}
		if err := t.month(ctx, tenant, workloads); err != nil {
			return fmt.Errorf("write a month of %q: %w", tenant, err)
		}
		after, err := t.bytes(ctx)
		if err != nil {
			return err
		}
		t.report.Add(measure.Ours, fmt.Sprintf("a month of a tenant in etcd, workloads: %d", workloads), measure.KB, float64(after-before)/1000)
	}

	return t.take(ctx, t.samples, arm{measure.Ours, func(ctx context.Context, add adder) error {
		began := time.Now()
		report, err := t.ledger.Verify(ctx, tenant)
		if err != nil {
			return err
		}
		add(verified, measure.PerSecond, float64(report.Entries)/time.Since(began).Seconds())
		if report.Records != hours {
			return fmt.Errorf("%d hours of %q are settled, and should be %d", report.Records, tenant, hours)
		}

		return nil
	}})
}

// month is charged by the hour, and pays once a week.
func (t *till) month(ctx context.Context, tenant string, workloads int) error {
	for hour := range int64(hours) {
		if hour%(7*24) == 0 {
			if err := t.do(ctx, tenant, paid(hour, 100_000_000*money.Rupiah)); err != nil {
				return err
			}
		}
		if err := t.do(ctx, tenant, charge(60*hour, 60, workloads)); err != nil {
			return err
		}
	}

	return nil
}

// bytes is what all ledgers have in the store.
func (t *till) bytes(ctx context.Context) (int64, error) {
	sizes, err := t.ledger.Sizes(ctx)
	var sum int64
	for _, size := range sizes {
		sum += size
	}

	return sum, err
}
