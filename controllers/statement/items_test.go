package statement

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/book"
)

// TestChangedLedger: a Statement is made of entries that follow from one another, or not at all.
func TestChangedLedger(t *testing.T) {
	for name, change := range map[string]func(s *shelf){
		"Amount":  func(s *shelf) { s.items[0].Entry.Amount += rupiah(1) },
		"Reason":  func(s *shelf) { s.items[1].Entry.Reason = "because" },
		"Missing": func(s *shelf) { s.items = slices.Delete(s.items, 1, 2) },
		"Swapped": func(s *shelf) { s.items[1], s.items[2] = s.items[2], s.items[1] },
	} {
		s := newShelf(t)
		for i := range 3 {
			s.pay(time.Duration(i)*day, fmt.Sprintf("o%d", i), 10)
		}
		change(s)
		r := newRig(t, s, account(0))
		r.now = begin.Add(40 * day)
		if err := r.Sweep(t.Context()); !errors.Is(err, book.ErrBroken) || len(r.statements(t)) != 0 {
			t.Errorf("%s: %v, %d statements", name, err, len(r.statements(t)))
		}
	}
}
