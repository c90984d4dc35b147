package outbox

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/alert"
)

// left are the IDs that the store has of a tenant.
func (h *house) left(tenant string) []string {
	h.t.Helper()
	got, err := h.queue.client.Get(h.t.Context(), waitOf(tenant), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, kv := range got.Kvs {
		out = append(out, strings.TrimPrefix(string(kv.Key), waitOf(tenant)))
	}

	return out
}

// TestPutOnce: a notice is stored once, however often it is put, also after it was delivered and by another leader.
func TestPutOnce(t *testing.T) {
	h := newHouse(t, Limits{})
	h.put(note("acme", "a"), note("acme", "a"))
	if got := h.after(0); !slices.Equal(got, []string{"acme a"}) {
		t.Errorf("sent %v", got)
	}
	h.put(note("acme", "a"))
	h.stop()
	h.lead()
	if got := h.after(time.Hour); got != nil || h.count() != 0 {
		t.Errorf("sent again: %v; %d wait", got, h.count())
	}
	h.put(note("zoo", "a"))
	if got := h.after(0); !slices.Equal(got, []string{"zoo a"}) {
		t.Errorf("that of another tenant with the same ID: %v", got)
	}
}

// TestPutRefuses: what cannot be stored says so, and why.
func TestPutRefuses(t *testing.T) {
	h := newHouse(t, Limits{})
	cases := map[string]struct {
		reason string
		change func(*alert.Notification)
	}{
		"NoID":     {"Without an ID nothing is recognised.", func(n *alert.Notification) { n.ID = "" }},
		"SlashID":  {"An ID must not lead to another's.", func(n *alert.Notification) { n.ID = "../zoo/a" }},
		"LongID":   {"A key has an end.", func(n *alert.Notification) { n.ID = strings.Repeat("a", 300) }},
		"NoTenant": {"It is somebody's.", func(n *alert.Notification) { n.Tenant = "" }},
		"Nothing":  {"It is about something.", func(n *alert.Notification) { n.Incidents = nil }},
		"TooLarge": {"The store has a limit for everybody.", func(n *alert.Notification) { n.Title = strings.Repeat("a", maxSize) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n := note("acme", "a")
			tc.change(&n)
			if err := h.queue.Put(t.Context(), n); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}
	if h.count() != 0 {
		t.Errorf("%d are stored", h.count())
	}
}

// TestLimits: who has too many loses his oldest, and where there are too many in all it is the one who has most that does.
// What is put again pushes nothing out.
func TestLimits(t *testing.T) {
	h := newHouse(t, Limits{PerTenant: 5, Overall: 8})
	for _, id := range ids("n", 7) {
		h.put(note("noisy", id))
	}
	if diff := cmp.Diff(ids("n", 7)[2:], h.left("noisy")); diff != "" {
		t.Fatalf("of one who has too many (-want +got):\n%s", diff)
	}
	h.put(note("noisy", "n006"), note("noisy", "n005"))
	if got := h.counted(outcomeDropped); got != 2 {
		t.Errorf("%v are dropped after some were put again, want 2", got)
	}
	h.put(note("acme", "a"), note("mall", "a"), note("zoo", "a"), note("zoo", "b"))
	want := map[string][]string{"noisy": ids("n", 7)[3:], "acme": {"a"}, "mall": {"a"}, "zoo": {"a", "b"}}
	for tenant, ids := range want {
		if diff := cmp.Diff(ids, h.left(tenant)); diff != "" {
			t.Errorf("of %s (-want +got):\n%s", tenant, diff)
		}
	}
	h.answer = func(string, string) error { return ErrUnreachable }
	h.after(0)
	for _, id := range ids("m", 20) {
		h.put(note("noisy", id))
	}
	h.known()
	if got := len(h.waiting); got > 8 {
		t.Errorf("%d are in memory though no more than 8 may wait", got)
	}
}

// TestPace: who puts in very many at once has the rest of them wait outside, where they take no room. What is told about money
// does not wait, and nobody waits for another one.
func TestPace(t *testing.T) {
	h := newHouse(t, Limits{AtOnce: 3})
	h.put(note("noisy", "a"), note("noisy", "b"), note("noisy", "c"))
	if err := h.queue.Put(t.Context(), note("noisy", "d")); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v, want %v", err, ErrTooMany)
	}
	money := note("noisy", "e")
	money.Topic = alert.TopicBilling
	h.put(money, note("acme", "a"))
	h.mu.Lock()
	h.now = h.now.Add(time.Second)
	h.mu.Unlock()
	h.put(note("noisy", "d"))
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, h.left("noisy")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStoreIsOurs: nothing that is stored lies where requests to the API reach.
func TestStoreIsOurs(t *testing.T) {
	for _, key := range []string{waitKey("a", "b"), doneKey("a", "b"), stateKey(alert.ReceiverRef{Namespace: "a", Name: "b"})} {
		if !strings.HasPrefix(key, "/dogker/outbox/") {
			t.Errorf("%s", key)
		}
	}
}

// TestUnreadable: what nobody can read keeps nothing from being delivered.
func TestUnreadable(t *testing.T) {
	h := newHouse(t, Limits{})
	h.stop()
	if _, err := h.queue.client.Put(t.Context(), waitKey("acme", "broken"), "{"); err != nil {
		t.Fatal(err)
	}
	h.put(note("acme", "a"))
	h.lead()
	for deadline := time.Now().Add(10 * time.Second); !slices.Equal(h.left("acme"), []string{"broken"}); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("what waits is %v", h.left("acme"))
		}
		h.pass(t.Context(), h.group)
	}
}

// TestLeaseOfBackup: a lease that a restored store does not have is granted anew.
func TestLeaseOfBackup(t *testing.T) {
	h := newHouse(t, Limits{})
	h.put(note("acme", "a"))
	h.after(0)
	if _, err := h.queue.client.Revoke(t.Context(), h.queue.lease); err != nil {
		t.Fatal(err)
	}
	h.put(note("acme", "b"))
	h.after(0)
	if got := h.after(time.Minute); got != nil || h.count() != 0 {
		t.Errorf("sent again %v; %d wait", got, h.count())
	}
}
