package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// maxTxnBytes is what a transaction may write. Etcd takes half as much again.
const maxTxnBytes = 1 << 20

func sizeOf(ops []clientv3.Op) int {
	var size int
	for _, op := range ops {
		size += len(op.KeyBytes()) + len(op.ValueBytes())
	}

	return size
}

// replayed tells whether the request was done before, going by what was read, and what came of it then.
func (w *writer) replayed(ctx context.Context, at snapshot) (book.Result, bool, error) {
	head := at.state.Head
	if charge, ok := w.req.Op.(book.Charge); ok && charge.Repeats(head) {
		result := book.Result{Head: head, Replayed: true}
		if w.req.Meter == nil {
			return result, true, nil
		}
		got, err := w.get(ctx, meterKey(w.req.Tenant), clientv3.WithKeysOnly())
		if err == nil && len(got.Kvs) > 0 {
			result.MeterRevision = got.Kvs[0].ModRevision
		}
		return result, true, err
	}
	if at.idem == nil {
		return book.Result{}, false, nil
	}
	if at.idem.Request != book.RequestHash(w.req.Op) {
		return book.Result{}, true, fmt.Errorf("key %q of entry %d: %w", w.req.Op.Key(), at.idem.Seq, book.ErrConflict)
	}
	result := book.Result{Head: head, Replayed: true}
	entry, err := w.Entry(ctx, w.req.Tenant, at.idem.Seq)
	switch {
	case err == nil:
		result.Entries = []book.Entry{entry}
	case !errors.Is(err, book.ErrNotFound):
		return book.Result{}, true, err
	}

	return result, true, nil
}

// try works the request out on what was read, and writes it if that is still so.
func (w *writer) try(ctx context.Context, at snapshot) (book.Result, verdict, error) {
	if coupon, limit, ok := book.CouponOf(w.req.Op); ok && at.coupon >= limit {
		return book.Result{}, refused, fmt.Errorf("coupon %q: %w", coupon, book.ErrUsedUp)
	}
	out, err := book.Apply(at.state, w.req.Op, w.req.Decide, w.now())
	if err != nil {
		return book.Result{}, refused, err
	}
	result := book.Result{Head: out.State.Head.Clone(), Entries: out.Entries}
	if w.req.Meter == nil && idle(at.state, out) {
		return w.look(ctx, at, result)
	}

	puts := w.puts(at, out)
	if size := sizeOf(puts); size > maxTxnBytes {
		return book.Result{}, refused, fmt.Errorf("a transaction of %d bytes, at most %d: %w", size, maxTxnBytes, book.ErrTooMany)
	}

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	got, err := w.kv.Txn(ctx).If(w.conditions(at, out)...).Then(puts...).Commit()
	switch {
	case err != nil && rejected(err):
		return book.Result{}, refused, err
	case err != nil:
		return book.Result{}, failed, err
	case !got.Succeeded:
		return w.failure(ctx, at)
	}
	w.wrote = true
	if w.req.Meter != nil {
		result.MeterRevision = got.Header.Revision
	}
	state := out.State
	state.Order = book.Order{}
	w.cache.put(w.req.Tenant, snapshot{state: state, headRevision: got.Header.Revision})

	return result, written, nil
}

// rejected tells whether etcd has refused a request, and would again. Of every other error nobody knows what it did.
func rejected(err error) bool {
	for _, refusal := range []error{
		rpctypes.ErrNoSpace, rpctypes.ErrRequestTooLarge, rpctypes.ErrTooManyOps, rpctypes.ErrDuplicateKey, rpctypes.ErrPermissionDenied,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}

	return false
}

// idle tells whether an operation has come to nothing: a review that decided what had been decided before.
func idle(before book.State, out book.Outcome) bool {
	return len(out.Entries) == 0 && !out.RecordChanged && len(out.Notices) == 0 &&
		string(before.Head.Encode()) == string(out.State.Head.Encode())
}

// look does for an operation that has come to nothing what the conditions do for the others.
func (w *writer) look(ctx context.Context, at snapshot, result book.Result) (book.Result, verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	got, err := w.kv.Txn(ctx).If(w.same(at)...).Commit()
	switch {
	case err != nil:
		return book.Result{}, failed, err
	case !got.Succeeded:
		return w.failure(ctx, at)
	default:
		return result, written, nil
	}
}

// same are the conditions that nobody else has written to the tenant, and nobody else leads.
func (w *writer) same(at snapshot) []clientv3.Cmp {
	cmps := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(headKey(w.req.Tenant)), "=", at.headRevision)}
	if w.req.Term != 0 {
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(termKey), "=", int64(w.req.Term)))
	}

	return cmps
}

// conditions are all that must hold for the outcome to be written. That the head is the same implies that its entries are
// not there yet and their keys unused; it is demanded all the same, so that a damaged head destroys nothing.
func (w *writer) conditions(at snapshot, out book.Outcome) []clientv3.Cmp {
	tenant := w.req.Tenant
	cmps := w.same(at)
	for _, e := range out.Entries {
		cmps = append(cmps,
			clientv3.Compare(clientv3.CreateRevision(entryKey(tenant, e.Seq)), "=", 0),
			clientv3.Compare(clientv3.CreateRevision(idemKey(tenant, e.Key)), "=", 0))
	}
	if m := w.req.Meter; m != nil {
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(meterKey(tenant)), "=", m.Revision))
	}
	if coupon, _, ok := book.CouponOf(w.req.Op); ok {
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(couponKey(coupon)), "=", at.couponRevision))
	}

	return cmps
}

// failure says what a transaction whose conditions did not hold means. It reads only now, which spares all the others the
// reading: what is compared only ever goes on, so what did not hold then does not hold now.
func (w *writer) failure(ctx context.Context, at snapshot) (book.Result, verdict, error) {
	got, err := w.kv.Txn(ctx).Then(
		clientv3.OpGet(headKey(w.req.Tenant), clientv3.WithKeysOnly()),
		clientv3.OpGet(termKey, clientv3.WithKeysOnly()),
		clientv3.OpGet(idemKey(w.req.Tenant, w.req.Op.Key()), clientv3.WithKeysOnly()),
		clientv3.OpGet(meterKey(w.req.Tenant), clientv3.WithKeysOnly()),
	).Commit()
	if err != nil {
		return book.Result{}, outrun, nil // Nothing was written, and it is read once more in any case.
	}
	head, term, done, meter := revision(single(got, 0)), revision(single(got, 1)), single(got, 2) != nil, revision(single(got, 3))
	_, _, redeems := book.CouponOf(w.req.Op)
	switch {
	case done || head != at.headRevision:
		// It was done already, or must be worked out again: both are found out by reading. Whether we still lead is
		// found out after that, because what is done is done.
		return book.Result{}, outrun, nil
	case w.req.Term != 0 && term != int64(w.req.Term):
		return book.Result{}, refused, fmt.Errorf("term %d is over, it is %d: %w", w.req.Term, term, book.ErrFenced)
	case w.req.Meter != nil && meter != w.req.Meter.Revision:
		return book.Result{}, refused, fmt.Errorf("what metering keeps is at revision %d and not %d: %w", meter, w.req.Meter.Revision, book.ErrConflict)
	case redeems:
		return book.Result{}, outrun, nil
	default:
		return book.Result{}, refused, fmt.Errorf("there are entries or keys behind entry %d: %w", at.state.Head.Seq, book.ErrBroken)
	}
}

// revision is when a key was written, 0 for never.
func revision(kv *mvccpb.KeyValue) int64 {
	if kv == nil {
		return 0
	}

	return kv.ModRevision
}

// puts are what the outcome changes in the store.
func (w *writer) puts(at snapshot, out book.Outcome) []clientv3.Op {
	tenant := w.req.Tenant
	ops := []clientv3.Op{clientv3.OpPut(headKey(tenant), string(out.State.Head.Encode()))}
	for _, e := range out.Entries {
		ops = append(ops,
			clientv3.OpPut(entryKey(tenant, e.Seq), string(e.Encode())),
			clientv3.OpPut(idemKey(tenant, e.Key), encode(idem{Seq: e.Seq, Request: e.Request})))
	}
	for _, r := range out.Settled {
		ops = append(ops, clientv3.OpPut(usageKey(tenant, r.Period), string(r.Encode())))
	}
	if r := out.State.Record; out.RecordChanged && !r.Settled {
		ops = append(ops, clientv3.OpPut(usageKey(tenant, r.Period), string(r.Encode())))
	}
	if o := out.State.Order; !o.Equal(at.state.Order) {
		ops = append(ops, clientv3.OpPut(orderKey(tenant, o.ID), string(o.Encode())))
	}
	if m := w.req.Meter; m != nil {
		ops = append(ops, clientv3.OpPut(meterKey(tenant), string(m.Data)))
	}
	for _, n := range out.Notices {
		ops = append(ops, clientv3.OpPut(outboxKey(tenant, n.ID), encode(n)))
	}
	if coupon, _, ok := book.CouponOf(w.req.Op); ok {
		ops = append(ops, clientv3.OpPut(couponKey(coupon), strconv.FormatInt(at.coupon+1, 10)))
	}

	return append(ops, prune(tenant, out.Checkpoint)...)
}

// prune puts a checkpoint in the place of what it stands for. Keys of payments and refunds stay for ever; those of use, and of
// gaps in it, are not needed, because the cursor is behind them.
func prune(tenant string, c *book.Checkpoint) []clientv3.Op {
	if c == nil {
		return nil
	}
	below := func(from, to string) clientv3.Op { return clientv3.OpDelete(from, clientv3.WithRange(to)) }
	ops := []clientv3.Op{
		clientv3.OpPut(checkpointKey(tenant), string(c.Encode())),
		below(entryPrefix(tenant), entryKey(tenant, c.Head.Seq+1)),
	}
	if c.Period.Hour == 0 {
		return ops
	}
	next := book.Period{Hour: c.Period.Hour, Part: c.Period.Part + 1}
	ops = append(ops, below(usagePrefix(tenant), usageKey(tenant, next)))
	// Within the last hour parts do not sort as numbers do, so the keys of that hour stay. Windows, by which gaps are named,
	// have as many digits for a hundred years.
	hour, window := strconv.FormatInt(c.Period.Hour, 10), strconv.FormatInt(book.FirstOfHour(c.Period.Hour), 10)
	for _, kind := range [][2]string{{"usage:", hour}, {"waive:", hour}, {"gap:", window}} {
		ops = append(ops, below(idemKey(tenant, kind[0]), idemKey(tenant, kind[0]+kind[1])))
	}

	return ops
}

// encode writes what has nothing that could fail.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("%T cannot be encoded: %v", v, err))
	}

	return string(data)
}
