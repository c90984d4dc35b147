package statement

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// retentionMonths is how many months stay in the store beside the one that goes on.
	retentionMonths = 2
	// keepEvery is how often ledgers are measured, archived and anchored.
	keepEvery = 24 * time.Hour
	// defaultOffsetHours is that of an account that is gone.
	defaultOffsetHours = 7
)

// keeper keeps the ledgers small, and their last hashes in the log.
type keeper struct {
	*Closer

	last time.Time
	// done is until when the ledger of a tenant was archived, so that it is not verified again for nothing.
	done map[string]int64
}

// sweep goes through all ledgers, once a day.
func (k *keeper) sweep(ctx context.Context) error {
	now := k.o.Now()
	if k.o.Archive == nil || (!k.last.IsZero() && now.Sub(k.last) < keepEvery) {
		return nil
	}
	k.last = now
	var errs []error
	for head, err := range k.o.Archive.Heads(ctx) {
		if err == nil {
			// Whoever keeps the log elsewhere can prove later that nothing before was changed.
			k.log.InfoContext(ctx, "Ledger of the tenant stands", logkey.Tenant, head.Tenant, "sequence", head.Seq, "hash", head.Hash)
			err = k.archive(ctx, head, now)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("keep the ledger of %q: %w", head.Tenant, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	sizes, err := k.o.Archive.Sizes(ctx)
	for sort, n := range sizes {
		k.metrics.bytes.WithLabelValues(sort).Set(float64(n))
	}

	return errors.Join(append(errs, err)...)
}

// archive has everything archived that is older than the retention.
func (k *keeper) archive(ctx context.Context, head book.Head, now time.Time) error {
	if k.o.ArchiveDir == "" || head.Seq == 0 {
		return nil
	}
	before, ready, err := k.before(ctx, head.Tenant, now)
	if err != nil || !ready || k.done[head.Tenant] == before {
		return err
	}
	old, err := k.hasOlder(ctx, head, before)
	if err != nil {
		return err
	}
	if old {
		c, done, err := k.o.Archive.Archive(ctx, head.Tenant, time.Unix(before, 0), k.o.ArchiveDir)
		if err != nil {
			return err
		}
		if done {
			k.metrics.archived.Add(float64(c.Entries))
			k.log.InfoContext(ctx, "Archived the ledger of the tenant", logkey.Tenant, head.Tenant, "file", c.File, "entries", c.Entries, "sha256", c.SHA256)
		}
	}
	k.done[head.Tenant] = before

	return nil
}

// before is the time before which entries are archived. It is not ready while the Statement is missing that needs them. A
// tenant without an account has no statements any more; its ledger goes the same way.
func (k *keeper) before(ctx context.Context, tenant string, now time.Time) (int64, bool, error) {
	var account billingv1.BillingAccount
	err := k.o.Live.Get(ctx, client.ObjectKey{Namespace: tenant, Name: billingv1.AccountName}, &account)
	if apierrors.IsNotFound(err) {
		return oldest(now, defaultOffsetHours).Start(), true, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read billing account: %w", err)
	}

	var last billingv1.Statement
	name := oldest(now, account.Spec.UTCOffsetHours).Previous().String()
	err = k.o.Live.Get(ctx, client.ObjectKey{Namespace: tenant, Name: name}, &last)
	if apierrors.IsNotFound(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read statement %q: %w", name, err)
	}

	return last.Spec.To.Unix(), true, nil
}

// oldest is the first month that stays.
func oldest(now time.Time, offsetHours int32) book.Month {
	m := book.MonthAt(now.Unix(), offsetHours)
	for range retentionMonths {
		m = m.Previous()
	}

	return m
}

// hasOlder tells whether there is something to archive. The entry by which the last archive is tied to the chain is nothing,
// or whoever does nothing for years would have a file of it every few months.
func (k *keeper) hasOlder(ctx context.Context, head book.Head, before int64) (bool, error) {
	start, err := k.o.Ledger.Start(ctx, head.Tenant)
	if err != nil {
		return false, err
	}
	for seq := start.Seq + 1; seq <= head.Seq; seq++ {
		e, err := k.o.Ledger.Entry(ctx, head.Tenant, seq)
		if err != nil {
			return false, err
		}
		if e.Type != book.TypeCheckpoint {
			return e.Effective() < before, nil
		}
	}

	return false, nil
}
