package statement

import (
	"errors"
	"fmt"
	"iter"

	"github.com/dogker/dogker/reconciler/book"
)

// errMoved is a ledger of which something was pruned between two reads. The next look finds it at rest.
var errMoved = errors.New("the ledger was archived meanwhile")

// following makes sure that items begin where what is known of the balance ends, and that each follows from the one before:
// what somebody has changed is in no Statement.
func following(items iter.Seq2[book.Item, error], start book.Head) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		replay, begun := book.NewReplay(start), false
		for item, err := range items {
			switch e := item.Entry; {
			case err != nil:
			case !begun && e.Seq != start.Seq+1:
				err = fmt.Errorf("entry %d comes first and not %d: %w", e.Seq, start.Seq+1, errMoved)
			default:
				_, err = replay.Next(e.Encode())
			}
			begun = true
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
