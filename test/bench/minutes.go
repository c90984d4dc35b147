package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/controllers/metering"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	minuteClosed = "a minute of everybody is closed"
	hourClosed   = "the last minute of an hour is closed, and the hour settled"
	looked       = "a look that closes nothing"

	// tasksPerPayer are those of each tenant, two of each of five workloads.
	tasksPerPayer = 10
	payerPrefix   = "payer-"
	// lookEvery is how often metering looks at the swarm.
	lookEvery = 15 * time.Second
	// atOnce is how many transactions raw etcd is given at once: as many as metering has under way.
	atOnce = 64
)

// crowd is a swarm with the tasks of many tenants, all of which run, and whose clock goes on when it is told to. It is both
// to metering.
type crowd struct {
	tasks []usage.Task
	nodes map[string]usage.Node
	now   time.Time
}

// newCrowd makes one of so many tenants.
func newCrowd(tenants int) *crowd {
	c := &crowd{nodes: map[string]usage.Node{}, now: epoch}
	before := epoch.Add(-time.Hour)
	for i := range tenants * tasksPerPayer {
		node := fmt.Sprintf("node-%02d", i%20)
		c.nodes[node] = usage.Node{State: swarm.NodeStateReady, Updated: before}
		name := fmt.Sprintf("workload-%d", i%tasksPerPayer/2)
		c.tasks = append(c.tasks, usage.Task{
			ID: fmt.Sprintf("task%021d", i), NodeID: node, State: swarm.TaskStateRunning, Since: before, Created: before, Updated: before,
			Owner: swarmobj.Owner{
				Tenant: payerName(i / tasksPerPayer), Kind: "TenantContainer", Name: name, UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i/2),
			},
			NanoCPUs: taskNanoCPUs, MemoryBytes: taskMemoryBytes,
		})
	}

	return c
}

func payerName(i int) string { return fmt.Sprintf("%s%04d", payerPrefix, i) }

// Sample implements metering.Swarm.
func (c *crowd) Sample(context.Context) (usage.Sample, error) {
	return usage.Sample{Tasks: c.tasks, Nodes: c.nodes, Clocks: []time.Time{c.now}}, nil
}

// Read implements metering.Clock.
func (c *crowd) Read() metering.Reading {
	return metering.Reading{Wall: c.now, Mono: c.now.Sub(epoch)}
}

// flat is the same tariff for everybody.
type flat struct{ now func() time.Time }

// Tariff implements ledger.Pricing.
func (f flat) Tariff(_ context.Context, tenant string, _ int64) (ledger.Tariff, error) {
	terms := termsOf(tenant, tasksPerPayer)

	return ledger.Tariff{PriceList: pricesName, Prices: taskPrices, Floor: terms.Floor, Decide: terms.Decide(f.now)}, nil
}

var (
	_ metering.Swarm = (*crowd)(nil)
	_ metering.Clock = (*crowd)(nil)
	_ ledger.Pricing = flat{}
)

// meter is metering at work on a crowd.
type meter struct {
	*till

	crowd  *crowd
	ledger *ledger.Ledger
	meter  *metering.Meter
	closes [][]rig.Put
	raw    int64
}

// minutes measures how long it takes to close a minute for everybody.
func (t *till) minutes(ctx context.Context) error {
	m := &meter{till: t, crowd: newCrowd(t.payers)}
	now := func() time.Time { return m.crowd.now }
	m.ledger = ledger.New(t.store, now)
	m.meter = metering.New(metering.Options{Swarm: m.crowd, Clock: m.crowd, Store: ledger.NewMetering(m.ledger, flat{now}, t.term)})
	for i := range t.payers {
		_, err := m.ledger.Do(ctx, book.Request{
			Tenant: payerName(i), Op: paid(0, plenty), Term: t.term, Decide: termsOf(payerName(i), tasksPerPayer).Decide(now),
		})
		if err != nil {
			return err
		}
	}

	if err := m.begin(ctx); err != nil {
		return err
	}
	err := t.take(ctx, t.samples,
		arm{rawEtcd, m.rawTurn},
		arm{measure.Ours, func(ctx context.Context, add adder) error { return m.minute(ctx, minuteClosed, add) }},
	)
	if err != nil {
		return err
	}

	return m.endOfHour(ctx)
}

// begin takes the first looks, until a minute has been closed, and notes what that puts.
func (m *meter) begin(ctx context.Context) error {
	nowhere := func(string, measure.Unit, float64) {}
	for range 2 {
		if err := m.look(ctx); err != nil {
			return err
		}
		m.crowd.now = m.crowd.now.Add(lookEvery)
	}
	if err := m.look(ctx); err != nil {
		return err
	}
	// The recorder takes keys for new in the first minute that are not in later ones.
	m.store.Start()
	if err := m.minute(ctx, minuteClosed, nowhere); err != nil {
		return err
	}
	m.store.Stop()

	m.store.Start()
	err := m.minute(ctx, minuteClosed, nowhere)
	for _, puts := range m.store.Stop() {
		// What writes one key is the mark of metering, at each look.
		if len(puts) > 1 {
			m.closes = append(m.closes, puts)
		}
	}
	if err == nil && len(m.closes) != m.payers {
		err = fmt.Errorf("closing a minute of %d tenants took %d transactions", m.payers, len(m.closes))
	}

	return err
}

// look is one of metering.
func (m *meter) look(ctx context.Context) error {
	if err := m.meter.Tick(ctx); err != nil {
		return fmt.Errorf("look at %s: %w", m.crowd.now.Format(time.TimeOnly), err)
	}

	return nil
}

// minute looks until another minute has been closed, which is half a minute after its end.
func (m *meter) minute(ctx context.Context, figure string, add adder) error {
	var took measure.Values
	for range int(time.Minute / lookEvery) {
		m.crowd.now = m.crowd.now.Add(lookEvery)
		began := time.Now()
		if err := m.look(ctx); err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds())
	}
	last := len(took) - 1
	add(figure, measure.Seconds, took[last])
	add(looked, measure.Seconds, took[:last].Median())

	return m.charged(ctx)
}

// charged wants everybody to be charged for all the time that is over, at what it costs.
func (m *meter) charged(ctx context.Context) error {
	over := m.crowd.now.Truncate(time.Minute)
	through := book.WindowAt(over) - 1
	cost := money.Micro(3*tasksPerPayer*int64(over.Sub(epoch)/time.Second)) * money.Rupiah

	found := 0
	for head, err := range m.ledger.Heads(ctx) {
		if err != nil {
			return err
		}
		if !strings.HasPrefix(head.Tenant, payerPrefix) {
			continue
		}
		found++
		if used := head.Used + head.AccruedTotal(); head.ChargedThrough != through || used != cost {
			return fmt.Errorf("at %s %q was charged %s through minute %d, and should be %s through %d",
				m.crowd.now.Format(time.TimeOnly), head.Tenant, used, head.ChargedThrough, cost, through)
		}
	}
	if found != m.payers {
		return fmt.Errorf("there are ledgers of %d tenants, and should be of %d", found, m.payers)
	}

	return nil
}

// rawTurn makes the transactions of a closed minute past the ledger.
func (m *meter) rawTurn(ctx context.Context, add adder) error {
	m.raw++
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, puts := range m.closes {
		group.Go(func() error { return m.etcd.Write(ctx, "/raw/"+payerName(i), m.raw, puts) })
	}
	err := group.Wait()
	add(minuteClosed, measure.Seconds, time.Since(began).Seconds())

	return err
}

// endOfHour goes on to the end of the hour, when everybody's use is settled, and verifies all ledgers.
func (m *meter) endOfHour(ctx context.Context) error {
	figures := map[string]float64{}
	note := func(figure string, _ measure.Unit, value float64) { figures[figure] = value }
	for !book.LastOfHour(book.WindowAt(m.crowd.now) - 1) {
		clear(figures)
		if err := m.minute(ctx, hourClosed, note); err != nil {
			return err
		}
	}
	m.report.Add(measure.Ours, hourClosed, measure.Seconds, figures[hourClosed])

	var errs []error
	for i := range m.payers {
		report, err := m.ledger.Verify(ctx, payerName(i))
		if err == nil && report.Records != 1 {
			err = fmt.Errorf("the ledger of %q has %d settled records, and should have one", payerName(i), report.Records)
		}
		errs = append(errs, err)
	}

	return errors.Join(errs...)
}
