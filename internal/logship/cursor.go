package logship

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	prefix = "/dogker/logship/"
	// callTimeout is how long the store of cursors may take.
	callTimeout = 5 * time.Second
	// maxOps is how many writes etcd takes at a time by default, and some less, and maxText how many bytes of values: a third
	// of it.
	maxOps  = 100
	maxText = 512 << 10
	// slack is by how much a line may come after one of the other stream that has a later time: engines take the time of a line
	// before they write it down.
	slack = 5 * time.Second
	// maxSame is how many lines of one nanosecond are told apart.
	maxSame = 1000
)

// Position is a line of one stream of a task: everything up to it is done.
type Position struct {
	Time time.Time `json:"time,omitzero"`
	// Lines of that nanosecond that are done, as hashes.
	Lines []uint64 `json:"lines,omitempty"`
}

// Cursor is how far the log of a task is shipped.
type Cursor struct {
	Stdout Position `json:"stdout,omitzero"`
	Stderr Position `json:"stderr,omitzero"`
	// Ended is true when there is no more to read.
	Ended bool `json:"ended,omitempty"`
}

func (c *Cursor) of(s stream) *Position {
	if s == stderr {
		return &c.Stderr
	}

	return &c.Stdout
}

func (c *Cursor) clone() Cursor {
	out := *c
	out.Stdout.Lines, out.Stderr.Lines = slices.Clone(c.Stdout.Lines), slices.Clone(c.Stderr.Lines)

	return out
}

// since is the time from which a log is to be read again. A stream that has been silent does not hold the other one up.
func (c *Cursor) since() time.Time {
	older, newer := c.Stdout.Time, c.Stderr.Time
	if newer.Before(older) {
		older, newer = newer, older
	}
	if newer.IsZero() {
		return time.Time{}
	}
	if limit := newer.Add(-slack); older.Before(limit) {
		return limit
	}

	return older
}

// advance moves a position on to a line, and returns how many like it there were before. The line may be older than those
// before it, when a clock was put back.
func (p *Position) advance(at time.Time, hash uint64) (ordinal int) {
	if !at.Equal(p.Time) {
		*p = Position{Time: at, Lines: p.Lines[:0]}
	}
	for _, h := range p.Lines {
		if h == hash {
			ordinal++
		}
	}
	if len(p.Lines) < maxSame {
		p.Lines = append(p.Lines, hash)
	}

	return ordinal
}

// resume tells of the lines of a log that is read again which of them are done.
type resume struct {
	from Cursor
	past [streams]bool
}

func (r *resume) done(s stream, at time.Time, hash uint64) bool {
	p := r.from.of(s)
	switch {
	case r.past[s]:
		return false
	case at.Before(p.Time):
		return true
	case at.Equal(p.Time):
		i := slices.Index(p.Lines, hash)
		if i < 0 {
			return false
		}
		p.Lines = slices.Delete(p.Lines, i, i+1)
		return true
	default:
		r.past[s] = true
		return false
	}
}

// Cursors keeps cursors, by the ID of the task.
type Cursors interface {
	// Load is all there are.
	Load(ctx context.Context) (map[string]Cursor, error)
	// Save writes cursors over those before, by the ID of the task.
	Save(ctx context.Context, cursors map[string]Cursor) error
	// Delete removes those of tasks; it is no error when there are none.
	Delete(ctx context.Context, tasks []string) error
}

// Etcd keeps cursors in an etcd.
type Etcd struct{ Client *clientv3.Client }

var _ Cursors = Etcd{}

// Load implements Cursors. What cannot be read is as if it were not there: its task is shipped from its beginning.
func (e Etcd) Load(ctx context.Context) (map[string]Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	got, err := e.Client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("read cursors of logs: %w", err)
	}
	out := make(map[string]Cursor, len(got.Kvs))
	for _, kv := range got.Kvs {
		var c Cursor
		if err := json.Unmarshal(kv.Value, &c); err != nil {
			c = Cursor{}
		}
		out[strings.TrimPrefix(string(kv.Key), prefix)] = c
	}

	return out, nil
}

// Save implements Cursors.
func (e Etcd) Save(ctx context.Context, cursors map[string]Cursor) error {
	ops := make([]clientv3.Op, 0, len(cursors))
	for task, c := range cursors {
		value, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("write cursor of task %q: %w", task, err)
		}
		ops = append(ops, clientv3.OpPut(prefix+task, string(value)))
	}
	if err := e.do(ctx, ops); err != nil {
		return fmt.Errorf("write cursors of logs: %w", err)
	}

	return nil
}

// Delete implements Cursors.
func (e Etcd) Delete(ctx context.Context, tasks []string) error {
	ops := make([]clientv3.Op, 0, len(tasks))
	for _, task := range tasks {
		ops = append(ops, clientv3.OpDelete(prefix+task))
	}
	if err := e.do(ctx, ops); err != nil {
		return fmt.Errorf("delete cursors of logs: %w", err)
	}

	return nil
}

// do writes many keys at a time: each write waits for a disk.
func (e Etcd) do(ctx context.Context, ops []clientv3.Op) error {
	for len(ops) > 0 {
		n := 1
		for size := len(ops[0].ValueBytes()); n < min(len(ops), maxOps); n++ {
			if size += len(ops[n].ValueBytes()); size > maxText {
				break
			}
		}
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		_, err := e.Client.Txn(ctx).Then(ops[:n]...).Commit()
		cancel()
		if err != nil {
			return err
		}
		ops = ops[n:]
	}

	return nil
}
