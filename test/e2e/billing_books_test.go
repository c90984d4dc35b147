//go:build e2e

package e2e

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// books are the ledger of a tenant, read past the server.
type books struct {
	ledger *ledger.Ledger
	tenant string
	head   book.Head
	items  []book.Item
	open   book.Record
}

// books reads the ledger of a tenant from the store.
func (e *etcdProcess) books(t *testing.T, tenant string) *books {
	t.Helper()

	client, err := e.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	all := &books{ledger: ledger.New(client, time.Now), tenant: tenant}
	ctx := t.Context()
	if all.head, err = all.ledger.Head(ctx, tenant); err != nil {
		t.Fatal(err)
	}
	if all.open, err = all.ledger.Open(ctx, tenant); err != nil {
		t.Fatal(err)
	}
	for item, err := range all.ledger.Items(ctx, tenant, 1) {
		if err != nil {
			t.Fatal(err)
		}
		all.items = append(all.items, item)
	}

	return all
}

// records are all records of use, with the one that is not settled.
func (b *books) records() []book.Record {
	var all []book.Record
	for _, item := range b.items {
		if item.Record != nil {
			all = append(all, *item.Record)
		}
	}

	return append(all, b.open)
}

// verify wants a ledger that replays, has no key twice, and whose charges are quantity times price, worked out once more
// here, in fractions.
func (b *books) verify(t *testing.T) {
	t.Helper()

	report, err := b.ledger.Verify(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries and %d records verify; the balance is %s", report.Entries, report.Records, report.Balance)

	keys, balance := map[string]int64{}, money.Micro(0)
	for _, item := range b.items {
		if first, twice := keys[item.Entry.Key]; twice {
			t.Errorf("entries %d and %d have the key %q", first, item.Entry.Seq, item.Entry.Key)
		}
		keys[item.Entry.Key] = item.Entry.Seq
		balance += item.Entry.Amount
	}
	if balance != b.head.Balance() {
		t.Errorf("the entries add up to %s, the head says %s", balance, b.head.Balance())
	}

	exact, metered := map[money.Meter]*big.Rat{}, map[money.Meter]money.Micro{}
	for _, record := range b.records() {
		for _, line := range record.Lines {
			cost := new(big.Rat).SetInt64(line.Quantity)
			cost.Mul(cost, new(big.Rat).SetInt64(line.Seconds)).Mul(cost, new(big.Rat).SetInt64(int64(line.Price)))
			cost.Quo(cost, new(big.Rat).SetInt64(int64(line.Meter.Divisor())))
			if exact[line.Meter] == nil {
				exact[line.Meter] = new(big.Rat)
			}
			exact[line.Meter].Add(exact[line.Meter], cost)
			metered[line.Meter] += line.Charge
		}
	}
	for meter, sum := range exact {
		want := new(big.Int).Quo(sum.Num(), sum.Denom())
		if !want.IsInt64() || want.Int64() != int64(metered[meter]) {
			t.Errorf("%s: %s was charged, and quantity times price is %s", meter, metered[meter], want)
		}
	}
}

// wantPayments wants each payment to be credited once.
func (b *books) wantPayments(t *testing.T, more int) {
	t.Helper()

	orders, sum := map[string]int{}, money.Micro(0)
	for _, item := range b.items {
		if item.Entry.Type == book.TypeTopUp {
			orders[item.Entry.Order]++
			sum += item.Entry.Amount
		}
	}
	if want := money.Micro(100_000_000+1000*more) * money.Rupiah; len(orders) != more+1 || sum != want {
		t.Errorf("payments: got %v, together %s; want %d, together %s", orders, sum, more+1, want)
	}
}

// sampling is how far apart two looks at the swarm are.
const sampling = 15

// wantSeconds is wantSecondsOf of a container.
func (b *books) wantSeconds(t *testing.T, name string, tasks []life) {
	t.Helper()
	b.wantSecondsOf(t, "TenantContainer", name, tasks, 0)
}

// wantSecondsOf wants a workload to be charged for as long as its containers ran, but for two sample intervals at each end
// of a task, and for waived in all, in the tenant's favour.
func (b *books) wantSecondsOf(t *testing.T, kind, name string, tasks []life, waived time.Duration) {
	t.Helper()

	var ran time.Duration
	for _, l := range tasks {
		if l.ended.IsZero() {
			t.Errorf("a container of %q has not ended: %+v", name, l)
			continue
		}
		ran += l.ended.Sub(l.started)
	}
	var metered int64
	for _, record := range b.records() {
		for _, line := range record.Lines {
			if strings.HasPrefix(line.Workload, kind+"/"+name+"/") && line.Meter == money.Replica {
				metered += line.Quantity * line.Seconds
			}
		}
	}

	real, ends := int64(ran.Seconds()), int64(len(tasks))
	t.Logf("%s: %d tasks ran for %d s, %d s are charged", name, ends, real, metered)
	// A container starts and ends within a second of the task's own word.
	if most := real + 2*ends; metered > most {
		t.Errorf("%s: %d s are charged, and its %d tasks ran for %d s", name, metered, ends, real)
	}
	if least := real - 2*sampling*ends - 2*ends - int64(waived.Seconds()); metered < least {
		t.Errorf("%s: only %d s are charged, and its %d tasks ran for %d s", name, metered, ends, real)
	}
}
