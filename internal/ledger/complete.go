package ledger

import (
	"context"
	"fmt"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/usage"
)

// sampled is how long after a moment metering must have looked at the swarm before it is believed to know everything that
// ran until then: a node that is silent is waited for, and one look may come late.
const sampled = usage.NodeSilence + 300

// onItsWay is how long after a time an entry may still be written that was made before it: a transaction has the time at which it
// was worked out, and takes its own to arrive.
const onItsWay = 60

// Start is what everything that was archived and pruned amounts to. Its Seq is 0 while nothing was.
func (l *Ledger) Start(ctx context.Context, tenant string) (book.Head, error) {
	if err := book.CheckTenant(tenant); err != nil {
		return book.Head{}, err
	}
	c, err := l.checkpoint(ctx, tenant)
	if err != nil {
		return book.Head{}, fmt.Errorf("read checkpoint of %q: %w", tenant, err)
	}

	return c.Head, nil
}

// Complete tells whether no entry will be written any more that belongs to the time before: it is over, what was used in it
// is charged and settled, and what expired in it was taken.
func (l *Ledger) Complete(ctx context.Context, tenant string, before int64) (bool, error) {
	if err := book.CheckTenant(tenant); err != nil {
		return false, err
	}
	if l.now().Unix() < before+onItsWay {
		return false, nil
	}
	// Metering is asked first. What it hands to the ledger in between is found there.
	nothing, err := l.nothingMeasured(ctx, tenant, before)
	if err != nil {
		return false, fmt.Errorf("read what is measured of %q: %w", tenant, err)
	}
	w := &writer{Ledger: l, req: book.Request{Tenant: tenant, Op: book.Review{}}}
	at, err := w.load(ctx)
	if err != nil {
		return false, fmt.Errorf("read open use of %q: %w", tenant, err)
	}
	head, record := at.state.Head, at.state.Record
	if len(record.Lines) > 0 && !record.Settled && book.WindowStart(record.From) < before {
		return false, nil
	}
	for _, lot := range head.Lots {
		if lot.Expires != 0 && lot.Expires <= before {
			return false, nil
		}
	}
	charged := head.ChargedThrough > 0 && book.WindowEnd(head.ChargedThrough) >= before

	return charged || nothing, nil
}

// nothingMeasured tells whether metering knows everything that ran before a time, and has handed all of it to the ledger. The
// cursor of a tenant who uses nothing stands still; it does not tell.
func (l *Ledger) nothingMeasured(ctx context.Context, tenant string, before int64) (bool, error) {
	stored, err := l.get(ctx, markKey)
	if err != nil {
		return false, err
	}
	got, err := l.get(ctx, meterKey(tenant))
	if err != nil {
		return false, err
	}
	if len(stored.Kvs) == 0 {
		// Nobody has ever measured anything. Whoever begins does not ask what was before.
		return len(got.Kvs) == 0, nil
	}
	mark, err := usage.DecodeMark(stored.Kvs[0].Value)
	if err != nil {
		return false, err
	}
	account := usage.NewAccount(tenant, mark.For(tenant))
	if len(got.Kvs) > 0 {
		if account, err = usage.DecodeAccount(tenant, got.Kvs[0].Value); err != nil {
			return false, err
		}
		account = account.Follow(mark.For(tenant))
	}
	oldest, used := account.Oldest()

	return account.At >= before+sampled && (!used || oldest >= before), nil
}
