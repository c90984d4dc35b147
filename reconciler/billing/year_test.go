package billing

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// size of a simulation: DOGKER_LONG makes it a year of a thousand tenants, which takes two processors a quarter of an hour, and so
// needs a -timeout.
func size() (tenants, hours int) {
	if os.Getenv("DOGKER_LONG") != "" {
		return 1000, 365 * 24
	}

	return 12, 90 * 24
}

// tasksEach is how many tasks a tenant has.
const tasksEach = 10

// quarters are the price lists of a year, each of which replaces the one before.
func quarters(t testing.TB) []billingv1.PriceList {
	t.Helper()
	var lists []billingv1.PriceList
	for i, cpu := range []billingv1.Amount{"150", "161.33", "99.999999", "174.5"} {
		l := list(fmt.Sprintf("q%d", i+1), "", 0, i*365*6)
		if i > 0 {
			l.Spec.Replaces = dogkerv1.DNSLabel(lists[i-1].Name)
		}
		l.Spec.Prices = billingv1.Prices{CPU: cpu, Memory: "37.000001", Storage: "1.3", Replica: billingv1.Amount(fmt.Sprint(i % 2))}
		lists = append(lists, l)
	}

	return lists
}

// TestYear moves the money of many tenants for as long as there is time: they use what they declare, pay in time, late or
// never, redeem coupons, get refunds and take their payments back, while prices change. Not a micro-rupiah may be made or
// lost: all accounts together come to nothing, every system account to what was asked for, use to what was metered, worked
// out by 128-bit arithmetic that knows nothing of carries; and every ledger is what its entries replay to.
func TestYear(t *testing.T) {
	tenants, hours := size()
	lists := quarters(t)
	next := make(chan int)
	var mu sync.Mutex
	all := newBooks()
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				c := newCustomer(t, i, lists)
				c.live(hours)
				c.close()
				mu.Lock()
				all.add(c.books)
				mu.Unlock()
			}
		})
	}
	for i := range tenants {
		next <- i
	}
	close(next)
	group.Wait()
	all.check(t)
	t.Logf("%d tenants with %d tasks, %d hours: %d entries, %s paid, %s charged, %s waived, %d stops, %v",
		tenants, tenants*tasksEach, hours, all.entries, all.asked[book.TypeTopUp], all.of(book.AccountRevenue), all.waived, all.stops, all.done)
}

// books are what an auditor adds up.
type books struct {
	// accounts are the sums of all postings by account, those of a tenant by kind.
	accounts map[string]money.Micro
	// asked is what was asked for by those whose wish became an entry of a type.
	asked map[book.Type]money.Micro
	// held is what heads say of the accounts of tenants at the end.
	held map[string]money.Micro
	// metered is what use comes to, accrued what of it is not settled yet.
	metered, accrued, waived money.Micro
	entries, stops           int
	done                     map[string]int
}

func newBooks() *books {
	return &books{accounts: map[string]money.Micro{}, asked: map[book.Type]money.Micro{}, held: map[string]money.Micro{}, done: map[string]int{}}
}

func (b *books) add(o *books) {
	for account, sum := range o.accounts {
		b.accounts[account] += sum
	}
	for kind, sum := range o.asked {
		b.asked[kind] += sum
	}
	for account, sum := range o.held {
		b.held[account] += sum
	}
	for what, n := range o.done {
		b.done[what] += n
	}
	b.metered, b.accrued, b.waived = b.metered+o.metered, b.accrued+o.accrued, b.waived+o.waived
	b.entries, b.stops = b.entries+o.entries, b.stops+o.stops
}

func (b *books) of(account string) money.Micro { return b.accounts[account] }

// check demands that nothing was made and nothing lost.
func (b *books) check(t *testing.T) {
	t.Helper()
	var total money.Micro
	for _, sum := range b.accounts {
		total += sum
	}
	if total != 0 {
		t.Errorf("all accounts together come to %s", total)
	}
	equal := func(what string, got, want money.Micro) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	for _, account := range []string{book.AccountPaid, book.AccountPromo, book.AccountHeld} {
		equal("postings to "+account+", by the heads", b.of(account), b.held[account])
	}
	equal("what is with the gateway", b.of(book.AccountGateway),
		-b.asked[book.TypeTopUp]+b.asked[book.TypeRefundPost]+b.asked[book.TypeReversal]+b.asked[book.TypeChargeback])
	equal("adjustments", b.of(book.AccountAdjustments), -b.asked[book.TypeAdjustment])
	equal("gifts that are not drawn and not expired", b.of(book.AccountPromoExpense), -b.asked[book.TypeGrant]+b.asked[book.TypeGrantExpiry])
	equal("bad debt", b.of(book.AccountBadDebt), -b.asked[book.TypeWriteOff])
	equal("what was charged, waived and has accrued", b.of(book.AccountRevenue)+b.waived+b.accrued, b.metered)
	for _, what := range []string{"charge", "topup", "grant", "hold", "post", "void", "chargeback", "reversal", "expire", "adjust", "writeoff"} {
		if b.done[what] == 0 {
			t.Errorf("there is no %s in all this time", what)
		}
	}
	if b.stops == 0 || b.waived == 0 {
		t.Errorf("%d accounts are stopped, %s waived", b.stops, b.waived)
	}
}

// customer is a tenant and what somebody notes who does not trust its ledger.
type customer struct {
	*books
	*shelf
	t      testing.TB
	random *rand.Rand
	lists  []billingv1.PriceList
	terms  map[string]Terms
	tasks  []Demand
	exact  map[money.Meter]wide
	replay *book.Replay
	orders []string
	holds  []string
	lots   int
	// late is how likely it is to pay when it is warned, in percent of an hour; heldUntil when a person lifts its hold.
	late      int
	heldUntil int
}

func newCustomer(t testing.TB, i int, lists []billingv1.PriceList) *customer {
	c := &customer{
		books: newBooks(), shelf: newShelf(Terms{}), t: t, random: rand.New(rand.NewPCG(7, uint64(i))), lists: lists,
		terms: map[string]Terms{}, exact: map[money.Meter]wide{}, late: []int{30, 30, 2, 0}[i%4],
	}
	name := fmt.Sprintf("tenant-%d", i)
	c.state.Head = book.NewHead(name)
	c.replay = book.NewReplay(c.state.Head)
	for range tasksEach {
		c.tasks = append(c.tasks, Demand{Tasks: 1, NanoCPUs: 1 + c.random.Int64N(1_500_000_000), MemoryBytes: 1 + c.random.Int64N(2<<30)})
	}
	plan := &dogkerv1.Plan{Spec: dogkerv1.PlanSpec{PriceListName: "q1", Billing: &dogkerv1.BillingRules{
		SettlementHours: []int32{1, 6, 24}[i%3], Overdraft: []dogkerv1.Rupiah{"", "0", "20000"}[i%3],
	}}}
	for n := range lists {
		terms := Terms{Tenant: &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}}, Plan: plan, PriceList: &lists[n]}
		var err error
		if terms.Prices, err = PricesOf(&lists[n]); err == nil {
			terms.Rate, err = RateOf(terms.Prices, c.tasks...)
		}
		if err != nil {
			t.Error(err)
		}
		terms.Rules = RulesOf(terms.Tenant, plan, nil)
		c.terms[lists[n].Name] = terms
	}

	return c
}

// live lives hour by hour: things happen, and then the hour is charged at once.
func (c *customer) live(hours int) {
	for hour := range hours {
		begins := start.Add(time.Duration(hour) * time.Hour)
		l, _ := InEffect(c.lists, "q1", begins)
		c.shelf.terms = c.terms[l.Name]
		c.shelf.terms.Rules.Hold = hour < c.heldUntil
		c.now = begins.Add(time.Duration(80+c.random.IntN(3400)) * time.Second)
		c.expire()
		c.happen(hour)
		c.now = begins.Add(time.Hour + 20*time.Second)
		c.charge(book.WindowAt(begins))
	}
}

// try asks for something that may be refused, and tells whether it was done.
func (c *customer) try(what string, kind book.Type, amount money.Micro, op book.Op) bool {
	c.state.Order = c.shelf.orders[book.OrderOf(op, c.state.Head)]
	stopped := c.state.Head.Stopped
	out, err := book.Apply(c.state, op, c.shelf.terms.Decide(func() time.Time { return c.now }), c.now)
	switch {
	case err == nil:
	case refusedRightly(err):
		return false
	default:
		c.t.Errorf("%+v: %v", op, err)
		return false
	}
	c.state = out.State
	if out.State.Order.ID != "" {
		c.shelf.orders[out.State.Order.ID] = out.State.Order
	}
	if c.state.Head.Stopped && !stopped {
		c.stops++
	}
	c.done[what]++
	c.asked[kind] += amount
	c.note(out)

	return true
}

// note adds entries up, replays them, and has each use proved by its record.
func (c *customer) note(out book.Outcome) {
	records := map[book.Period]book.Record{}
	for _, r := range out.Settled {
		records[r.Period] = r
	}
	for _, e := range out.Entries {
		c.entries++
		c.waived += e.Waived
		for _, p := range e.Postings {
			c.accounts[kindOf(p.Account)] += p.Amount
		}
		if _, err := c.replay.Next(e.Encode()); err != nil {
			c.t.Error(err)
		}
		if e.Type != book.TypeUsage {
			continue
		}
		period, err := e.Period()
		if err == nil {
			_, err = records[period].Proves(e)
		}
		if err != nil {
			c.t.Error(err)
		}
	}
}

// kindOf is an account without the lot or the hold that it is of.
func kindOf(account string) string {
	for _, kind := range []string{book.AccountPromo, book.AccountHeld} {
		if strings.HasPrefix(account, kind) {
			return kind
		}
	}

	return account
}

// close compares what was noted with how the tenant stands.
func (c *customer) close() {
	h := c.state.Head
	for meter, sum := range c.exact {
		c.metered += sum.over(meter.Divisor())
	}
	c.accrued = h.AccruedTotal()
	c.held[book.AccountPaid], c.held[book.AccountPromo], c.held[book.AccountHeld] = h.Paid, h.Promo(), h.Held()
	if err := c.replay.Matches(h); err != nil {
		c.t.Error(err)
	}
	if !maps.EqualFunc(c.replay.Orders(), c.shelf.orders, book.Order.Equal) {
		c.t.Errorf("%s: orders are not what the entries say", h.Tenant)
	}
	if err := c.state.Check(); err != nil {
		c.t.Error(err)
	}
}
