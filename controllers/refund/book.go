package refund

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
)

// book carries an operation out, with what follows from it, and reads how things stand after it.
func (p *pass) book(ctx context.Context, op book.Op) (book.Result, error) {
	terms, err := p.desk.Terms(ctx, p.tenant)

	decide, err := billing.Movement(terms, err, p.opts.Now)
	if err != nil {
		return book.Result{}, err
	}

	result, err := p.ledger.Do(ctx, book.Request{Tenant: p.tenant, Op: op, Decide: decide})
	if err != nil {
		return book.Result{}, err
	}

	p.head = result.Head
	p.order, err = p.ledger.Order(ctx, p.tenant, p.order.ID)

	return result, err
}

// lot that came with the payment, as far as it was not used; empty when there is none.
func (p *pass) lot() string {
	for _, l := range p.head.Lots {
		if l.Order == p.order.ID {
			return l.ID
		}
	}

	return ""
}

// last is the number of the entry that a request has made; 0 when it was archived since.
func last(r book.Result) int64 {
	if len(r.Entries) == 0 {
		return 0
	}

	return r.Entries[len(r.Entries)-1].Seq
}

// actor of entries: who wanted it, as far as a controller knows.
func (p *pass) actor() string { return "refund/" + string(p.refund.UID) }

// What texts may have at most, in bytes.
const (
	ledgerText  = 512
	gatewayText = 255
)

// printable is text as others take it: on one line, without what cannot be read, of at most so many bytes and of whole
// characters.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}

		return r
	}, text)

	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}

	return text
}
