package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/controllers/account"
	"github.com/dogker/dogker/controllers/metering"
	"github.com/dogker/dogker/controllers/pricelist"
	"github.com/dogker/dogker/controllers/statement"
	"github.com/dogker/dogker/controllers/topup"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// The adapters are what the controllers ask for.
var (
	_ metering.Swarm    = (*swarm.Engine)(nil)
	_ metering.Store    = (*ledger.Metering)(nil)
	_ account.Running   = (*swarm.Engine)(nil)
	_ account.Ledger    = (*ledger.Leader)(nil)
	_ topup.Ledger      = (*ledger.Leader)(nil)
	_ statement.Ledger  = (*ledger.Ledger)(nil)
	_ statement.Archive = (*ledger.Leader)(nil)
)

// till is everything about money in this process: metering and charging, payments, months, and what tenants are told.
type till struct {
	*controllers
	parts    billingParts
	m        manager.Manager
	docker   *swarm.Engine
	passes   *engine.Metrics
	recorder record.EventRecorder
	leader   *ledger.Leader
	desk     *billing.Desk
	meter    *lateMeter
}

// registerBilling adds the control loops of money. They have nothing to do for tenants whose plan has no prices.
func registerBilling(m manager.Manager, c *controllers, docker *swarm.Engine, passes *engine.Metrics) error {
	books := ledger.New(c.server.Etcd(), time.Now)
	leader, err := ledger.NewLeader(books, ledger.LeaderOptions{
		Holder: c.lock.Identity(), Hold: c.lock.hold, Registerer: ctrlmetrics.Registry, Log: c.log,
	})
	if err != nil {
		return err
	}
	if err := m.Add(leader); err != nil {
		return fmt.Errorf("add leader of the ledger: %w", err)
	}

	t := &till{
		controllers: c, parts: c.options.parts, m: m, docker: docker, passes: passes, leader: leader, desk: billing.NewDesk(m.GetClient()),
		recorder: m.GetEventRecorderFor("dogker"), //nolint:staticcheck // kubectl describe shows these for every kind.
	}
	if err := t.parts.notices.register(m, c); err != nil {
		return err
	}
	t.meter = &lateMeter{leader: leader, options: metering.Options{Swarm: payers{docker, t.desk}, Volumes: declaredVolumes{m.GetClient(), t.desk}, Log: c.log, Registerer: ctrlmetrics.Registry}, tariffs: ledger.NewTariffs(t.desk, books, time.Now)}
	if err := m.Add(t.meter); err != nil {
		return fmt.Errorf("add metering: %w", err)
	}
	for _, register := range []func() error{t.accounts, t.payments, t.months, t.notices} {
		if err := register(); err != nil {
			return err
		}
	}

	return nil
}

// lateMeter begins to meter once the term has begun, without which nothing can be stored.
type lateMeter struct {
	leader  *ledger.Leader
	tariffs *ledger.Tariffs
	options metering.Options
	begun   atomic.Pointer[metering.Meter]
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*lateMeter) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable.
func (l *lateMeter) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.leader.Begun():
	}
	term, err := l.leader.Term()
	if err != nil {
		return err
	}
	o := l.options
	o.Store = ledger.NewMetering(l.leader.Ledger, l.tariffs, term)
	meter := metering.New(o)
	l.begun.Store(meter)

	return meter.Start(ctx)
}

// payers is the swarm as far as somebody pays for it. Who does not pay needs no record of what he used, every minute of it.
type payers struct {
	metering.Swarm
	desk interface {
		Paying(ctx context.Context) (map[string]bool, error)
	}
}

// Sample leaves out the tasks of tenants whose plans name no prices: to metering they do not run. When a tenant begins to
// pay, what runs begins then.
func (p payers) Sample(ctx context.Context) (usage.Sample, error) {
	// Who pays is asked first: a tenant that is known to pay only later is metered from the next sample on.
	paying, err := p.desk.Paying(ctx)
	if err != nil {
		return usage.Sample{}, fmt.Errorf("find out who pays: %w", err)
	}
	s, err := p.Swarm.Sample(ctx)
	if err != nil {
		return usage.Sample{}, err
	}
	// A task without an owner is one whose service is not known yet, or gone. It may be a payer's.
	s.Tasks = slices.DeleteFunc(s.Tasks, func(t usage.Task) bool {
		return t.Owner != (swarmobj.Owner{}) && !paying[t.Owner.Tenant]
	})

	return s, nil
}

// state is how metering stands; nothing is known on a server that does not lead.
func (l *lateMeter) state() account.Metering {
	meter := l.begun.Load()
	if meter == nil {
		return account.Metering{}
	}
	s := meter.State()

	return account.Metering{Sampled: s.Sampled, ClockSkewed: s.ClockSkewed}
}

// engineOf is the loop of a kind, with what all loops have in common.
func engineOf[T engine.Object](t *till, kind engine.Kind[T], name, finalizer string) *engine.Engine[T] {
	return engine.New(t.m.GetClient(), kind, engine.Options{
		Name: name, Finalizer: finalizer, Recorder: t.recorder, Metrics: t.passes, Logger: t.log,
	})
}

// accounts adds what keeps BillingAccounts and PriceLists.
func (t *till) accounts() error {
	shown := account.NewMetrics(t.m.GetClient())
	if err := ctrlmetrics.Registry.Register(shown); err != nil {
		return fmt.Errorf("register metrics of accounts: %w", err)
	}
	kind := account.New(t.m.GetClient(), t.m.GetAPIReader(), t.desk, t.leader, t.docker, t.recorder,
		account.WithMetering(t.meter.state), account.WithMetrics(shown))
	if err := account.Setup(t.m, engineOf(t, kind, account.Name, billingv1.FinalizerAccount), t.written()); err != nil {
		return fmt.Errorf("set up controller of accounts: %w", err)
	}
	if err := account.NewKeeper(t.m.GetClient()).Setup(t.m); err != nil {
		return fmt.Errorf("set up keeper of accounts: %w", err)
	}
	prices := pricelist.New(t.m.GetClient(), t.m.GetAPIReader(), pricelist.WithOpen(t.leader.Open))
	if err := pricelist.Setup(t.m, engineOf(t, prices, pricelist.Name, billingv1.FinalizerPriceList)); err != nil {
		return fmt.Errorf("set up controller of price lists: %w", err)
	}

	return nil
}

// months adds what closes months and archives them.
func (t *till) months() error {
	o := statement.Options{
		Client: t.m.GetClient(), Live: t.m.GetAPIReader(), Ledger: t.leader.Ledger, Archive: t.leader, ArchiveDir: t.parts.archiveDir,
		Recorder: t.recorder, Log: t.log, Registry: ctrlmetrics.Registry,
	}
	if err := t.m.Add(statement.New(o)); err != nil {
		return fmt.Errorf("add statements: %w", err)
	}

	return nil
}

// notices adds what passes on what tenants are told of their money.
func (t *till) notices() error {
	b := notice.NewBridge(notice.Options{
		Ledger: t.leader, Outbox: t.parts.notices.queue, Receivers: t.parts.notices.directory.Receivers, Record: t.tell, Log: t.log,
	})
	t.leader.Subscribe(b.Wake)
	if err := t.m.Add(b); err != nil {
		return fmt.Errorf("add bridge of notices: %w", err)
	}

	return nil
}

// tell puts a notice where the tenant sees it. Without an account there is nobody to tell.
func (t *till) tell(ctx context.Context, p ledger.Pending) {
	var account billingv1.BillingAccount
	if err := t.m.GetClient().Get(ctx, client.ObjectKey{Namespace: p.Tenant, Name: billingv1.AccountName}, &account); err != nil {
		return
	}
	t.recorder.Event(&account, notice.EventType(p.Notice), p.Kind, notice.Text(p.Notice))
}

// written is told of each tenant whose ledger was written to, for loops that show what is in it. What nobody takes in time
// is dropped: accounts are looked at from time to time in any case.
func (t *till) written() <-chan event.TypedGenericEvent[string] {
	ch := make(chan event.TypedGenericEvent[string], hintQueue)
	t.leader.Subscribe(func(tenant string) {
		select {
		case ch <- event.TypedGenericEvent[string]{Object: tenant}:
		default:
		}
	})

	return ch
}
