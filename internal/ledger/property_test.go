package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// long tells whether there is time for the large sizes.
func long() bool { return os.Getenv("DOGKER_LONG") != "" }

// walk is one run of the real ledger and the model side by side.
type walk struct {
	model  *model
	ledger *Ledger
	plain  *Ledger
	term   book.Term
	tenant string
	now    time.Time
}

// flaky loses one call in so many, before or after it is done, at most two in a row.
func flaky(client KV, seed uint64, oneIn int) *faulty {
	r, lost := rand.New(rand.NewPCG(seed, 0)), 0
	return &faulty{KV: client, script: func(int) fault {
		if lost == 2 || r.IntN(oneIn) > 0 {
			lost = 0
			return passes
		}
		lost++
		return []fault{unsent, unanswered}[r.IntN(2)]
	}}
}

func newWalk(t rapid.TB, client *clientv3.Client, faults uint64) *walk {
	w := &walk{model: newModel(), tenant: newTenant(), now: start}
	w.ledger = New(flaky(client, faults, 12), func() time.Time { return w.now })
	w.ledger.lostPause = time.Millisecond
	w.plain = New(client, func() time.Time { return w.now })
	var err error
	if w.term, err = w.plain.Claim(context.Background(), "walk"); err != nil {
		t.Fatal(err)
	}

	return w
}

// op draws an operation. Few names, so that they meet again; times that are right, mostly.
func (w *walk) op(t *rapid.T) book.Op {
	name := func(label, names string) string { return string(rapid.SampledFrom([]byte(names)).Draw(t, label)) }
	amount := func() money.Micro {
		return money.Micro(rapid.OneOf(rapid.Int64Range(1, 200), rapid.Int64Range(1, 200_000_000)).Draw(t, "amount"))
	}
	floor := -money.Micro(rapid.Int64Range(0, 20_000_000).Draw(t, "floor"))
	from := w.model.cursor + 1
	if w.model.cursor == 0 {
		from = firstWindow
	}
	from += rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 0, 1, -1}).Draw(t, "shift")

	switch rapid.SampledFrom([]string{
		"charge", "charge", "charge", "charge", "topup", "grant", "hold", "post", "void", "reversal", "chargeback", "adjust", "writeoff", "expire", "skip", "settle",
	}).Draw(t, "op") {
	case "topup":
		return book.TopUp{Order: name("order", "opqr"), Transaction: "t", Amount: amount()}
	case "grant":
		lot := book.Lot{ID: name("lot", "abcd"), Left: amount(), Meter: rapid.SampledFrom([]money.Meter{"", "", money.CPU, money.Storage}).Draw(t, "meter")}
		if hours := rapid.Int64Range(0, 2).Draw(t, "hours"); hours > 0 {
			lot.Expires = (w.now.Unix()/book.HourSeconds + hours) * book.HourSeconds
		}
		return book.Grant{ID: "grant:" + lot.ID + name("again", "123"), Lot: lot}
	case "hold":
		return book.RefundHold{Refund: name("refund", "xyz"), Order: name("order", "opqr"), Amount: amount()}
	case "post":
		return book.RefundPost{Refund: name("refund", "xyz")}
	case "void":
		return book.RefundVoid{Refund: name("refund", "xyz")}
	case "reversal":
		return book.Reversal{Order: name("order", "opqr"), Transaction: "t", Amount: amount()}
	case "chargeback":
		a := amount()
		return book.Chargeback{Order: name("order", "opqr"), Cumulative: a, Amount: a}
	case "adjust":
		return book.Adjust{ID: name("id", "1234567"), Amount: amount() - 100_000_000, Actor: "ada", Reason: "x"}
	case "writeoff":
		return book.WriteOff{ID: name("id", "1234567"), Actor: "ada", Reason: "x"}
	case "expire":
		return book.Expire{Lot: name("lot", "abcd")}
	case "settle":
		return book.Settle{Floor: floor}
	case "skip":
		return book.Skip{From: from, Through: from + rapid.Int64Range(0, 90).Draw(t, "windows"), Reason: "x", Floor: floor}
	default:
		return w.charge(t, from, floor)
	}
}

func (w *walk) charge(t *rapid.T, from int64, floor money.Micro) book.Op {
	since := from + rapid.SampledFrom([]int64{0, 0, 0, 0, 20, 100}).Draw(t, "idle")
	hour, last := book.FirstOfHour(book.HourOf(since)), book.FirstOfHour(book.HourOf(since)+1)-1
	c := book.Charge{
		From: from, Since: since, Through: rapid.Int64Range(since, last).Draw(t, "through"), Floor: floor,
		Begin:  rapid.SampledFrom([]int64{0, hour - 30, hour}).Draw(t, "begin"),
		Settle: rapid.IntRange(0, 3).Draw(t, "settle") == 0, PriceList: rapid.SampledFrom([]string{"p1", "p1", "p1", "p2"}).Draw(t, "prices"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		c.Lines = append(c.Lines, book.Line{
			Workload: rapid.SampledFrom([]string{"web", "db"}).Draw(t, "workload"),
			Meter:    rapid.SampledFrom([]money.Meter{money.CPU, money.Storage, money.Replica}).Draw(t, "meter"),
			Quantity: rapid.Int64Range(0, 3).Draw(t, "tasks") * 333_333_333,
			Seconds:  rapid.Int64Range(0, 60*(c.Through-c.From+1)).Draw(t, "seconds"),
			Price:    money.Micro(rapid.Int64Range(0, 1000).Draw(t, "price")),
		})
		if l := &c.Lines[len(c.Lines)-1]; l.Meter == money.CPU {
			l.Price *= 100_000
		}
	}
	if c.Free = w.model.free(c.From, c.Through); c.Free == c.Through {
		c.Lines = slices.DeleteFunc(c.Lines, func(l book.Line) bool { return l.Meter != money.Storage })
	}

	return c
}

// step does one thing, some time after the last window that was charged.
func (w *walk) step(t *rapid.T) {
	op := w.op(t)
	if w.model.cursor != 0 {
		w.now = time.Unix(book.WindowEnd(w.model.cursor)+rapid.Int64Range(0, 120).Draw(t, "late"), 0)
	}
	w.do(t, op)
}

// do does it on both sides and compares.
func (w *walk) do(t rapid.TB, op book.Op) {
	w.model.now = w.now.Unix()
	want := w.model.do(op)
	request := book.Request{Tenant: w.tenant, Op: op, Term: w.term, Decide: stopping}
	_, err := w.ledger.Do(context.Background(), request)
	for errors.Is(err, errLost) { // nobody knows, or nothing could be read: whoever asks, asks again
		_, err = w.ledger.Do(context.Background(), request)
	}
	if (want == nil) != (err == nil) || !errors.Is(err, want) {
		t.Fatalf("%+v\ngives %v, the model says %v", op, err, want)
	}
	w.compare(t, op)
}

func (w *walk) compare(t rapid.TB, op book.Op) {
	h, err := w.plain.Head(context.Background(), w.tenant)
	if err != nil {
		t.Fatal(err)
	}
	m := w.model
	got := fmt.Sprint(h.Paid, h.Promo(), h.Held(), h.AccruedTotal(), h.ChargedThrough, h.Seq, len(h.Lots), len(h.Holds), h.Available(), h.Stopped, h.FreeThrough)
	want := fmt.Sprint(m.paid, m.promo(), m.held(), m.owed(), m.cursor, m.entries, len(m.lots), len(m.holds), m.paid+m.promo()-m.owed(), m.stopped, m.freeThrough)
	if got != want {
		t.Fatalf("after %T %+v\npaid promo held accrued cursor seq lots holds available stopped free\n%s\nthe model says\n%s", op, op, got, want)
	}
	for _, l := range m.lots {
		if have, ok := h.Lot(l.ID); !ok || have.Left != l.Left {
			t.Fatalf("after %T %+v\nlot %+v, the model says %+v", op, op, have, l)
		}
	}
}

// finish checks what holds of every ledger at the end.
func (w *walk) finish(t *rapid.T) {
	ctx := context.Background()
	if _, err := w.plain.Verify(ctx, w.tenant); err != nil {
		t.Fatal(err)
	}
	var charged, waived money.Micro
	for item, err := range w.plain.Items(ctx, w.tenant, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Entry.Type == book.TypeUsage {
			charged -= item.Entry.Amount
		}
		waived += item.Entry.Waived
	}
	var metered money.Micro
	for _, c := range w.model.counted {
		metered += c
	}
	// Invariant 10: charged + waived = metered, but for what is not settled yet.
	if charged != w.model.charged || waived != w.model.waived || charged+waived+w.model.owed() != metered {
		t.Fatalf("%s charged and %s waived, the model says %s and %s of %s metered", charged, waived, w.model.charged, w.model.waived, metered)
	}
	w.statements(t, w.plain)
}

// statements (invariant 18): one closes with what the next opens with, the last with the balance; two exports are the same.
func (w *walk) statements(t *rapid.T, l *Ledger) {
	ctx := context.Background()
	h, err := l.Head(ctx, w.tenant)
	if err != nil {
		t.Fatal(err)
	}
	var closing money.Micro
	from, end := start.Add(-time.Hour).Unix(), w.now.Add(100*time.Hour).Unix()
	for from < end {
		to := min(end, from+rapid.Int64Range(20, 400).Draw(t, "span")*1800)
		s, err := book.Summarize(w.tenant, 0, l.Items(ctx, w.tenant, 0), from, to)
		if err != nil {
			t.Fatal(err)
		}
		if s.Opening != closing {
			t.Fatalf("a statement opens with %s, the one before closes with %s", s.Opening, closing)
		}
		rows := csvOf(t, l, w.tenant, from, to)
		if !bytes.Equal(rows, csvOf(t, l, w.tenant, from, to)) {
			t.Fatal("two exports differ")
		}
		if sum := sumOfCSV(t, rows); s.Opening+sum != s.Closing {
			t.Fatalf("a statement opens with %s and closes with %s, its rows add up to %s", s.Opening, s.Closing, sum)
		}
		closing, from = s.Closing, to
	}
	if closing != h.Balance() {
		t.Fatalf("the last statement closes with %s, the balance is %s", closing, h.Balance())
	}
}

// TestAgainstTheModel (invariants 1 to 6, 10, 11, 13, 15 and 18): whatever is asked for, in whatever order, over a connection
// that loses calls before and after they are done, the ledger does what the model says.
func TestAgainstTheModel(t *testing.T) {
	client := openStore(t)
	steps := 20
	if long() {
		steps = 120
	}
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t, client, rapid.Uint64().Draw(t, "faults"))
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			w.step(t)
		}
		w.finish(t)
	})
}

// TestAskedAgain has walks that chance takes once in a long while.
func TestAskedAgain(t *testing.T) {
	nothing := charge(0, 1)
	grant := book.Grant{ID: "grant:a", Lot: book.Lot{ID: "a", Left: rupiah(20), Meter: money.Storage}}
	cases := map[string]struct {
		reason string
		ops    []book.Op
	}{
		"ChargeOfNothing": {
			reason: "Also a window in which nothing was used is charged once, and the charge may be asked for again.",
			ops:    []book.Op{nothing, nothing},
		},
		"GrantAfterAStop": {
			reason: "What is owed beyond the floor is waived, and so who has credit for volumes alone is above zero when he is stopped. " +
				"A grant that was made before changes nothing and starts nothing; the next thing that happens does.",
			ops: []book.Op{grant, charge(0, 1, cpu("web", 60, 1800)), grant, book.Settle{}},
		},
	}
	client := openStore(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Log(tc.reason)
			w := newWalk(t, client, 0)
			for _, op := range tc.ops {
				w.do(t, op)
			}
		})
	}
}
