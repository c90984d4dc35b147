package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// blind is how long the records may be out of sight before they are no longer relied on.
	blind = 30 * time.Second
	// retry is how long it is until the next try to see them.
	retry = time.Second
)

// errBlind says that it is not known what is good at the moment.
var errBlind = errors.New("records of identity are out of sight")

// record is one record in memory.
type record struct {
	version int64
	// value is a credential, session, deployGrant or claim.
	value any
}

// Store holds the records in memory, follows the changes that other servers make, and writes.
type Store struct {
	kv  KV
	log *slog.Logger

	mu      sync.RWMutex
	records map[string]record
	// gone remembers what this server has removed until the news of it has come back, because older news may come first.
	gone map[string]int64
	// sighted is whether the records were read once, and lost since when they are out of sight; zero while they are not.
	sighted bool
	lost    time.Time
}

// NewStore makes a store; it knows nothing before Run.
func NewStore(kv KV, log *slog.Logger) *Store {
	return &Store{kv: kv, log: log, records: map[string]record{}, gone: map[string]int64{}}
}

// Run follows the records until the context ends.
func (s *Store) Run(ctx context.Context) error {
	for {
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.lose(time.Now())
		s.log.WarnContext(ctx, "Records of identity are out of sight", logkey.Err, err)

		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
		}
	}
}

// follow reads all records and then their changes, until that fails.
func (s *Store) follow(ctx context.Context) error {
	entries, version, err := s.kv.List(ctx)
	if err != nil {
		return fmt.Errorf("list records of identity: %w", err)
	}
	s.replace(entries, version)
	s.renew(ctx, entries)

	return s.kv.Watch(ctx, version, s.changed)
}

func (s *Store) lose(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost.IsZero() {
		s.lost = now
	}
}

// Ready fails while the records cannot be relied on.
func (s *Store) Ready(now time.Time) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.sighted || (!s.lost.IsZero() && now.Sub(s.lost) > blind) {
		return errBlind
	}

	return nil
}

// replace takes over what is all as of the version.
func (s *Store) replace(entries []Entry, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()

	kept := map[string]record{}
	for key, r := range s.records {
		// What this server has written since then is not in the list.
		if r.version > version {
			kept[key] = r
		}
	}
	s.records = kept
	for _, e := range entries {
		s.apply(e)
	}
	s.forget(version)
	s.sighted, s.lost = true, time.Time{}
}

// changed takes over what has changed.
func (s *Store) changed(entries []Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.apply(e)
	}
	if len(entries) > 0 {
		s.forget(entries[len(entries)-1].Version)
	}
}

// apply takes over one entry unless something newer is known. The caller holds the lock.
func (s *Store) apply(e Entry) {
	if e.Version < s.records[e.Key].version || e.Version <= s.gone[e.Key] {
		return
	}
	if e.Value == nil {
		delete(s.records, e.Key)
		s.gone[e.Key] = e.Version
		return
	}
	value, err := decode(e)
	if err != nil {
		s.log.Error("A record of identity cannot be read and is left out", logkey.Object, e.Key, logkey.Err, err)
		delete(s.records, e.Key)
		return
	}

	s.records[e.Key] = record{version: e.Version, value: value}
	delete(s.gone, e.Key)
}

// forget drops what is remembered of removals whose news have come. The caller holds the lock.
func (s *Store) forget(version int64) {
	for key, v := range s.gone {
		if v <= version {
			delete(s.gone, key)
		}
	}
}

// renew writes stale entries anew, which encrypts them with the current key.
func (s *Store) renew(ctx context.Context, entries []Entry) {
	for _, e := range entries {
		if !e.Stale {
			continue
		}
		if _, err := s.kv.Put(ctx, e.Key, e.Value, e.Version); err != nil && !errors.Is(err, ErrConflict) {
			s.log.WarnContext(ctx, "Encrypting a record of identity anew failed", logkey.Object, e.Key, logkey.Err, err)
		}
	}
}

// look returns a record as this server knows it.
func look[T any](s *Store, key string) (value T, version int64, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, found := s.records[key]
	value, ok = r.value.(T)

	return value, r.version, found && ok
}

// fetch reads a record as it is now, or fails with ErrNotFound.
func fetch[T any](ctx context.Context, s *Store, key string) (value T, version int64, err error) {
	e, err := s.kv.Get(ctx, key)
	if err != nil {
		return value, 0, err
	}
	s.mu.Lock()
	s.apply(e)
	s.mu.Unlock()

	decoded, err := decode(e)
	if err != nil {
		return value, 0, fmt.Errorf("read record %q: %w", key, err)
	}
	value, ok := decoded.(T)
	if !ok {
		return value, 0, fmt.Errorf("read record %q: it is a %T", key, decoded)
	}

	return value, e.Version, nil
}

// put writes a record; this server knows it at once. version is what it replaces; 0 for none.
func (s *Store) put(ctx context.Context, key string, value any, version int64) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode record %q: %w", key, err)
	}
	v, err := s.kv.Put(ctx, key, raw, version)
	if err != nil {
		return fmt.Errorf("write record %q: %w", key, err)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(Entry{Key: key, Value: raw, Version: v})

	return nil
}

// remove removes a record whatever its version; this server knows at once. What is gone already is no error.
func (s *Store) remove(ctx context.Context, key string) error {
	for {
		e, err := s.kv.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			s.drop(key)
			return nil
		}
		if err != nil {
			return fmt.Errorf("remove record %q: %w", key, err)
		}
		v, err := s.kv.Delete(ctx, key, e.Version)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("remove record %q: %w", key, err)
		}

		s.changedHere(key, v)
		return nil
	}
}

func (s *Store) changedHere(key string, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(Entry{Key: key, Version: version})
}

// drop forgets a record that is gone from the store. Which change removed it is not known, so whatever this server has
// of it is taken for older.
func (s *Store) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[key]; ok {
		delete(s.records, key)
		s.gone[key] = r.version
	}
}

// all goes through the records of one type as this server knows them.
func all[T any](s *Store) iter.Seq2[string, T] {
	s.mu.RLock()
	found := map[string]T{}
	for key, r := range s.records {
		if value, ok := r.value.(T); ok {
			found[key] = value
		}
	}
	s.mu.RUnlock()

	return func(yield func(string, T) bool) {
		for key, value := range found {
			if !yield(key, value) {
				return
			}
		}
	}
}
