//go:build e2e

package e2e

import (
	"encoding/csv"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// exportsAddUp wants every export of a suspended tenant's ledger to say the same of its money: what came, what went, and
// that nothing is left. The tenant has made one payment, and all of it is spent.
func (p *payer) exportsAddUp(paid string) {
	p.t.Helper()

	native := p.export("csv")
	if got := native.sum("amount_idr", "", ""); got != 0 {
		p.t.Errorf("csv: the amounts add up to %s, want 0", got)
	}
	if got := native.sum("amount_idr", "type", "TopUp"); got != p.rupiah(paid) {
		p.t.Errorf("csv: %s was paid, want %s", got, paid)
	}

	focus := p.export("focus")
	if got := focus.sum("BilledCost", "", ""); got != p.rupiah(paid) {
		p.t.Errorf("focus: %s was billed, want %s", got, paid)
	}
	if got := focus.sum("EffectiveCost", "ChargeCategory", "Usage"); got != p.rupiah(paid) {
		p.t.Errorf("focus: use came to %s, want %s", got, paid)
	}
	if got := focus.sum("x_BalanceChange", "", ""); got != 0 {
		p.t.Errorf("focus: the balance changed by %s, want 0", got)
	}

	if got := p.export("costs").sum("total_idr", "", ""); got != p.rupiah(paid) {
		p.t.Errorf("costs: the days add up to %s, want %s", got, paid)
	}
	if got := p.ledger("verify=true"); !strings.Contains(got, `"valid":true`) {
		p.t.Errorf("the ledger does not hold: %s", got)
	}
}

// ledger asks for the tenant's ledger.
func (p *payer) ledger(query string) string {
	p.t.Helper()

	return p.kubectl("get", "--raw", "/apis/billing.dogker.io/v1alpha1/namespaces/"+p.name+"/billingaccounts/default/ledger?"+query)
}

// export is a ledger in a format that spreadsheets read. Made twice it is the same, to the byte.
func (p *payer) export(format string) table {
	p.t.Helper()

	text := p.ledger("format=" + format)
	if again := p.ledger("format=" + format); again != text {
		p.t.Errorf("two exports as %s differ:\n%s\n%s", format, text, again)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 2 {
		p.t.Fatalf("export as %s: %v\n%s", format, err, text)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}

	return table{payer: p, column: column, rows: rows[1:]}
}

// table is an export, read.
type table struct {
	*payer

	column map[string]int
	rows   [][]string
}

// sum adds up a column, of all rows or of those that have a value in another one.
func (t table) sum(column, where, is string) money.Micro {
	t.t.Helper()

	at, there := t.column[column]
	if !there {
		t.t.Fatalf("there is no column %q: %v", column, t.column)
	}
	var sum money.Micro
	for _, row := range t.rows {
		if (where == "" || row[t.column[where]] == is) && row[at] != "" {
			sum += t.rupiah(row[at])
		}
	}

	return sum
}

// rupiah reads an amount.
func (p *payer) rupiah(text string) money.Micro {
	p.t.Helper()

	amount, err := money.Parse(text)
	if err != nil {
		p.t.Fatal(err)
	}

	return amount
}
