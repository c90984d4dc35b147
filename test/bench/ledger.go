package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

var books = benchmark{
	name:  "ledger",
	title: "The ledger",
	about: "Payments, and minutes of ten workloads with two meters, are written for tenants by one caller and by 32, each for a tenant of its own, for half " +
		"a second in a turn, with all decisions that a server takes. Raw etcd takes as many transactions at once, of as many puts of keys and values as long, " +
		"under one condition. Then a minute is closed as a server closes it, by metering's own path on a made-up swarm, for 100 tenants with ten tasks each " +
		"(full: 1,000); raw etcd takes those transactions, 64 at once. A tenant's month has a charge for each hour and a payment a week; its bytes are keys and " +
		"values without etcd's history. At the end all ledgers verify and everybody was charged for the seconds that passed, to the rupiah.",
	goals: []measure.Goal{
		{Figure: rateOf("payments", 1), Against: rawEtcd, AtLeast: 0.8},
		{Figure: rateOf("payments", 32), Against: rawEtcd, AtLeast: 0.8},
		{Figure: rateOf("minutes", 1), Against: rawEtcd, AtLeast: 0.8},
		{Figure: rateOf("minutes", 32), Against: rawEtcd, AtLeast: 0.8},
		{Figure: minuteClosed, AtMost: 2},
	},
	run: func(ctx context.Context, s *session) error {
		b, err := s.till(ctx)
		if err != nil {
			return err
		}
		// In this order each part reads no more than what is its own.
		for _, part := range []func(context.Context) error{b.months, b.minutes, b.transactions} {
			if err := part(ctx); err != nil {
				return err
			}
		}

		return nil
	},
}

func rateOf(what string, callers int) string { return fmt.Sprintf("%s, %d at once", what, callers) }

// epoch is when the time of the ledgers begins: a whole hour.
var epoch = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// At these prices a task of 0.1 CPUs and one GiB costs a rupiah a second for each of three meters.
var (
	taskNanoCPUs    int64 = 100_000_000
	taskMemoryBytes int64 = 1 << 30

	taskPrices = map[money.Meter]money.Micro{
		money.CPU: 36_000 * money.Rupiah, money.Memory: 3600 * money.Rupiah, money.Replica: 3600 * money.Rupiah,
	}
)

const (
	// pricesName is the price list of all tenants.
	pricesName = "bench"
	// plenty is a payment that lasts for ever.
	plenty = 1_000_000_000 * money.Rupiah
)

// till is a ledger on an etcd of its own, with a raw way into that.
type till struct {
	*session

	etcd   *rig.Etcd
	store  *rig.Recorder
	ledger *ledger.Ledger
	term   book.Term
}

// till opens a ledger.
func (s *session) till(ctx context.Context) (*till, error) {
	etcd, err := s.etcd()
	if err != nil {
		return nil, err
	}
	t := &till{session: s, etcd: etcd, store: etcd.Recorder()}
	t.ledger = ledger.New(t.store, func() time.Time { return epoch })
	if t.term, err = t.ledger.Claim(ctx, "bench"); err != nil {
		return nil, fmt.Errorf("begin term: %w", err)
	}

	return t, nil
}

// termsOf are those of a tenant with tasks, and with rules as a plan has them that says nothing.
func termsOf(tenant string, tasks int64) billing.Terms {
	return billing.Terms{
		Tenant:    &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: tenant}},
		Plan:      &v1alpha1.Plan{Spec: v1alpha1.PlanSpec{PriceListName: pricesName}},
		PriceList: &billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: pricesName}},
		Prices:    taskPrices,
		Rate:      money.Micro(tasks) * 3 * 3600 * money.Rupiah,
		Rules: solvency.Rules{
			Warnings:    []time.Duration{72 * time.Hour, 24 * time.Hour, 6 * time.Hour, time.Hour},
			GracePeriod: time.Hour, MinRunway: time.Hour,
		},
	}
}

// do carries out an operation as a server does, for a tenant with ten tasks.
func (t *till) do(ctx context.Context, tenant string, op book.Op) error {
	_, err := t.ledger.Do(ctx, book.Request{
		Tenant: tenant, Op: op, Term: t.term, Decide: termsOf(tenant, 10).Decide(func() time.Time { return epoch }),
	})

	return err
}

// paid is the nth of a tenant. Orders and transactions are as long as those of Midtrans.
func paid(n int64, amount money.Micro) book.TopUp {
	return book.TopUp{
		Order: fmt.Sprintf("dk-bench0-%026d", n), Transaction: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Amount: amount,
	}
}

// charge is what some workloads used in windows from the nth on, settled at the end of each hour.
func charge(n, windows int64, workloads int) book.Charge {
	from := book.WindowAt(epoch) + n
	c := book.Charge{From: from, Through: from + windows - 1, PriceList: pricesName}
	c.Settle = book.LastOfHour(c.Through)
	for i := range workloads {
		name := fmt.Sprintf("TenantContainer/workload-%02d/00000000-0000-4000-8000-%012d", i, i)
		c.Lines = append(c.Lines,
			book.Line{Workload: name, Meter: money.CPU, Quantity: taskNanoCPUs, Seconds: 60 * windows, Price: taskPrices[money.CPU]},
			book.Line{Workload: name, Meter: money.Memory, Quantity: taskMemoryBytes, Seconds: 60 * windows, Price: taskPrices[money.Memory]},
		)
	}

	return c
}

const (
	// slice is for how long callers write at a time.
	slice = 500 * time.Millisecond
	// shapes is how many transactions raw etcd copies in turn: those of an hour of minutes.
	shapes = 60
)

// operation is one that is measured: what a caller does for the nth time, and the transactions that come of it.
type operation struct {
	name  string
	op    func(n int64) book.Op
	shape [][]rig.Put
	calls []int64
}

func (o *operation) tenant(caller int) string { return fmt.Sprintf("%s-%02d", o.name, caller) }

// transactions compares the ledger with raw transactions.
func (t *till) transactions(ctx context.Context) error {
	const most = 32

	operations := []*operation{
		{name: "payments", op: func(n int64) book.Op { return paid(n, 10_000*money.Rupiah) }},
		{name: "minutes", op: func(n int64) book.Op { return charge(n, 1, 10) }},
	}
	for _, o := range operations {
		if err := t.prepare(ctx, o, most); err != nil {
			return err
		}
	}

	// turn lets one and then many callers write, and tells how many transactions a second came of it.
	turn := func(write func(ctx context.Context, o *operation, caller int) error) func(context.Context, adder) error {
		return func(ctx context.Context, add adder) error {
			for _, o := range operations {
				for _, callers := range []int{1, most} {
					rate, err := during(slice, callers, func(caller int) error { return write(ctx, o, caller) })
					if err != nil {
						return err
					}
					add(rateOf(o.name, callers), measure.PerSecond, rate)
				}
			}

			return nil
		}
	}
	var raw atomic.Int64
	err := t.take(ctx, t.samples,
		arm{rawEtcd, turn(func(ctx context.Context, o *operation, caller int) error {
			n := raw.Add(1)
			return t.etcd.Write(ctx, "/raw/"+o.tenant(caller), n, o.shape[n%int64(len(o.shape))])
		})},
		arm{measure.Ours, turn(t.next)},
	)
	if err != nil {
		return err
	}

	return t.audit(ctx, operations)
}

// prepare does what comes before the first turn: everybody has money and is known to the ledger, and it is noted what an
// hour of operations puts.
func (t *till) prepare(ctx context.Context, o *operation, callers int) error {
	o.calls = make([]int64, callers)
	for caller := range callers {
		if err := t.do(ctx, o.tenant(caller), paid(1<<40, plenty)); err != nil {
			return err
		}
		if err := t.next(ctx, o, caller); err != nil {
			return err
		}
	}

	t.store.Start()
	for range shapes + 1 {
		if err := t.next(ctx, o, 0); err != nil {
			return err
		}
	}
	// Of the first one, the recorder takes keys for new that are not.
	o.shape = t.store.Stop()[1:]

	return nil
}

// next does a caller's next operation.
func (t *till) next(ctx context.Context, o *operation, caller int) error {
	o.calls[caller]++

	return t.do(ctx, o.tenant(caller), o.op(o.calls[caller]-1))
}

// audit wants each call to be in the ledger, once.
func (t *till) audit(ctx context.Context, operations []*operation) error {
	for _, o := range operations {
		for caller, calls := range o.calls {
			report, err := t.ledger.Verify(ctx, o.tenant(caller))
			if err != nil {
				return err
			}
			head, err := t.ledger.Head(ctx, o.tenant(caller))
			if err != nil {
				return err
			}
			minutes := head.ChargedThrough - book.WindowAt(epoch) + 1
			if o.name == "payments" && report.Entries != calls+1 || o.name == "minutes" && minutes != calls {
				return fmt.Errorf("%q made %d calls and has %d entries and %d minutes", o.tenant(caller), calls, report.Entries, minutes)
			}
		}
	}

	return nil
}

// during lets callers call for some time, and returns how many calls a second they made together.
func during(d time.Duration, callers int, call func(caller int) error) (float64, error) {
	var made atomic.Int64
	errs := make([]error, callers)

	began := time.Now()
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for errs[caller] == nil && time.Since(began) < d {
				errs[caller] = call(caller)
				made.Add(1)
			}
		})
	}
	group.Wait()

	return float64(made.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}
