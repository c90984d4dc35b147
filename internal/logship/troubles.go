package logship

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// What there can be trouble with.
const (
	troubleStore   = "store"
	troubleNode    = "node"
	troubleCursors = "cursors"
)

// begins and ends are what is said of it.
var begins = map[string]string{
	troubleStore:   "Logs cannot be shipped now; they wait",
	troubleNode:    "Logs of a node cannot be read now; they wait there",
	troubleCursors: "How far logs are shipped cannot be kept now; some may be sent again",
}

var ends = map[string]string{
	troubleStore:   "Logs are shipped again",
	troubleNode:    "Logs of the node are read again",
	troubleCursors: "How far logs are shipped is kept again",
}

// troubles says each trouble once, when it begins, becomes another one, or ends.
type troubles struct {
	log *slog.Logger
	url string

	mu  sync.Mutex
	now map[[2]string]string
}

func newTroubles(log *slog.Logger, url string) *troubles {
	return &troubles{log: log, url: url, now: map[[2]string]string{}}
}

// say says that there is trouble. detail is said with it, and may change without being said again.
func (t *troubles) say(ctx context.Context, with, node, what, detail string) {
	t.mu.Lock()
	known := t.now[[2]string{with, node}]
	t.now[[2]string{with, node}] = what
	t.mu.Unlock()
	if known != what {
		t.log.WarnContext(ctx, begins[with], append(t.about(with, node), logkey.Reason, what, logkey.Err, detail)...)
	}
}

// over says that there is none any more.
func (t *troubles) over(ctx context.Context, with, node string) {
	t.mu.Lock()
	_, was := t.now[[2]string{with, node}]
	delete(t.now, [2]string{with, node})
	t.mu.Unlock()
	if was {
		t.log.InfoContext(ctx, ends[with], t.about(with, node)...)
	}
}

func (t *troubles) about(with, node string) []any {
	switch with {
	case troubleStore:
		return []any{logkey.URL, t.url}
	case troubleNode:
		return []any{logkey.Node, node}
	default:
		return nil
	}
}

// cursors tells how reading or writing cursors went.
func (t *troubles) cursors(ctx context.Context, err error) {
	if err == nil {
		t.over(ctx, troubleCursors, "")
		return
	}
	t.say(ctx, troubleCursors, "", "etcd does not take them", err.Error())
}

// read tells that reading a log on a node has failed, if it has. That one is gone, or broke off, says nothing about its node.
func (t *troubles) read(ctx context.Context, node string, err error) {
	switch {
	case errors.Is(err, swarmobj.ErrUnavailable):
		t.say(ctx, troubleNode, node, "neither its agent nor a manager reads them", err.Error())
	case errors.Is(err, swarmobj.ErrRefused), errors.Is(err, errEngine):
		t.say(ctx, troubleNode, node, "it refuses to read them", err.Error())
	case err == nil, errors.Is(err, swarmobj.ErrNotFound), errors.Is(err, errSilent), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		t.say(ctx, troubleNode, node, "reading them fails", err.Error())
	}
}
