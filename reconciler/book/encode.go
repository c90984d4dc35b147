package book

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/dogker/dogker/reconciler/money"
)

// encoder writes JSON as encoding/json writes it, to the byte. Heads, records and entries are written with every operation of
// every tenant; by reflection that took half of what charging a minute costs before anything is stored. Reading, which is
// rare, is left to encoding/json, and tests hold the two against each other.
//
// The methods that begin with "some" leave out what is empty, as omitempty does.
type encoder struct{ out []byte }

func newEncoder(size int) *encoder { return &encoder{out: make([]byte, 0, size)} }

func (w *encoder) open(bracket byte) { w.out = append(w.out, bracket) }

func (w *encoder) close(bracket byte) { w.out = append(w.out, bracket) }

// next divides what follows from what came before, unless it is the first in its brackets.
func (w *encoder) next() {
	if last := w.out[len(w.out)-1]; last != '{' && last != '[' {
		w.out = append(w.out, ',')
	}
}

// name begins a field. Names are ours, and need no escapes.
func (w *encoder) name(name string) {
	w.next()
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *encoder) text(name, value string) {
	w.name(name)
	w.quote(value)
}

func (w *encoder) someText(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *encoder) number(name string, value int64) {
	w.name(name)
	w.out = strconv.AppendInt(w.out, value, 10)
}

func (w *encoder) someNumber(name string, value int64) {
	if value != 0 {
		w.number(name, value)
	}
}

func (w *encoder) amount(name string, value money.Micro) {
	w.name(name)
	w.money(value)
}

func (w *encoder) someAmount(name string, value money.Micro) {
	if value != 0 {
		w.amount(name, value)
	}
}

func (w *encoder) someTrue(name string, value bool) {
	if value {
		w.name(name)
		w.out = append(w.out, "true"...)
	}
}

func (w *encoder) money(value money.Micro) {
	w.out = append(w.out, '"')
	w.out, _ = value.AppendText(w.out) // It never fails.
	w.out = append(w.out, '"')
}

// quote writes a text. One with anything that may need an escape is left to those who know all of them.
func (w *encoder) quote(text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			quoted, _ := json.Marshal(text) // A text never fails.
			w.out = append(w.out, quoted...)
			return
		}
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, text...)
	w.out = append(w.out, '"')
}

// someMap writes a map in the order of its keys.
func someMap[K ~string, V any](w *encoder, name string, values map[K]V, write func(V)) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.open('{')
	for _, key := range slices.Sorted(maps.Keys(values)) {
		w.next()
		w.quote(string(key))
		w.out = append(w.out, ':')
		write(values[key])
	}
	w.close('}')
}

// someList writes a list of objects.
func someList[T any](w *encoder, name string, list []T, write func(T)) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	w.open('[')
	for _, x := range list {
		w.next()
		w.open('{')
		write(x)
		w.close('}')
	}
	w.close(']')
}

func (w *encoder) head(h Head) {
	w.open('{')
	w.number("v", int64(h.Version))
	w.text("tenant", h.Tenant)
	w.number("seq", h.Seq)
	w.text("hash", h.Hash)
	w.number("epoch", h.Epoch)
	w.amount("paid", h.Paid)
	someList(w, "lots", h.Lots, w.lot)
	someList(w, "holds", h.Holds, w.hold)
	w.number("chargedThrough", h.ChargedThrough)
	w.someText("lastCharge", h.LastCharge)
	w.period(h.Period)
	someMap(w, "accrued", h.Accrued, w.money)
	someMap(w, "carry", h.Carry, w.carry)
	w.someText("phase", h.Phase)
	if len(h.State) > 0 {
		w.name("state")
		w.out = append(w.out, h.State...)
	}
	w.someTrue("stopped", h.Stopped)
	w.someNumber("freeThrough", h.FreeThrough)
	w.someAmount("used", h.Used)
	w.close('}')
}

func (w *encoder) lot(l Lot) {
	w.text("id", l.ID)
	w.amount("left", l.Left)
	w.someNumber("expires", l.Expires)
	w.someText("meter", string(l.Meter))
	w.someText("order", l.Order)
}

func (w *encoder) hold(x Hold) {
	w.text("id", x.ID)
	w.amount("amount", x.Amount)
	w.text("order", x.Order)
}

func (w *encoder) period(p Period) {
	w.name("period")
	w.open('{')
	w.number("hour", p.Hour)
	w.number("part", p.Part)
	w.close('}')
}

func (w *encoder) carry(rest uint64) { w.out = strconv.AppendUint(w.out, rest, 10) }

func (w *encoder) record(r Record) {
	w.open('{')
	w.text("tenant", r.Tenant)
	w.period(r.Period)
	w.number("from", r.From)
	w.number("through", r.Through)
	w.someText("priceList", r.PriceList)
	someMap(w, "carry", r.Carry, w.carry)
	switch {
	case r.Lines == nil:
		w.name("lines")
		w.out = append(w.out, "null"...)
	case len(r.Lines) == 0:
		w.name("lines")
		w.out = append(w.out, "[]"...)
	default:
		someList(w, "lines", r.Lines, w.line)
	}
	w.someAmount("waived", r.Waived)
	w.someTrue("settled", r.Settled)
	w.close('}')
}

func (w *encoder) line(l Line) {
	w.text("workload", l.Workload)
	w.text("meter", string(l.Meter))
	w.number("quantity", l.Quantity)
	w.number("seconds", l.Seconds)
	w.amount("price", l.Price)
	w.amount("charge", l.Charge)
}

func (w *encoder) entry(e Entry) {
	w.open('{')
	w.number("v", int64(e.Version))
	w.text("tenant", e.Tenant)
	w.number("seq", e.Seq)
	w.text("type", string(e.Type))
	w.text("key", e.Key)
	w.text("request", e.Request)
	w.number("time", e.Time)
	w.amount("amount", e.Amount)
	w.amount("balanceAfter", e.BalanceAfter)
	someList(w, "postings", e.Postings, w.posting)
	w.someNumber("from", e.From)
	w.someNumber("through", e.Through)
	w.someText("record", e.Record)
	w.someAmount("waived", e.Waived)
	if e.Lot != nil {
		w.name("lot")
		w.open('{')
		w.lot(*e.Lot)
		w.close('}')
	}
	w.someText("order", e.Order)
	w.someText("transaction", e.Transaction)
	w.someText("hold", e.Hold)
	w.someNumber("reverses", e.Reverses)
	w.someText("actor", e.Actor)
	w.someText("reason", e.Reason)
	w.someText("prev", e.Prev)
	w.someText("hash", e.Hash)
	w.close('}')
}

func (w *encoder) posting(p Posting) {
	w.text("account", p.Account)
	w.amount("amount", p.Amount)
}

func (w *encoder) order(o Order) {
	w.open('{')
	w.text("id", o.ID)
	w.amount("credited", o.Credited)
	w.amount("returned", o.Returned)
	w.amount("held", o.Held)
	w.someText("transaction", o.Transaction)
	w.someNumber("seq", o.Seq)
	w.someNumber("at", o.At)
	w.someAmount("reversed", o.Reversed)
	w.someAmount("chargedBack", o.ChargedBack)
	someMap(w, "refunds", o.Refunds, w.money)
	w.close('}')
}
