package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/usage"
)

// flat is one tariff for everybody.
type flat struct{ err error }

func (f flat) Tariff(context.Context, string, int64) (Tariff, error) {
	return Tariff{
		PriceList: "p1", Prices: map[money.Meter]money.Micro{money.CPU: rupiah(60)}, Floor: func(book.Head) money.Micro { return -rupiah(100) },
	}, f.err
}

// measured is the use of one vCPU in windows from the offset in minutes.
func measured(tenant string, after, offset, n int64) *usage.Charge {
	c := &usage.Charge{Tenant: tenant, After: firstWindow + after, Through: firstWindow + offset + n - 1}
	web := usage.Workload{Kind: "TenantContainer", Name: "web", UID: "1"}
	for i := range n {
		c.Windows = append(c.Windows, usage.Window{Index: firstWindow + offset + i, Lines: []usage.Line{
			{Workload: web, Meter: usage.MeterCPU, Amount: 1_000_000_000, Seconds: 60},
			{Workload: web, Meter: usage.MeterReplica, Amount: 1, Seconds: 60},
		}})
	}

	return c
}

// TestMetering holds the store to what metering is promised.
func TestMetering(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	m := NewMetering(l, flat{}, term)
	a, b := newTenant(), newTenant()
	commit := func(m *Metering, changes ...usage.Change) []usage.Result {
		t.Helper()
		return m.Commit(t.Context(), changes)
	}
	opened := commit(m, usage.Change{Tenant: a, Data: []byte("a1")}, usage.Change{Tenant: b, Data: []byte("b1")})
	if opened[0].Err != nil || opened[1].Err != nil {
		t.Fatal(opened)
	}
	if again := commit(m, usage.Change{Tenant: a, Data: []byte("a2")}); !errors.Is(again[0].Err, usage.ErrConflict) {
		t.Errorf("a record that exists is made: %v", again)
	}
	charged := commit(m, usage.Change{Tenant: a, Revision: opened[0].Revision, Data: []byte("a2"), Charge: measured(a, -1, 0, 30)})
	if charged[0].Err != nil || charged[0].Revision <= opened[0].Revision {
		t.Fatal(charged)
	}
	head, err := l.Head(t.Context(), a)
	if err != nil || head.AccruedTotal() != rupiah(30) || head.ChargedThrough != firstWindow+29 {
		t.Errorf("%+v, %v", head, err)
	}
	// The same again, as after a lost answer of the store that the ledger could not resolve.
	again := commit(m, usage.Change{Tenant: a, Revision: opened[0].Revision, Data: []byte("a2"), Charge: measured(a, -1, 0, 30)})
	if again[0] != charged[0] {
		t.Errorf("the same charge again: %v", again)
	}
	for name, c := range map[string]usage.Change{
		"OldRecord":   {Tenant: a, Revision: opened[0].Revision, Data: []byte("a3"), Charge: measured(a, 29, 30, 1)},
		"OtherCharge": {Tenant: a, Revision: charged[0].Revision, Data: []byte("a3"), Charge: measured(a, -1, 0, 1)},
		"GapBefore":   {Tenant: a, Revision: charged[0].Revision, Data: []byte("a3"), Charge: measured(a, 30, 31, 1)},
	} {
		if got := commit(m, c); !errors.Is(got[0].Err, usage.ErrConflict) {
			t.Errorf("%s: %v", name, got)
		}
	}
	// Idle for hours, and then to the end of an hour: settled by itself.
	last := commit(m, usage.Change{Tenant: a, Revision: charged[0].Revision, Data: []byte("a3"), Charge: measured(a, 29, 230, 10)})
	head, err = l.Head(t.Context(), a)
	if last[0].Err != nil || err != nil || head.Paid != -rupiah(40) || len(head.Accrued) > 0 {
		t.Errorf("%v, %+v, %v", last, head, err)
	}
	got, err := m.Reload(t.Context(), a)
	if diff := cmp.Diff(usage.Record{Tenant: a, Revision: last[0].Revision, Data: []byte("a3")}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := l.Verify(t.Context(), a); err != nil {
		t.Error(err)
	}
	if failed := commit(NewMetering(l, flat{errLost}, term), usage.Change{Tenant: b, Revision: opened[1].Revision, Charge: measured(b, -1, 0, 1)}); !errors.Is(failed[0].Err, errLost) {
		t.Errorf("without a tariff: %v", failed)
	}

	if err := m.SaveMark(t.Context(), []byte("mark")); err != nil {
		t.Error(err)
	}
	fresh, freshTerm := open(t, client)
	stored, err := NewMetering(fresh, flat{}, freshTerm).Load(t.Context())
	if err != nil || string(stored.Mark) != "mark" {
		t.Errorf("%q, %v", stored.Mark, err)
	}
	found := 0
	for _, r := range stored.Records {
		if (r.Tenant == a && string(r.Data) == "a3") || (r.Tenant == b && string(r.Data) == "b1" && r.Revision == opened[1].Revision) {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of two records are found", found)
	}
	late := commit(m, usage.Change{Tenant: a, Revision: last[0].Revision, Data: []byte("x"), Charge: measured(a, 239, 240, 1)}, usage.Change{Tenant: b, Revision: opened[1].Revision, Data: []byte("x")})
	if !errors.Is(late[0].Err, usage.ErrFenced) || !errors.Is(late[1].Err, usage.ErrFenced) || !errors.Is(m.SaveMark(t.Context(), nil), usage.ErrFenced) {
		t.Errorf("the leader of before has written: %v", late)
	}
}

// TestGapsOfMetering: what is not charged is on record, with the charge that comes after it.
func TestGapsOfMetering(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	c := measured(tenant, -1, 0, 1)
	c.Gaps = []usage.Gap{{Cause: usage.CauseCatchUp, From: start.Unix() - 7200, To: start.Unix(), Seconds: 14400}}
	if got := NewMetering(l, flat{}, term).Commit(t.Context(), []usage.Change{{Tenant: tenant, Data: []byte("a"), Charge: c}}); got[0].Err != nil {
		t.Fatal(got)
	}
	all := entries(t, l, tenant)
	want := "CatchUpLimit: 14400 s between 2026-11-22T08:00:00Z and 2026-11-22T10:00:00Z are not charged."
	if len(all) != 1 || all[0].Type != book.TypeWaiver || all[0].Reason != want {
		t.Errorf("%+v", all)
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Error(err)
	}
}

// TestIdleSettlements: use that nobody has settled, because nothing ran when the day ended, is settled by itself when something
// runs again, and belongs to its own day.
func TestIdleSettlements(t *testing.T) {
	const hour, day = 60, 24 * 60
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	m := NewMetering(l, daily{}, term)
	first := m.charged(t, tenant, 0, measured(tenant, -1, 0, 20))
	first = m.charged(t, tenant, first, &usage.Charge{Tenant: tenant, After: firstWindow + 19, Through: firstWindow + hour - 1})
	m.charged(t, tenant, first, measured(tenant, hour-1, 9*day, 5))

	all := entries(t, l, tenant)
	if len(all) != 1 || all[0].From != firstWindow || all[0].Through != firstWindow+hour-1 || all[0].Amount != -rupiah(20) {
		t.Errorf("%+v", all)
	}
	if h, err := l.Head(t.Context(), tenant); err != nil || h.AccruedTotal() != rupiah(5) {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Error(err)
	}
}

// daily is a tariff whose use is settled day by day.
type daily struct{ flat }

func (d daily) Tariff(ctx context.Context, tenant string, window int64) (Tariff, error) {
	tariff, err := d.flat.Tariff(ctx, tenant, window)
	tariff.Settlement = func(hour int64) (first, last int64) { return hour - hour%24, hour - hour%24 + 23 }

	return tariff, err
}

// TestPriced: windows at one price are one line, and what has no price leaves none.
func TestPriced(t *testing.T) {
	tariff, _ := flat{}.Tariff(t.Context(), "acme", 0)
	got := priced(measured("acme", 3, 50, 10), tariff, book.NewHead("acme"))
	want := book.Charge{
		From: firstWindow + 4, Since: firstWindow + 50, Through: firstWindow + 59, Begin: firstWindow, PriceList: "p1", Floor: -rupiah(100), Settle: true,
		Lines: []book.Line{
			{Workload: "TenantContainer/web/1", Meter: money.CPU, Quantity: 1_000_000_000, Seconds: 600, Price: rupiah(60)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	hour := book.HourOf(firstWindow)
	tariff.Settlement = func(int64) (int64, int64) { return hour - 2, hour + 3 }
	if got := priced(measured("acme", 3, 50, 10), tariff, book.NewHead("acme")); got.Settle || got.Begin != firstWindow-120 {
		t.Errorf("the third of six hours that are settled together: %+v", got)
	}
	for _, m := range []usage.Meter{usage.MeterCPU, usage.MeterMemory, usage.MeterReplica, usage.MeterStorage} {
		if !money.Meter(m).Known() {
			t.Errorf("%q is measured and has no unit", m)
		}
	}
}

// BenchmarkCloseWindow closes one window of a thousand tenants with ten tasks each: one transaction a tenant.
func BenchmarkCloseWindow(b *testing.B) {
	client := diskStore(b)
	l, term := open(b, client)
	m := NewMetering(l, flat{}, term)
	const count = 1000
	changes := make([]usage.Change, count)
	for i := range changes {
		changes[i] = usage.Change{Tenant: fmt.Sprintf("bench-%d", i), Data: make([]byte, 1000)}
	}
	window := int64(0)
	for b.Loop() {
		for i := range changes {
			changes[i].Charge = measured(changes[i].Tenant, window-1, window, 1)
			lines := &changes[i].Charge.Windows[0].Lines
			for n := range 9 {
				w := usage.Workload{Kind: "TenantContainer", Name: fmt.Sprintf("workload-%d", n), UID: "0b9f1a52-6f7c-4f0e-9d57-8c1a4a3f2e10"}
				*lines = append(*lines, usage.Line{Workload: w, Meter: usage.MeterCPU, Amount: 500_000_000, Seconds: 60}, usage.Line{Workload: w, Meter: usage.MeterMemory, Amount: 1 << 29, Seconds: 60})
			}
		}
		for i, r := range m.Commit(b.Context(), changes) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
			changes[i].Revision = r.Revision
		}
		window++
	}
}
