package rig

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Put is how long the key and the value are that a transaction puts, and whether the key was new to the recorder.
type Put struct {
	Key, Value int
	New        bool
}

// Recorder is a client of an etcd that notes, between Start and Stop, what its transactions put. Otherwise it costs nothing.
type Recorder struct {
	clientv3.KV

	on    atomic.Bool
	mu    sync.Mutex
	seen  map[string]bool
	noted [][]Put
}

// Recorder makes one. It shares its connection with Write.
func (e *Etcd) Recorder() *Recorder {
	return &Recorder{KV: e.clients[0], seen: map[string]bool{}}
}

// Start begins to note.
func (r *Recorder) Start() { r.on.Store(true) }

// Stop returns what was put by each transaction since Start, in the order in which they were made.
func (r *Recorder) Stop() [][]Put {
	r.on.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	noted := r.noted
	r.noted = nil

	return noted
}

// Txn begins a transaction.
func (r *Recorder) Txn(ctx context.Context) clientv3.Txn {
	txn := r.KV.Txn(ctx)
	if r.on.Load() {
		return &notedTxn{Txn: txn, recorder: r}
	}

	return txn
}

// note notes a transaction that puts something.
func (r *Recorder) note(ops []clientv3.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()

	var puts []Put
	for _, op := range ops {
		if !op.IsPut() {
			continue
		}
		key := string(op.KeyBytes())
		puts = append(puts, Put{Key: len(key), Value: len(op.ValueBytes()), New: !r.seen[key]})
		r.seen[key] = true
	}
	if len(puts) > 0 {
		r.noted = append(r.noted, puts)
	}
}

// notedTxn is a transaction whose writes are noted.
type notedTxn struct {
	clientv3.Txn

	recorder *Recorder
}

// If takes the conditions.
func (t *notedTxn) If(conditions ...clientv3.Cmp) clientv3.Txn {
	t.Txn = t.Txn.If(conditions...)

	return t
}

// Then takes what is done when they hold.
func (t *notedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.recorder.note(ops)
	t.Txn = t.Txn.Then(ops...)

	return t
}

// Else takes what is done when they do not.
func (t *notedTxn) Else(ops ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Else(ops...)

	return t
}

// Write makes a transaction as Recorder has noted it, below the prefix, under one condition, which holds. Keys that were new
// are new for each number; the others are replaced.
func (e *Etcd) Write(ctx context.Context, prefix string, number int64, puts []Put) error {
	ops := make([]clientv3.Op, len(puts))
	for i, put := range puts {
		key := fmt.Sprintf("%s/%d", prefix, i)
		if put.New {
			key += fmt.Sprintf("/%d", number)
		}
		key += strings.Repeat("x", max(0, put.Key-len(key)))
		ops[i] = clientv3.OpPut(key, strings.Repeat("v", put.Value))
	}

	got, err := e.clients[0].Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(prefix), "=", 0)).Then(ops...).Commit()
	if err != nil {
		return fmt.Errorf("write transaction %d below %q: %w", number, prefix, err)
	}
	if !got.Succeeded {
		return fmt.Errorf("write transaction %d below %q: there is a key of that name", number, prefix)
	}

	return nil
}
