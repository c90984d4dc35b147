package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// Report says what a verification has gone through.
type Report struct {
	Tenant string
	// FirstSeq is the first entry that was read: the one after the checkpoint, if there is one. LastSeq is the last.
	FirstSeq, LastSeq int64
	// Hash of the last entry. Whoever has written it down elsewhere knows that nothing before it was changed since.
	Hash    string
	Balance money.Micro
	Entries int64
	Records int64
}

// Verify replays all entries of a tenant and compares everything else that is stored with what they say: head, records of
// use, keys, orders, checkpoint. It finds every byte of an entry or a record that was changed, and every entry that was
// dropped, repeated or moved, and returns an error that wraps book.ErrBroken and names the first place. It reads as of one
// moment, page by page, and may run while others write.
func (l *Ledger) Verify(ctx context.Context, tenant string) (Report, error) {
	v, err := l.newVerification(ctx, tenant)
	for _, step := range []func(context.Context) error{
		v.entries, v.rest, v.keys, v.orders,
	} {
		if err != nil {
			break
		}
		err = step(ctx)
	}
	if err != nil {
		return Report{}, fmt.Errorf("verify the ledger of %q: %w", tenant, err)
	}

	return v.report, nil
}

// verification is the state of one Verify.
type verification struct {
	*Ledger
	tenant   string
	revision int64
	head     book.Head
	// checkpoint that the first entry follows, and whether an entry that ties it to the chain was seen.
	checkpoint *book.Checkpoint
	tied       bool
	replay     *book.Replay
	// carry is what the last record left over, nil where that was pruned.
	carry  map[money.Meter]uint64
	keyed  map[string]idem
	report Report
}

func (l *Ledger) newVerification(ctx context.Context, tenant string) (*verification, error) {
	v := &verification{Ledger: l, tenant: tenant, keyed: map[string]idem{}, tied: true}
	var err error
	if v.head, v.revision, err = l.head(ctx, tenant); err != nil {
		return v, err
	}
	start := book.NewHead(tenant)
	got, err := l.get(ctx, checkpointKey(tenant), clientv3.WithRev(v.revision))
	if err != nil {
		return v, err
	}
	if len(got.Kvs) > 0 {
		c, err := book.DecodeCheckpoint(got.Kvs[0].Value)
		if err != nil {
			return v, err
		}
		v.checkpoint, v.tied, start = &c, false, c.Head
	} else {
		v.carry = map[money.Meter]uint64{}
	}
	v.replay = book.NewReplay(start)
	v.report = Report{Tenant: tenant, FirstSeq: start.Seq + 1}

	return v, nil
}

// entries replays them, each Usage together with its record: both are stored in the order of time.
func (v *verification) entries(ctx context.Context) error {
	records, stop := iter.Pull2(v.scanPrefix(ctx, usagePrefix(v.tenant)))
	defer stop()
	for kv, err := range v.scanPrefix(ctx, entryPrefix(v.tenant)) {
		if err != nil {
			return err
		}
		e, err := v.replay.Next(kv.Value)
		if err != nil {
			return err
		}
		if key := entryKey(v.tenant, e.Seq); key != string(kv.Key) {
			return fmt.Errorf("entry %d is stored as %q: %w", e.Seq, kv.Key, book.ErrBroken)
		}
		v.keyed[e.Key] = idem{Seq: e.Seq, Request: e.Request}
		v.report.Entries++
		v.tied = v.tied || (e.Type == book.TypeCheckpoint && e.Record == v.checkpoint.Digest())
		if e.Type != book.TypeUsage {
			continue
		}
		kv, err, ok := records()
		if err := v.record(e, kv, err, ok); err != nil {
			return err
		}
	}

	kv, err, ok := records()
	if !ok {
		return v.open(book.Record{})
	}
	if err != nil {
		return err
	}
	record, err := book.DecodeRecord(kv.Value)
	if err != nil {
		return err
	}
	if _, _, more := records(); more || string(kv.Key) != usageKey(v.tenant, v.head.Period) {
		return fmt.Errorf("the record at %q belongs to no entry: %w", kv.Key, book.ErrBroken)
	}

	return v.open(record)
}

// record compares what is stored as the next record with the entry that was made of it, and with the record before.
func (v *verification) record(e book.Entry, kv *mvccpb.KeyValue, err error, ok bool) error {
	if !ok {
		return fmt.Errorf("entry %d: its record is missing: %w", e.Seq, book.ErrBroken)
	}
	if err != nil {
		return err
	}
	r, err := book.DecodeRecord(kv.Value)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	carry, err := r.Proves(e)
	if err != nil {
		return err
	}
	if string(kv.Key) != usageKey(v.tenant, r.Period) {
		return fmt.Errorf("entry %d: its record is stored as %q: %w", e.Seq, kv.Key, book.ErrBroken)
	}
	v.report.Records++

	return v.follows(r, carry)
}

// follows makes sure that what the divisions of one record left over is what the next begins with.
func (v *verification) follows(r book.Record, left map[money.Meter]uint64) error {
	if v.carry != nil && !maps.Equal(v.carry, r.Carry) {
		return fmt.Errorf("the record of period %s begins with carries %v, the one before left %v: %w", r.Period, r.Carry, v.carry, book.ErrBroken)
	}
	v.carry = left

	return nil
}

// open compares the use that is not settled with the head.
func (v *verification) open(r book.Record) error {
	if err := (book.State{Head: v.head, Record: r}).Check(); err != nil {
		return err
	}
	if len(r.Lines) > 0 && !r.Settled {
		charges, left, err := r.Reprice()
		if err != nil {
			return err
		}
		if !maps.Equal(charges, r.Metered()) {
			return fmt.Errorf("the lines of the open record come to %v and not to %v: %w", charges, r.Metered(), book.ErrBroken)
		}
		if err := v.follows(r, left); err != nil {
			return err
		}
		v.report.Records++
	}
	if v.carry != nil && !maps.Equal(v.carry, v.head.Carry) {
		return fmt.Errorf("the head carries %v, the last record left %v: %w", v.head.Carry, v.carry, book.ErrBroken)
	}

	return nil
}

// rest compares the head with the replay, and the checkpoint with the chain.
func (v *verification) rest(context.Context) error {
	if !v.tied {
		return fmt.Errorf("no entry has the hash of the checkpoint at entry %d: %w", v.checkpoint.Head.Seq, book.ErrBroken)
	}
	got := v.replay.Head()
	v.report.LastSeq, v.report.Hash, v.report.Balance = got.Seq, got.Hash, got.Balance()

	return v.replay.Matches(v.head)
}

// keys compares idempotency keys with entries, both ways. Those of pruned entries stay, and are nobody's.
func (v *verification) keys(ctx context.Context) error {
	for kv, err := range v.scanPrefix(ctx, idemPrefix(v.tenant)) {
		if err != nil {
			return err
		}
		var stored idem
		if err := json.Unmarshal(kv.Value, &stored); err != nil {
			return fmt.Errorf("decode %q: %w: %w", kv.Key, book.ErrBroken, err)
		}
		key := strings.TrimPrefix(string(kv.Key), idemPrefix(v.tenant))
		e, ok := v.keyed[key]
		if ok != (stored.Seq >= v.report.FirstSeq) || (ok && e != stored) {
			return fmt.Errorf("key %q is said to be of entry %d: %w", key, stored.Seq, book.ErrBroken)
		}
		delete(v.keyed, key)
	}
	for key, e := range v.keyed {
		return fmt.Errorf("the key %q of entry %d is missing: %w", key, e.Seq, book.ErrBroken)
	}

	return nil
}

// orders compares what is stored of payments with what the entries say.
func (v *verification) orders(ctx context.Context) error {
	want := v.replay.Orders()
	for kv, err := range v.scanPrefix(ctx, orderPrefix(v.tenant)) {
		if err != nil {
			return err
		}
		stored, err := book.DecodeOrder(kv.Value)
		if err != nil {
			return err
		}
		id := strings.TrimPrefix(string(kv.Key), orderPrefix(v.tenant))
		if o, ok := want[id]; (ok && !o.Equal(stored)) || (!ok && v.checkpoint == nil) {
			return fmt.Errorf("order %q is stored as %+v, its entries amount to %+v: %w", id, stored, o, book.ErrBroken)
		}
		delete(want, id)
	}
	for id := range want {
		return fmt.Errorf("order %q is missing: %w", id, book.ErrBroken)
	}

	return nil
}

func (v *verification) scanPrefix(ctx context.Context, p string) iter.Seq2[*mvccpb.KeyValue, error] {
	return v.scan(ctx, p, clientv3.GetPrefixRangeEnd(p), v.revision)
}
