package ledger

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/payment"
)

// TestInbox: a notification is kept once, in bounds, without what it says of the payer, and told to whoever leads.
func TestInbox(t *testing.T) {
	client := openStore(t)
	b := NewInbox(client, fixedClock)
	order, told := "dk-abcdef-"+strings.ToUpper(strings.ReplaceAll(newTenant(), "-", "")), make(chan string, 100)
	go b.Follow(t.Context(), func(order string) { told <- order })

	letter := func(digest string) payment.Notification {
		return payment.Notification{
			OrderID: order, Code: "200", Gross: "50000.00", Transaction: "settlement", TransactionID: "tx-1",
			Digest: digest, Raw: []byte(`{"masked_card": "481111-1114"}`),
		}
	}
	kept := func() []string {
		got, err := client.Get(t.Context(), inboxOf(order), clientv3.WithPrefix())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, kv := range got.Kvs {
			out = append(out, string(kv.Value))
			if kv.Lease == 0 {
				t.Errorf("%s is kept for ever", kv.Key)
			}
		}

		return out
	}

	// Following begins at some moment: until it has, what is told is another order's.
	for ready := false; !ready; {
		n := letter("first")
		n.OrderID += "-" + fmt.Sprint(time.Now().UnixNano())
		if err := b.Keep(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
			ready = true
		case <-time.After(50 * time.Millisecond):
		}
	}

	for range 2 {
		if err := b.Keep(t.Context(), letter("first")); err != nil {
			t.Fatal(err)
		}
	}
	if all := kept(); len(all) != 1 || !strings.Contains(all[0], `"transaction":"settlement"`) || strings.Contains(all[0], "4811") {
		t.Errorf("kept %q", all)
	}
	for got := ""; got != order; {
		select {
		case got = <-told:
		case <-time.After(time.Minute):
			t.Fatal("nobody was told")
		}
	}

	for i := range 2 * maxLetters {
		if err := b.Keep(t.Context(), letter(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if all := kept(); len(all) != maxLetters {
		t.Errorf("%d are kept, want %d", len(all), maxLetters)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Keep(gone, letter("late")); err == nil {
		t.Error("what was not kept is said to be")
	}
}
