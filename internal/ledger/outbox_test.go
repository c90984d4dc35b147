package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/book"
)

// TestOutboxInOrder: whoever waits longest comes first, whatever it is called, and who has seen some is shown the others.
func TestOutboxInOrder(t *testing.T) {
	l := New(openStore(t), fixedClock)
	tell := func(tenant string, ids ...string) {
		t.Helper()
		_, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o-"+ids[0], 1), Decide: func(book.Head, book.Outcome) book.Decision {
			var d book.Decision
			for _, id := range ids {
				d.Notices = append(d.Notices, book.Notice{ID: id, Kind: "PaymentReceived"})
			}
			return d
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(after int64, limit int) (ids []string, last int64) {
		t.Helper()
		pending, err := l.Outbox(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pending {
			ids, last = append(ids, fmt.Sprintf("%s/%s", p.Tenant, p.ID)), p.Revision
		}
		return ids, last
	}
	_, before := look(0, 10_000)
	zoo, acme, mall := "zoo-"+newTenant(), "acme-"+newTenant(), "mall-"+newTenant()
	tell(zoo, "1")
	tell(acme, "2", "3")
	tell(mall, "4")

	first, seen := look(before, 1)
	if diff := cmp.Diff([]string{zoo + "/1"}, first); diff != "" {
		t.Errorf("the oldest (-want +got):\n%s", diff)
	}
	rest, last := look(seen, 10_000)
	if diff := cmp.Diff([]string{acme + "/2", acme + "/3", mall + "/4"}, rest); diff != "" {
		t.Errorf("the others (-want +got):\n%s", diff)
	}
	if more, _ := look(last, 10_000); more != nil {
		t.Errorf("after the last there are %v", more)
	}
}
