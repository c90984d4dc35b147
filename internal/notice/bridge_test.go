package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/book"
)

var errBoom = errors.New("boom")

// books is the outbox of a ledger in memory.
type books struct {
	pending     []ledger.Pending
	written     int64
	read, taken error
}

func (b *books) Outbox(_ context.Context, after int64, limit int) ([]ledger.Pending, error) {
	out := slices.DeleteFunc(slices.Clone(b.pending), func(p ledger.Pending) bool { return p.Revision <= after })

	return out[:min(limit, len(out))], b.read
}

func (b *books) Delivered(_ context.Context, p ledger.Pending) error {
	if b.taken != nil {
		return b.taken
	}
	b.pending = slices.DeleteFunc(b.pending, func(o ledger.Pending) bool { return o.Tenant == p.Tenant && o.ID == p.ID })

	return nil
}

// put puts a notice in. Two at a time come out of one transaction.
func (b *books) put(tenant, id string) {
	n := b.written
	b.written++
	b.pending = append(b.pending, ledger.Pending{Revision: 100 + n/2, Notice: book.Notice{
		Tenant: tenant, ID: id, Kind: "LowBalance", Time: start.Add(time.Duration(n) * time.Second).Unix(), Seq: n,
	}})
}

// room is a Bridge with all that it works with.
type room struct {
	*Bridge
	books
	recorded  []string
	put       map[string]int
	refuses   string
	receivers []alert.ReceiverRef
	unknown   error
}

func newRoom() *room {
	r := &room{put: map[string]int{}, receivers: []alert.ReceiverRef{{}, {Namespace: "acme", Name: "chat"}}}
	r.Bridge = NewBridge(Options{
		Ledger: &r.books, Outbox: r,
		Record:    func(_ context.Context, p ledger.Pending) { r.recorded = append(r.recorded, p.ID) },
		Receivers: func(context.Context, string) ([]alert.ReceiverRef, error) { return r.receivers, r.unknown },
	})

	return r
}

// Put implements alert.Outbox.
func (r *room) Put(_ context.Context, n alert.Notification) error {
	if n.Incidents[0].Labels[LabelNotice] == r.refuses {
		return errBoom
	}
	r.put[fmt.Sprintf("%s to %s", n.Incidents[0].Labels[LabelNotice], n.Receiver.Name)]++

	return nil
}

// TestPassOn: each notice goes to all who are told, has one Event, and leaves the ledger.
func TestPassOn(t *testing.T) {
	r := newRoom()
	r.books.put("acme", "first")
	r.books.put("acme", "second")
	if wait := r.round(t.Context()); wait != poll || len(r.pending) > 0 {
		t.Errorf("it looks again in %s, and in the ledger are %v", wait, r.pending)
	}
	want := map[string]int{"first to ": 1, "first to chat": 1, "second to ": 1, "second to chat": 1}
	if diff := cmp.Diff(want, r.put); diff != "" {
		t.Errorf("passed on (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"first", "second"}, r.recorded); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}
}

// TestNobodyIsTold: an Event is all there is then, and nothing waits.
func TestNobodyIsTold(t *testing.T) {
	r := newRoom()
	r.receivers = nil
	r.books.put("acme", "a")
	if r.round(t.Context()); len(r.put) > 0 || len(r.pending) > 0 || len(r.recorded) != 1 {
		t.Errorf("passed on %v, in the ledger %v, Events %v", r.put, r.pending, r.recorded)
	}
}

// TestFailures: what cannot be passed on stays in the ledger and keeps nothing else; what is passed on again has the same ID;
// and whatever happens, each has one Event.
func TestFailures(t *testing.T) {
	cases := map[string]struct {
		reason string
		breaks func(*room)
		mended func(*room)
		left   int
	}{
		"Refused":   {"One that is not taken keeps no other.", func(r *room) { r.refuses = "a" }, func(r *room) { r.refuses = "" }, 1},
		"Lost":      {"What may be in the outbox twice is there once, by its ID.", func(r *room) { r.taken = errBoom }, func(r *room) { r.taken = nil }, 2},
		"Unknown":   {"As long as it is not known who is told, nobody is.", func(r *room) { r.unknown = errBoom }, func(r *room) { r.unknown = nil }, 2},
		"StoreDown": {"What cannot be read is not gone.", func(r *room) { r.read = errBoom }, func(r *room) { r.read = nil }, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRoom()
			r.books.put("acme", "a")
			r.books.put("acme", "b")
			tc.breaks(r)
			first, second := r.round(t.Context()), r.round(t.Context())
			if len(r.pending) != tc.left || first != firstPause || second != 2*firstPause {
				t.Errorf("%s\nin the ledger are %v; it looks again in %s, then in %s", tc.reason, r.pending, first, second)
			}
			tc.mended(r)
			if wait := r.round(t.Context()); len(r.pending) > 0 || wait != poll {
				t.Errorf("%s\nin the end there are %v, and it looks again in %s", tc.reason, r.pending, wait)
			}
			if diff := cmp.Diff([]string{"a", "b"}, r.recorded); diff != "" {
				t.Errorf("%s\nEvents (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestMany: however many there are, all are passed on in one look.
func TestMany(t *testing.T) {
	r := newRoom()
	r.written = 1 // The first is alone, so that batches end in the middle of a transaction.
	for i := range 2*batch + 1 {
		r.books.put("acme", fmt.Sprint(i))
	}
	if r.round(t.Context()); len(r.pending) > 0 || len(r.put) != 2*(2*batch+1) || len(r.recorded) != 2*batch+1 {
		t.Errorf("%d are left, %d were passed on, of %d there is an Event", len(r.pending), len(r.put), len(r.recorded))
	}
}

// TestWake: what is new is passed on at once.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Start(ctx) }()
		synctest.Wait()
		r.books.put("acme", "a")
		r.Wake("acme")
		time.Sleep(time.Second)
		synctest.Wait()
		if len(r.pending) > 0 {
			t.Errorf("after a second there are %v", r.pending)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestNotification: who is told of what decides the ID, and nothing else.
func TestNotification(t *testing.T) {
	n := book.Notice{Tenant: "acme", ID: "PaymentReceived:7", Kind: "PaymentReceived", Time: start.Unix(), Seq: 7, Data: map[string]string{"amount": "1"}}
	chat, mail := alert.ReceiverRef{Namespace: "acme", Name: "chat"}, alert.ReceiverRef{Namespace: "acme"}
	ids := map[string]bool{}
	for _, id := range []string{
		Notification(n, chat).ID, Notification(n, chat).ID, Notification(n, mail).ID, Notification(n, alert.ReceiverRef{}).ID,
	} {
		ids[id] = true
	}
	if len(ids) != 3 {
		t.Errorf("the IDs are %v", ids)
	}
	got := Notification(n, chat)
	if got.Severity != alert.SeverityInfo || got.Status != alert.StatusInformed || got.Topic != alert.TopicBilling || got.Tenant != "acme" {
		t.Errorf("%+v", got)
	}
}
