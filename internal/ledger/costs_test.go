package ledger

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/golden"
	"github.com/dogker/dogker/reconciler/money"
)

// TestCosts: by day and container, what is charged is all there and nothing else.
func TestCosts(t *testing.T) {
	const tenant = "costs"
	l := business(t, openStore(t), tenant)
	var data bytes.Buffer
	if err := WriteCosts(&data, tenant, 7, l.Items(t.Context(), tenant, 1), 0, 1<<40); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/costs.golden.csv", data.String())
	costs, err := ReadCosts(bytes.NewReader(data.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var table, again bytes.Buffer
	if err := costs.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/costs.golden.txt", table.String())

	var charged money.Micro
	for item, err := range l.Items(t.Context(), tenant, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Entry.Type == book.TypeUsage {
			charged -= item.Entry.Amount
		}
	}
	var sum money.Micro
	for _, line := range costs.Lines {
		sum += line.Total
	}
	if sum != charged {
		t.Errorf("the totals add up to %s, charged was %s", sum, charged)
	}
	if err := costs.WriteCSV(&again); err != nil || again.String() != data.String() {
		t.Errorf("what is read is written as something else: %v\n%s", err, again.String())
	}
}

func TestReadCostsRefuses(t *testing.T) {
	for claim, text := range map[string]string{
		"Nothing": "", "NoAmounts": "day,tenant\n2026-11-01,acme\n", "Ragged": "day,tenant\n2026-11-01\n",
		"NoMoney": "day,tenant,kind,name,uid,cpu_idr,egress_idr,memory_idr,replica_idr,storage_idr,total_idr\nd,t,k,n,u,1,1,1,1,1,many\n",
	} {
		if c, err := ReadCosts(strings.NewReader(text)); err == nil {
			t.Errorf("%s is read as %+v", claim, c)
		}
	}
}

// TestJSON: what is exported is what is stored, so that hashes can be worked out anew.
func TestJSON(t *testing.T) {
	const tenant = "json"
	l := business(t, openStore(t), tenant)
	november := book.MonthAt(start.Unix(), 0)
	var data bytes.Buffer
	if err := WriteJSON(&data, tenant, 0, l.Items(t.Context(), tenant, 1), november.Next().Start(), 1<<40); err != nil {
		t.Fatal(err)
	}
	export, err := ReadJSON(&data)
	if err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(t.Context(), tenant)
	if err != nil || export.Closing != head.Balance() || export.Tenant != tenant || len(export.Items) == 0 {
		t.Fatalf("%+v closes with %s, the balance is %s, %v", export.Tenant, export.Closing, head.Balance(), err)
	}
	sum := export.Opening
	for _, item := range export.Items {
		sum += item.Entry.Amount
		if _, err := book.DecodeEntry(item.Entry.Encode()); err != nil {
			t.Error(err)
		}
		if item.Record != nil {
			if _, err := item.Record.Proves(item.Entry); err != nil {
				t.Error(err)
			}
		}
	}
	if sum != export.Closing {
		t.Errorf("%s and the entries are %s and not %s", export.Opening, sum, export.Closing)
	}
}

// TestShow: a line for each entry, for people.
func TestShow(t *testing.T) {
	const tenant = "show"
	l := business(t, openStore(t), tenant)
	var data, table bytes.Buffer
	if err := WriteJSON(&data, tenant, 0, l.Items(t.Context(), tenant, 1), 0, 1<<40); err != nil {
		t.Fatal(err)
	}
	export, err := ReadJSON(&data)
	if err != nil {
		t.Fatal(err)
	}
	if err := export.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/show.golden.txt", table.String())
}

// TestExportsOfNothing: a ledger without entries is a table without rows.
func TestExportsOfNothing(t *testing.T) {
	l, _ := open(t, openStore(t))
	items := l.Items(t.Context(), newTenant(), 1)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"focus": func(b *bytes.Buffer) error { return WriteFOCUS(b, FOCUSInfo{Tenant: "acme"}, 0, items, 0, 1) },
		"costs": func(b *bytes.Buffer) error { return WriteCosts(b, "acme", 7, items, 0, 1) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if rows, err := csv.NewReader(&out).ReadAll(); err != nil || len(rows) != 1 {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

func TestSizes(t *testing.T) {
	business(t, openStore(t), "sizes")
	l, _ := open(t, openStore(t))
	sizes, err := l.Sizes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sort := range []string{"entry", "head", "idem", "usage", "order", "term"} {
		if sizes[sort] == 0 {
			t.Errorf("there is nothing of %q: %v", sort, sizes)
		}
	}
	if len(sizes) != len(sorts) {
		t.Errorf("sorts %v", sizes)
	}
}
