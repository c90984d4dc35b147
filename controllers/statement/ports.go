package statement

import (
	"context"
	"iter"
	"time"

	"github.com/dogker/dogker/reconciler/book"
)

// Ledger is what closing a month reads.
type Ledger interface {
	// Head is how a tenant stands; its Seq is 0 before the first entry.
	Head(ctx context.Context, tenant string) (book.Head, error)
	// Start is what everything that was archived and pruned amounts to; its Seq is 0 while nothing was.
	Start(ctx context.Context, tenant string) (book.Head, error)
	// Entry reads one entry, or fails with book.ErrNotFound.
	Entry(ctx context.Context, tenant string, seq int64) (book.Entry, error)
	// Items are the entries from a number on, in order, each Usage with its record.
	Items(ctx context.Context, tenant string, from int64) iter.Seq2[book.Item, error]
	// Complete tells whether no entry will be written any more that belongs to the time before.
	Complete(ctx context.Context, tenant string, before int64) (bool, error)
}

// Archive is what keeping the ledger small needs. Only a leader may.
type Archive interface {
	// Heads are all tenants that have a ledger. One that cannot be read comes with an error and its name.
	Heads(ctx context.Context) iter.Seq2[book.Head, error]
	// Archive writes what belongs to the time before to a file in the directory and prunes it. It returns false when there
	// was nothing, and may be repeated.
	Archive(ctx context.Context, tenant string, before time.Time, dir string) (book.Checkpoint, bool, error)
	// Sizes is how many bytes there are of each sort of key. It may take minutes.
	Sizes(ctx context.Context) (map[string]int64, error)
}
