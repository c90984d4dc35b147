package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/usage"
)

// markKey holds what metering keeps for all tenants together.
const markKey = prefix + "mark"

// maxAtOnce is how many tenants are written at once: enough that the store puts many of them on disk together.
const maxAtOnce = 64

// maxRebuilds is how many times a charge is worked out anew because the account has stopped or runs again meanwhile.
const maxRebuilds = 8

// Metering stores what metering keeps, and charges what it measured, in one transaction for each tenant. It implements the
// Store of controllers/metering for one term.
type Metering struct {
	ledger  *Ledger
	pricing Pricing
	term    book.Term
}

// NewMetering makes the store of a leader.
func NewMetering(l *Ledger, pricing Pricing, term book.Term) *Metering {
	return &Metering{ledger: l, pricing: pricing, term: term}
}

// Load returns everything, as the last write that was done has left it.
func (m *Metering) Load(ctx context.Context) (usage.Stored, error) {
	mark, err := m.ledger.get(ctx, markKey)
	if err != nil {
		return usage.Stored{}, fmt.Errorf("read mark: %w", err)
	}
	var out usage.Stored
	if len(mark.Kvs) > 0 {
		out.Mark = mark.Kvs[0].Value
	}
	all := meterKey("")
	for kv, err := range m.ledger.scan(ctx, all, clientv3.GetPrefixRangeEnd(all), mark.Header.Revision) {
		if err != nil {
			return usage.Stored{}, fmt.Errorf("list records of metering: %w", err)
		}
		out.Records = append(out.Records, usage.Record{
			Tenant: strings.TrimPrefix(string(kv.Key), all), Revision: kv.ModRevision, Data: kv.Value,
		})
	}

	return out, nil
}

// Reload returns the record of one tenant; without data when there is none.
func (m *Metering) Reload(ctx context.Context, tenant string) (usage.Record, error) {
	got, err := m.ledger.get(ctx, meterKey(tenant))
	if err != nil {
		return usage.Record{}, fmt.Errorf("read record of metering of %q: %w", tenant, err)
	}
	out := usage.Record{Tenant: tenant}
	if len(got.Kvs) > 0 {
		out.Revision, out.Data = got.Kvs[0].ModRevision, got.Kvs[0].Value
	}

	return out, nil
}

// SaveMark replaces the mark, or fails with usage.ErrFenced.
func (m *Metering) SaveMark(ctx context.Context, data []byte) error {
	if _, err := m.put(ctx, markKey, data); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}

	return nil
}

// Commit makes each change in a transaction of its own, many at once, and says what came of each, in their order.
func (m *Metering) Commit(ctx context.Context, changes []usage.Change) []usage.Result {
	results := make([]usage.Result, len(changes))
	next := make(chan int)
	var group sync.WaitGroup
	for range min(maxAtOnce, len(changes)) {
		group.Go(func() {
			for i := range next {
				results[i] = m.commit(ctx, changes[i])
			}
		})
	}
	for i := range changes {
		next <- i
	}
	close(next)
	group.Wait()

	return results
}

func (m *Metering) commit(ctx context.Context, c usage.Change) usage.Result {
	if c.Charge == nil {
		revision, err := m.put(ctx, meterKey(c.Tenant), c.Data,
			clientv3.Compare(clientv3.ModRevision(meterKey(c.Tenant)), "=", c.Revision))
		return usage.Result{Revision: revision, Err: err}
	}

	result, err := m.charge(ctx, c)

	return usage.Result{Revision: result.MeterRevision, Err: translated(err)}
}

// charge prices what was measured and has it charged. Which windows are free depends on the head; the charge says which it
// has taken for free, and is worked out anew when that is not so any more.
func (m *Metering) charge(ctx context.Context, c usage.Change) (book.Result, error) {
	tariff, err := m.pricing.Tariff(ctx, c.Tenant, firstUse(c.Charge))
	if err != nil {
		return book.Result{}, fmt.Errorf("find tariff of %q: %w", c.Tenant, err)
	}
	head, err := m.ledger.recall(ctx, c.Tenant)
	for range maxRebuilds {
		if err != nil {
			return book.Result{}, err
		}
		var result book.Result
		result, err = m.ledger.Do(ctx, book.Request{
			Tenant: c.Tenant, Op: priced(c.Charge, tariff, head), Decide: tariff.Decide, Term: m.term,
			Meter: &book.MeterState{Data: c.Data, Revision: c.Revision},
		})
		if !errors.Is(err, book.ErrCutOver) {
			return result, err
		}
		head, err = m.ledger.Head(ctx, c.Tenant)
	}

	return book.Result{}, fmt.Errorf("charge %q: it stops and starts all the time: %w", c.Tenant, book.ErrBusy)
}

// translated says in the words of package usage what metering must know of an error.
func translated(err error) error {
	switch {
	case errors.Is(err, book.ErrFenced):
		return fmt.Errorf("%w: %w", usage.ErrFenced, err)
	case errors.Is(err, book.ErrConflict), errors.Is(err, book.ErrCharged), errors.Is(err, book.ErrGap):
		return fmt.Errorf("%w: %w", usage.ErrConflict, err)
	default:
		return err
	}
}

// put writes a key of metering that no head guards, under our term.
func (m *Metering) put(ctx context.Context, key string, data []byte, also ...clientv3.Cmp) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	fence := clientv3.Compare(clientv3.ModRevision(termKey), "=", int64(m.term))
	got, err := m.ledger.kv.Txn(ctx).
		If(append(also, fence)...).
		Then(clientv3.OpPut(key, string(data))).
		Else(clientv3.OpGet(termKey, clientv3.WithKeysOnly())).
		Commit()
	switch {
	case err != nil:
		return 0, err
	case got.Succeeded:
		return got.Header.Revision, nil
	case revision(single(got, 0)) != int64(m.term):
		return 0, usage.ErrFenced
	default:
		return 0, usage.ErrConflict
	}
}

// firstUse is the first window of a charge in which something was used, or the first at all.
func firstUse(c *usage.Charge) int64 {
	if len(c.Windows) > 0 {
		return c.Windows[0].Index
	}

	return c.After + 1
}

// priced is what was measured, at the prices of a tariff, by the head that says which of it is free.
func priced(c *usage.Charge, t Tariff, h book.Head) book.Charge {
	out := book.Charge{From: c.After + 1, Through: c.Through, PriceList: t.PriceList}
	out.Free = h.Free(out.From, out.Through)
	if t.Floor != nil {
		out.Floor = t.Floor(h)
	}
	first, last := t.settlement(book.HourOf(c.Through))
	out.Begin, out.Settle = book.FirstOfHour(first), book.FirstOfHour(last+1)-1 == c.Through
	if t.PriceList == "" {
		return out
	}

	// Windows at one price are one line: a charge can be an hour that is caught up with.
	at := map[usage.Line]int{}
	for _, w := range c.Windows {
		for _, l := range w.Lines {
			meter := money.Meter(l.Meter)
			if t.Prices[meter] == 0 || w.Index <= out.Free && t.stops(meter) {
				continue
			}
			if out.Since == 0 {
				out.Since = w.Index
			}
			kind := l
			kind.Seconds = 0
			i, ok := at[kind]
			if !ok {
				i = len(out.Lines)
				at[kind] = i
				out.Lines = append(out.Lines, book.Line{Workload: workload(l.Workload), Meter: meter, Quantity: l.Amount, Price: t.Prices[meter]})
			}
			out.Lines[i].Seconds += l.Seconds
		}
	}
	for _, g := range c.Gaps {
		out.Gaps = append(out.Gaps, book.Gap{Cause: string(g.Cause), From: g.From, To: g.To, Seconds: g.Seconds})
	}

	return out
}

// settlement are the hours that are settled together with one.
func (t Tariff) settlement(hour int64) (first, last int64) {
	if t.Settlement == nil {
		return hour, hour
	}

	return t.Settlement(hour)
}

// stops tells whether a meter is free while the account does not run.
func (t Tariff) stops(m money.Meter) bool {
	return book.Compute(m) || m == money.Storage && t.WaivesStorage
}

// workload names an object so that one of the same name that came later is another.
func workload(w usage.Workload) string { return w.Kind + "/" + w.Name + "/" + w.UID }
