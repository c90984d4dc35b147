package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// Claim begins a term for whoever has been elected, by whatever means, and ends that of everybody before: from now on
// nothing that they send is written, however long ago they sent it. It must be called once for each time that somebody is
// elected, and not again by whoever has been told ErrFenced.
//
// The election is elsewhere because it is a matter of who should write. This is the matter of who can: a Lease that ran out
// does not stop a process that was paused from going on when it wakes.
func (l *Ledger) Claim(ctx context.Context, holder string) (book.Term, error) {
	// The random part tells our claim from an earlier one of the same holder when the answer was lost.
	value := holder + " " + rand.Text()
	var lost error
	for n := 1; ; n++ {
		term, err := l.claim(ctx, value)
		if err == nil && term != 0 {
			return term, nil
		}
		lost = errors.Join(lost, err)
		if n >= maxLost || !pause(ctx, n, l.lostPause) {
			return 0, fmt.Errorf("begin a term of %q: %w", holder, errors.Join(lost, ctx.Err()))
		}
	}
}

// claim returns 0 when somebody else came in between.
func (l *Ledger) claim(ctx context.Context, value string) (book.Term, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	now, err := l.kv.Get(ctx, termKey)
	if err != nil {
		return 0, err
	}
	var before int64
	if len(now.Kvs) > 0 {
		before = now.Kvs[0].ModRevision
		if string(now.Kvs[0].Value) == value {
			return book.Term(before), nil
		}
	}
	got, err := l.kv.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(termKey), "=", before)).
		Then(clientv3.OpPut(termKey, value)).
		Commit()
	if err != nil || !got.Succeeded {
		return 0, err
	}

	return book.Term(got.Header.Revision), nil
}
