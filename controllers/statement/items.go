package statement

import (
	"errors"
	"fmt"
	"iter"

	"github.com/dogker/dogker/reconciler/book"
)

// errMoved is a ledger of which something was pruned between two reads. The next look finds it at rest.
var errMoved = errors.New("the ledger was archived meanwhile")

// following makes sure that items begin where what is known of the balance ends.
func following(items iter.Seq2[book.Item, error], first int64) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		begun := false
		for item, err := range items {
			if err == nil && !begun && item.Entry.Seq != first {
				err = fmt.Errorf("entry %d comes first and not %d: %w", item.Entry.Seq, first, errMoved)
			}
			begun = true
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
