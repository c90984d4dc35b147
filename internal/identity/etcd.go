package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	storagevalue "k8s.io/apiserver/pkg/storage/value"

	"github.com/dogker/dogker/reconciler/logkey"
)

// prefix lies outside the prefix of the API's objects, so that no request to the API can read what is below it.
const prefix = "/dogker/identity/"

const (
	// pageSize is how many records are read at a time.
	pageSize = 1000
	// callTimeout is how long one call may take. Somebody waits for each.
	callTimeout = 5 * time.Second
)

// Etcd is a KV below a prefix of etcd. Values are encrypted.
type Etcd struct {
	client  *clientv3.Client
	encrypt storagevalue.Transformer
	log     *slog.Logger
}

var _ KV = (*Etcd)(nil)

// NewEtcd makes a KV of an etcd.
func NewEtcd(client *clientv3.Client, encrypt storagevalue.Transformer, log *slog.Logger) *Etcd {
	return &Etcd{client: client, encrypt: encrypt, log: log}
}

// List implements KV. A record that no key opens is left out and said so: it is one person's trouble and must not become
// everybody's.
func (e *Etcd) List(ctx context.Context) ([]Entry, int64, error) {
	var entries []Entry
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	var version int64

	for {
		options := []clientv3.OpOption{clientv3.WithRange(end), clientv3.WithLimit(pageSize)}
		if version > 0 {
			options = append(options, clientv3.WithRev(version))
		}
		got, err := e.read(ctx, from, options...)
		if err != nil {
			return nil, 0, fmt.Errorf("list %q: %w", prefix, err)
		}
		if version == 0 {
			version = got.Header.Revision
		}
		for _, kv := range got.Kvs {
			if entry, err := e.open(ctx, string(kv.Key), kv.Value, kv.ModRevision); err != nil {
				e.log.ErrorContext(ctx, "A record of identity cannot be decrypted and is left out", logkey.Object, string(kv.Key), logkey.Err, err)
			} else {
				entries = append(entries, entry)
			}
		}
		if !got.More {
			return entries, version, nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

func (e *Etcd) read(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	return e.client.Get(ctx, key, options...)
}

func (e *Etcd) open(ctx context.Context, key string, sealed []byte, version int64) (Entry, error) {
	value, stale, err := e.encrypt.TransformFromStorage(ctx, sealed, storagevalue.DefaultContext(key))
	if err != nil {
		return Entry{}, fmt.Errorf("decrypt: %w", err)
	}

	return Entry{Key: strings.TrimPrefix(key, prefix), Value: value, Version: version, Stale: stale}, nil
}

// Get implements KV.
func (e *Etcd) Get(ctx context.Context, key string) (Entry, error) {
	got, err := e.read(ctx, prefix+key)
	if err != nil {
		return Entry{}, fmt.Errorf("get %q: %w", key, err)
	}
	if len(got.Kvs) == 0 {
		return Entry{}, ErrNotFound
	}

	return e.open(ctx, prefix+key, got.Kvs[0].Value, got.Kvs[0].ModRevision)
}

// Put implements KV.
func (e *Etcd) Put(ctx context.Context, key string, value []byte, version int64) (int64, error) {
	sealed, err := e.encrypt.TransformToStorage(ctx, value, storagevalue.DefaultContext(prefix+key))
	if err != nil {
		return 0, fmt.Errorf("encrypt %q: %w", key, err)
	}

	return e.commit(ctx, key, version, clientv3.OpPut(prefix+key, string(sealed)))
}

// Delete implements KV.
func (e *Etcd) Delete(ctx context.Context, key string, version int64) (int64, error) {
	return e.commit(ctx, key, version, clientv3.OpDelete(prefix+key))
}

func (e *Etcd) commit(ctx context.Context, key string, version int64, op clientv3.Op) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	got, err := e.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(prefix+key), "=", version)).
		Then(op).
		Commit()
	if err != nil {
		return 0, fmt.Errorf("write %q: %w", key, err)
	}
	if !got.Succeeded {
		return 0, ErrConflict
	}

	return got.Header.Revision, nil
}

// Watch implements KV. It ends when etcd has lost its leader, because what it then does not say may have happened.
func (e *Etcd) Watch(ctx context.Context, version int64, changed func([]Entry)) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()

	for got := range e.client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(version+1)) {
		if err := got.Err(); err != nil {
			return fmt.Errorf("watch %q: %w", prefix, err)
		}
		var entries []Entry
		for _, event := range got.Events {
			key := string(event.Kv.Key)
			if event.Type == clientv3.EventTypeDelete {
				entries = append(entries, Entry{Key: strings.TrimPrefix(key, prefix), Version: event.Kv.ModRevision})
				continue
			}
			entry, err := e.open(ctx, key, event.Kv.Value, event.Kv.ModRevision)
			if err != nil {
				// What cannot be read must not leave what it replaced in force.
				e.log.ErrorContext(ctx, "A record of identity cannot be decrypted and is left out", logkey.Object, key, logkey.Err, err)
				entry = Entry{Key: strings.TrimPrefix(key, prefix), Version: event.Kv.ModRevision}
			}
			entries = append(entries, entry)
		}
		changed(entries)
	}

	return errors.Join(errors.New("watch ended"), ctx.Err())
}
