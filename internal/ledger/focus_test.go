package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/golden"
	"github.com/dogker/dogker/reconciler/money"
)

// business fills a ledger with one of everything, over two months.
func business(t testing.TB, client KV, tenant string) *Ledger {
	t.Helper()
	now := start
	l := New(client, func() time.Time { return now })
	term, err := l.Claim(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	memory := func(workload string, seconds int64) book.Line {
		return book.Line{Workload: workload, Meter: money.Memory, Quantity: 768 << 20, Seconds: seconds, Price: 37_000_001}
	}
	const (
		web  = "TenantContainer/web/6c1c0e0a"
		evil = "TenantContainer/=1+1/6c1c0e0b"
		disk = "Volume/data/6c1c0e0c"
	)
	must(t, l, term, tenant,
		paid("o1", 1000), paid("o2", 300),
		book.Grant{ID: "grant:CPU", Lot: book.Lot{ID: "cpu", Left: rupiah(3), Meter: money.CPU}, Reason: "=cmd()"},
		book.Grant{ID: "free:2026-11", Lot: book.Lot{ID: "free", Left: rupiah(50)}},
		book.Grant{ID: "grant:NET", Lot: book.Lot{ID: "net", Left: rupiah(5), Meter: money.Egress, Expires: start.Add(3 * time.Hour).Unix()}},
		settled(charge(0, 60, cpu(web, 3600, 7), cpu(evil, 1801, 11), memory(web, 3600), book.Line{Workload: disk, Meter: money.Storage, Quantity: 10 << 30, Seconds: 3600, Price: 1_234_567}), 0),
		book.RefundHold{Refund: "r1", Order: "o2", Amount: rupiah(100)}, book.RefundPost{Refund: "r1"},
		book.RefundHold{Refund: "r2", Order: "o2", Amount: rupiah(10)}, book.RefundVoid{Refund: "r2"},
		charge(60, 60, cpu(web, 3600, 7)), settled(charge(120, 60, cpu(web, 3400, 7)), 0),
	)
	now = start.Add(4 * time.Hour)
	must(t, l, term, tenant,
		book.Expire{Lot: "net"},
		book.Adjust{ID: "a1", Amount: -rupiah(1), Reverses: 1, Actor: "ada", Reason: "-2+3"},
		book.Suspense{Order: "o1", Transaction: "tx-again", Amount: rupiah(50), Reason: "paid twice"},
		book.Adjust{ID: "a2", Amount: rupiah(50), FromSuspense: true, Actor: "ada", Reason: "it was theirs"},
	)
	// Another month: what is put right is of the month before.
	now = start.Add(20 * 24 * time.Hour)
	must(t, l, term, tenant,
		book.Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(1000)},
		book.Adjust{ID: "a3", Amount: rupiah(2), Reverses: 6, Actor: "ada", Reason: "too much"},
		charge(180, 1),
	)
	later := book.WindowAt(now) - firstWindow
	must(t, l, term, tenant,
		settled(book.Charge{From: firstWindow + 181, Since: firstWindow + later, Through: firstWindow + later, Lines: []book.Line{cpu(web, 60, 900_000)}, PriceList: "p2"}, -rupiah(800)),
		book.WriteOff{ID: "w1", Actor: "ada", Reason: "gone"},
		paid("o3", 20), book.Chargeback{Order: "o3", Cumulative: rupiah(5), Amount: rupiah(5)},
	)

	return l
}

func focusOf(t fataler, info FOCUSInfo, opening money.Micro, items iter.Seq2[book.Item, error], from, to int64) (string, []string, []rowOf) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteFOCUS(&out, info, opening, items, from, to); err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []rowOf
	for _, record := range table[1:] {
		row := rowOf{}
		for i, column := range table[0] {
			row[column] = record[i]
		}
		rows = append(rows, row)
	}

	return out.String(), table[0], rows
}

func sumOf(t fataler, rows []rowOf, column string, which func(rowOf) bool) (sum money.Micro) {
	t.Helper()
	for _, r := range rows {
		if !which(r) {
			continue
		}
		amount, err := money.Parse(r[column])
		if err != nil {
			t.Fatal(err)
		}
		sum += amount
	}

	return sum
}

func anyRow(rowOf) bool { return true }

func ofCategory(name string) func(rowOf) bool {
	return func(r rowOf) bool { return r["ChargeCategory"] == name }
}

// TestFOCUS holds an export of one of everything against the rules of the specification, and shows it.
func TestFOCUS(t *testing.T) {
	const tenant = "focus"
	l := business(t, openStore(t), tenant)
	info := FOCUSInfo{Tenant: tenant, Name: "=Focus & Sons", Provider: "Example Cloud", UTCOffsetHours: 7}
	items := func() iter.Seq2[book.Item, error] { return l.Items(t.Context(), tenant, 1) }
	text, header, rows := focusOf(t, info, 0, items(), 0, 1<<40)
	for _, v := range violations(header, rows) {
		t.Error(v)
	}
	golden.Check(t, "testdata/focus.golden.csv", text)
	if again, _, _ := focusOf(t, info, 0, items(), 0, 1<<40); again != text {
		t.Error("two exports differ")
	}

	head, err := l.Head(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if got := sumOf(t, rows, "x_BalanceChange", anyRow); got != head.Balance() || rows[len(rows)-1]["x_BalanceAfter"] != got.String() {
		t.Errorf("changes add up to %s, the balance is %s, the last row says %s", got, head.Balance(), rows[len(rows)-1]["x_BalanceAfter"])
	}
	// Paid 1000, 300, 50 and 20; back went 100, 1000 and 5.
	if got := sumOf(t, rows, "BilledCost", ofCategory("Purchase")); got != rupiah(265) {
		t.Errorf("purchases are billed with %s", got)
	}
	usage := ofCategory("Usage")
	if effective, promo := sumOf(t, rows, "EffectiveCost", usage), sumOf(t, rows, "x_PromoApplied", usage); effective+promo != head.Used {
		t.Errorf("%s paid and %s given cover use of %s", effective, promo, head.Used)
	}
	for _, cell := range strings.Split(strings.ReplaceAll(text, "\"", ""), ",") {
		if cell != "" && strings.ContainsRune("=+@\t\r", rune(cell[0])) {
			t.Errorf("%q would be a formula", cell)
		}
	}
}

// TestFOCUSOfAMonth: spans divide a dataset; what an opening stands for is not known any more, and counts as old.
func TestFOCUSOfAMonth(t *testing.T) {
	const tenant = "focus-months"
	l := business(t, openStore(t), tenant)
	info := FOCUSInfo{Tenant: tenant, Provider: "Example Cloud"}
	november, december := book.MonthAt(start.Unix(), 0), book.MonthAt(start.Unix(), 0).Next()
	_, _, all := focusOf(t, info, 0, l.Items(t.Context(), tenant, 1), 0, 1<<40)
	_, _, first := focusOf(t, info, 0, l.Items(t.Context(), tenant, 1), november.Start(), november.End())
	_, header, second := focusOf(t, info, 0, l.Items(t.Context(), tenant, 1), december.Start(), december.End())
	if diff := cmp.Diff(all, append(first, second...)); diff != "" {
		t.Errorf("two months are not the whole:\n%s", diff)
	}
	corrections := map[string]bool{}
	for _, r := range second {
		if r["ChargeClass"] == "Correction" {
			corrections[r["InvoiceId"]+r["x_LedgerType"]] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"reversal:o1:tx-o1Reversal": true, "Adjustment": true}, corrections); diff != "" {
		t.Errorf("what corrects another month:\n%s", diff)
	}

	// As after an archive of November.
	var opening money.Micro
	var rest []book.Item
	for item, err := range l.Items(t.Context(), tenant, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Entry.Effective() < december.Start() {
			opening += item.Entry.Amount
		} else {
			rest = append(rest, item)
		}
	}
	_, _, pruned := focusOf(t, info, opening, listed(rest), december.Start(), december.End())
	if diff := cmp.Diff(second, pruned); diff != "" {
		t.Errorf("without what was archived, in %v:\n%s", header, diff)
	}
}

func listed(items []book.Item) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// TestFOCUSEndsWithItsItems: what cannot be read makes no dataset that looks whole.
func TestFOCUSEndsWithItsItems(t *testing.T) {
	boom := errors.New("boom")
	broken := func(yield func(book.Item, error) bool) { yield(book.Item{}, boom) }
	for name, write := range map[string]func() error{
		"focus": func() error { return WriteFOCUS(&bytes.Buffer{}, FOCUSInfo{}, 0, broken, 0, 1) },
		"json":  func() error { return WriteJSON(&bytes.Buffer{}, "acme", 0, broken, 0, 1) },
		"costs": func() error { return WriteCosts(&bytes.Buffer{}, "acme", 7, broken, 0, 1) },
		"csv":   func() error { return WriteCSV(&bytes.Buffer{}, 0, broken, 0, 1) },
	} {
		if err := write(); !errors.Is(err, boom) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShares: however a charge was covered, the parts of its lines are not below zero, and add up.
func TestShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDataset(FOCUSInfo{Tenant: "acme"}, 0)
		record := &book.Record{}
		var total money.Micro
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			l := book.Line{
				Workload: "w", Meter: rapid.SampledFrom(money.Meters()).Draw(t, "meter"),
				Charge: money.Micro(rapid.Int64Range(0, 1<<40).Draw(t, "charge")),
			}
			record.Lines = append(record.Lines, l)
			total += l.Charge
		}
		e := book.Entry{Type: book.TypeUsage}
		due := map[money.Meter]money.Micro{}
		maps.Copy(due, record.Metered())
		var drawn money.Micro
		for _, lot := range []string{"a", "b", "c"} {
			scope := money.Meter(rapid.SampledFrom([]string{"", "cpu", "memory"}).Draw(t, "scope"))
			left := total - drawn
			if scope != "" {
				left = due[scope]
			}
			part := money.Micro(rapid.Int64Range(0, int64(left)).Draw(t, "draw"))
			// As the ledger draws: a lot for all pays for one meter after the other.
			rest := part
			for _, m := range money.Meters() {
				if scope == "" || scope == m {
					paid := min(rest, due[m])
					due[m] -= paid
					rest -= paid
				}
			}
			d.scope[lot] = scope
			drawn += part
			e.Postings = append(e.Postings, book.Posting{Account: book.AccountPromo + lot, Amount: -part})
		}
		record.Waived = money.Micro(rapid.Int64Range(0, int64(total-drawn)).Draw(t, "waived"))

		var promo, waived money.Micro
		for i, s := range d.shares(book.Item{Entry: e, Record: record}) {
			if min(s.paid, s.promo, s.waived) < 0 || s.paid+s.promo+s.waived != record.Lines[i].Charge {
				t.Fatalf("line %d of %s is covered by %+v", i, record.Lines[i].Charge, s)
			}
			promo += s.promo
			waived += s.waived
		}
		if promo != drawn || waived != record.Waived {
			t.Fatalf("%s of %s promotional and %s of %s waived", promo, drawn, waived, record.Waived)
		}
	})
}

// TestRulesBite: the validator finds what it is there to find.
func TestRulesBite(t *testing.T) {
	const tenant = "focus-rules"
	l := business(t, openStore(t), tenant)
	_, header, rows := focusOf(t, FOCUSInfo{Tenant: tenant, Provider: "x"}, 0, l.Items(t.Context(), tenant, 1), 0, 1<<40)
	for column, value := range map[string]string{
		"BilledCost": "+1", "BillingPeriodEnd": "2026-12-01", "ChargeCategory": "Use", "ListCost": "7", "PricingUnit": "hours",
		"ChargeClass": "Error", "Tags": `{"a":{}}`, "BillingCurrency": "Rp", "EffectiveCost": "1e5", "ServiceSubcategory": "Virtual Machines (Compute)",
		"PricingQuantity": "", "SkuMeter": "", "InvoiceIssuerName": " ",
	} {
		changed := rowOf{}
		for k, v := range rows[0] {
			changed[k] = v
		}
		changed[column] = value
		if len(violations(header, []rowOf{changed})) == 0 {
			t.Errorf("%s may be %q", column, value)
		}
	}
	if len(violations(header[1:], rows)) == 0 {
		t.Errorf("%s may be missing", header[0])
	}
}
