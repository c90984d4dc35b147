package identity

import (
	"context"
	"errors"
)

// Errors of a KV.
var (
	// ErrNotFound: there is no such entry.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else has written the entry.
	ErrConflict = errors.New("written by somebody else")
)

// Entry is one entry of a KV.
type Entry struct {
	// Key of the entry, without the prefix that all of them share.
	Key string
	// Value is nil when the entry is gone.
	Value []byte
	// Version is higher for every later change of any entry.
	Version int64
	// Stale entries are good, and should be written anew: the key that encrypts them is not the current one.
	Stale bool
}

// KV is where the records are kept, for all servers of a cluster. Writes name the version they replace, 0 for none, and
// fail with ErrConflict when it is another one.
type KV interface {
	// List returns all entries, and the version as of which it is all.
	List(ctx context.Context) (entries []Entry, version int64, err error)
	// Get reads one entry as it is now, or fails with ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Put writes one entry and returns its version.
	Put(ctx context.Context, key string, value []byte, version int64) (int64, error)
	// Delete removes one entry and returns the version of that. It fails with ErrConflict when the entry is gone.
	Delete(ctx context.Context, key string, version int64) (int64, error)
	// Watch hands every change after the version to changed, in order, until the context ends or sight of the entries is
	// lost. It always returns an error.
	Watch(ctx context.Context, version int64, changed func([]Entry)) error
}
