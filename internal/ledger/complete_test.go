package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// TestComplete: a time is complete once nothing that belongs to it can be written any more.
func TestComplete(t *testing.T) {
	end := start.Add(time.Hour)
	late := end.Add(time.Hour)
	cases := map[string]struct {
		reason string
		now    time.Time
		ops    []book.Op
		// mark is when metering looked at the swarm last, 0 for never.
		mark int64
		want bool
	}{
		"NotOver":  {reason: "What goes on is not complete.", now: end.Add(-time.Second), ops: []book.Op{paid("o1", 1)}},
		"OnItsWay": {reason: "A payment of the last second may still arrive.", now: end.Add(30 * time.Second), ops: []book.Op{paid("o1", 1)}},
		"NeverRan": {reason: "Where nobody has ever measured anything, nothing is waited for.", now: late, ops: []book.Op{paid("o1", 1)}, want: true},
		"Charged":  {reason: "The cursor is behind it.", now: late, ops: []book.Op{paid("o1", 100), settled(charge(0, 60, cpu("web", 3600, 1)), 0)}, mark: 1, want: true},
		"Open": {
			reason: "What is charged and not settled has no entry yet.", now: late,
			ops: []book.Op{paid("o1", 100), charge(0, 60, cpu("web", 3600, 1))}, mark: end.Unix() + 3000,
		},
		"OpenSince": {
			reason: "What is open began later.", now: late, want: true,
			ops: []book.Op{paid("o1", 100), settled(charge(0, 60, cpu("web", 3600, 1)), 0), charge(60, 5, cpu("web", 300, 1))},
		},
		"Behind": {
			reason: "Metering has not looked since.", now: late,
			ops: []book.Op{paid("o1", 100), settled(charge(0, 30, cpu("web", 1800, 1)), 0)}, mark: end.Unix() + 10,
		},
		"Idle": {
			reason: "Metering has looked, and nothing ran: the cursor of who uses nothing stands still.", now: late, want: true,
			ops: []book.Op{paid("o1", 100), settled(charge(0, 30, cpu("web", 1800, 1)), 0)}, mark: end.Unix() + 3000,
		},
		"Expiring": {
			reason: "What expires at its end has not been taken.", now: late, mark: end.Unix() + 3000,
			ops: []book.Op{book.Grant{ID: "g", Lot: book.Lot{ID: "l", Left: rupiah(1), Expires: end.Unix()}}},
		},
		"Expired": {
			reason: "Now it has.", now: late, mark: end.Unix() + 3000, want: true,
			ops: []book.Op{book.Grant{ID: "g", Lot: book.Lot{ID: "l", Left: rupiah(1), Expires: end.Unix()}}, book.Expire{Lot: "l"}},
		},
		"ExpiresLater": {
			reason: "What lasts longer is another month's.", now: late, mark: end.Unix() + 3000, want: true,
			ops: []book.Op{book.Grant{ID: "g", Lot: book.Lot{ID: "l", Left: rupiah(1), Expires: end.Unix() + 3600}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := start
			l := New(openStore(t), func() time.Time { return now })
			term, err := l.Claim(t.Context(), "test")
			if err != nil {
				t.Fatal(err)
			}
			tenant := newTenant()
			for _, op := range tc.ops {
				if _, expires := op.(book.Expire); expires {
					now = tc.now
				}
				must(t, l, term, tenant, op)
			}
			now = tc.now
			m := NewMetering(l, flat{}, term)
			saveMark(t, m, tc.mark)
			got, err := l.Complete(t.Context(), tenant, end.Unix())
			if err != nil || got != tc.want {
				t.Errorf("%s\ngot %v, %v", tc.reason, got, err)
			}
		})
	}
}

// saveMark leaves the mark of a look at the swarm, or none.
func saveMark(t *testing.T, m *Metering, at int64) {
	t.Helper()
	if at == 0 {
		ctx := t.Context()
		if _, err := openStore(t).Delete(ctx, markKey); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := usage.Mark{At: at}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SaveMark(t.Context(), data); err != nil {
		t.Fatal(err)
	}
}

// TestCompleteWaitsForMetering: what metering holds and has not handed over is waited for, though the cursor moves.
func TestCompleteWaitsForMetering(t *testing.T) {
	now := start.Add(2 * time.Hour)
	l := New(openStore(t), func() time.Time { return now })
	term, err := l.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	tenant, end := newTenant(), start.Add(time.Hour).Unix()
	must(t, l, term, tenant, paid("o1", 100))
	m := NewMetering(l, flat{}, term)

	began := start.Add(50 * time.Minute)
	volume := usage.Volume{Owner: swarmobj.Owner{Tenant: tenant, Kind: "Volume", Name: "data", UID: "v1"}, Bytes: 1 << 30, Created: began}
	seen := began.Add(time.Minute)
	held, changed := usage.NewAccount(tenant, start.Unix()).Observe(usage.NewFrame(usage.Sample{Volumes: []usage.Volume{volume}}, usage.FrameOptions{Begun: seen, Done: seen}))
	if !changed {
		t.Fatal("the volume was not seen")
	}
	data, err := held.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if result := m.Commit(t.Context(), []usage.Change{{Tenant: tenant, Data: data}})[0]; result.Err != nil {
		t.Fatal(result.Err)
	}
	t.Cleanup(func() {
		// Whoever meters after this test finds nothing of it in the store that all share.
		if _, err := openStore(t).Delete(context.WithoutCancel(t.Context()), meterKey(tenant)); err != nil {
			t.Error(err)
		}
	})
	saveMark(t, m, end+3000)
	if done, err := l.Complete(t.Context(), tenant, end); err != nil || done {
		t.Errorf("a volume that was there before is not charged: %v, %v", done, err)
	}
	if done, err := l.Complete(t.Context(), tenant, began.Unix()); err != nil || !done {
		t.Errorf("before it began nothing ran: %v, %v", done, err)
	}
}
