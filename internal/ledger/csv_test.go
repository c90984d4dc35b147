package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/golden"
	"github.com/dogker/dogker/reconciler/money"
)

type fataler interface {
	Helper()
	Fatal(args ...any)
}

func csvOf(t fataler, l *Ledger, tenant string, from, to int64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteCSV(&out, 0, l.Items(context.Background(), tenant, 0), from, to); err != nil {
		t.Fatal(err)
	}

	return out.Bytes()
}

func sumOfCSV(t fataler, data []byte) (sum money.Micro) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		amount, err := money.Parse(row[10])
		if err != nil {
			t.Fatal(err)
		}
		sum += amount
	}

	return sum
}

// TestCSV shows a ledger as people get it. A workload whose name is a formula for a spreadsheet stays a text.
func TestCSV(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	const tenant = "csv"
	must(t, l, term, tenant,
		paid("o1", 100), charge(0, 30, cpu("=HYPERLINK(\"x\")", 1800, 7)), settled(charge(30, 30, cpu("db, large", 1200, 9)), 0),
		book.Adjust{ID: "a1", Amount: -rupiah(1), Reverses: 1, Actor: "ada", Reason: "-2+3"},
		settled(charge(60, 1, cpu("web", 7200, 100)), -rupiah(20)),
	)
	got := string(csvOf(t, l, tenant, 0, 1<<40))
	golden.Check(t, "testdata/export.golden.csv", got)
	head, err := l.Head(t.Context(), tenant)
	if err != nil || sumOfCSV(t, []byte(got)) != head.Balance() {
		t.Errorf("the rows add up to %s, the balance is %s, %v", sumOfCSV(t, []byte(got)), head.Balance(), err)
	}
}

func TestGuard(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "web": "web", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "a=b": "a=b", "'=1": "'=1",
		"\n=1": "'\n=1", "＝1": "'＝1", "＠x": "'＠x", "éa": "éa", "\xff=": "\xff=",
	} {
		if got := guard(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
	if strings.ContainsAny(strings.Join(columns, ""), "=+-@") {
		t.Error("a column is called like a formula")
	}
}
