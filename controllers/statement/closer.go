package statement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// Name of the control loop, in logs.
	Name = "statement"
	// interval between two looks at everything. A month that is over is closed within it.
	interval = 10 * time.Minute

	eventStatementWritten = "StatementWritten"
)

// errContradiction is a month that does not open with what the one before closed with. Nobody but a person may say which of
// the two is right.
var errContradiction = errors.New("the statement of the month before says otherwise")

// Options of a Closer.
type Options struct {
	// Client reads accounts, statements and price lists from a cache, and writes statements.
	Client client.Client
	// Live asks the API server itself.
	Live   client.Reader
	Ledger Ledger
	// Archive is what ledgers are measured and archived by, and nil where neither is done. ArchiveDir is where to; nothing is
	// archived when it is empty.
	Archive    Archive
	ArchiveDir string
	Recorder   record.EventRecorder
	Log        *slog.Logger
	Registry   prometheus.Registerer
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// Closer closes months. It is a Runnable of a manager, for the leader only.
type Closer struct {
	o       Options
	log     *slog.Logger
	metrics metrics
	// began is when the ledger begins for each account without a Statement, so that it is looked up once. Accounts are told
	// apart by their UIDs: a tenant can have the name of one that is gone.
	began map[types.UID]beginning
	keep  *keeper
}

// New returns a Closer.
func New(o Options) *Closer {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Closer{o: o, log: o.Log.With(logkey.Controller, Name), metrics: newMetrics(o.Registry), began: map[types.UID]beginning{}}
	c.keep = &keeper{Closer: c, done: map[string]int64{}}

	return c
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Closer) NeedLeaderElection() bool { return true }

// Start looks at everything at once, and then every interval, until the context ends.
func (c *Closer) Start(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := c.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "Could not close all months", logkey.Err, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep looks once. One account's trouble is its own. It is exported for tests, which have a clock of their own.
func (c *Closer) Sweep(ctx context.Context) error {
	var accounts billingv1.BillingAccountList
	if err := c.o.Client.List(ctx, &accounts); err != nil {
		return fmt.Errorf("list billing accounts: %w", err)
	}
	var waiting, failing int
	var errs []error
	for i := range accounts.Items {
		account := &accounts.Items[i]
		if account.Name != billingv1.AccountName || account.DeletionTimestamp != nil || ctx.Err() != nil {
			continue
		}
		waits, err := c.close(ctx, account)
		if waits {
			waiting++
		}
		if err != nil {
			failing++
			errs = append(errs, fmt.Errorf("close months of %q: %w", account.Namespace, err))
		}
	}
	if err := c.keep.sweep(ctx); err != nil {
		failing++
		errs = append(errs, err)
	}
	c.metrics.waiting.Set(float64(waiting))
	c.metrics.failing.Set(float64(failing))

	return errors.Join(errs...)
}

// close writes the Statements that are due, oldest first, and tells whether one has to wait.
func (c *Closer) close(ctx context.Context, account *billingv1.BillingAccount) (waits bool, err error) {
	tenant, offset, now := account.Namespace, account.Spec.UTCOffsetHours, c.o.Now().Unix()
	var all billingv1.StatementList
	if err := c.o.Client.List(ctx, &all, client.InNamespace(tenant)); err != nil {
		return false, fmt.Errorf("list statements: %w", err)
	}
	have := written(all.Items, offset)
	first, ok, err := c.first(ctx, account, have, now)
	if err != nil || !ok {
		return false, err
	}
	spans := due(have, first, now)
	if len(spans) == 0 {
		return false, nil
	}
	if b := c.began[account.UID]; b.inherited {
		spans[0].from = b.at
	}
	start, err := c.o.Ledger.Start(ctx, tenant)
	if err != nil {
		return false, err
	}
	closing := map[int64]string{}
	for _, s := range have {
		closing[s.Spec.To.Unix()] = s.Spec.Closing
	}
	for _, s := range spans {
		done, err := c.closeOne(ctx, account, s, start, closing)
		if err != nil {
			return false, fmt.Errorf("month %s: %w", s.name, err)
		}
		if !done {
			return true, nil
		}
	}

	return false, nil
}

// first is the month from which on there are Statements: of the oldest there is, or of the first entry, and none before
// what was pruned.
func (c *Closer) first(ctx context.Context, account *billingv1.BillingAccount, have []*billingv1.Statement, now int64) (book.Month, bool, error) {
	offset := account.Spec.UTCOffsetHours
	if len(have) > 0 {
		m, err := book.ParseMonth(have[0].Name, offset)
		delete(c.began, account.UID)

		return m, err == nil, err
	}
	b, known := c.began[account.UID]
	if !known {
		var found bool
		var err error
		if b, found, err = c.beginning(ctx, account.Namespace); err != nil || !found {
			return book.Month{}, false, err
		}
		c.began[account.UID] = b
	}
	m := book.MonthAt(b.at, offset)

	return m, m.End() <= now, nil
}

// beginning is where the ledger of a tenant begins.
type beginning struct {
	at int64
	// inherited is true when there are entries from before the tenant was made. They are of somebody who had its name, and
	// none of its business.
	inherited bool
}

// beginning finds it, if there is a ledger.
func (c *Closer) beginning(ctx context.Context, tenant string) (beginning, bool, error) {
	head, err := c.o.Ledger.Head(ctx, tenant)
	if err != nil || head.Seq == 0 {
		return beginning{}, false, err
	}
	start, err := c.o.Ledger.Start(ctx, tenant)
	if err != nil {
		return beginning{}, false, err
	}
	entry, err := c.o.Ledger.Entry(ctx, tenant, start.Seq+1)
	if err != nil {
		return beginning{}, false, err
	}
	var t dogkerv1.Tenant
	if err := c.o.Client.Get(ctx, client.ObjectKey{Name: tenant}, &t); client.IgnoreNotFound(err) != nil {
		return beginning{}, false, fmt.Errorf("read tenant: %w", err)
	}
	if made := t.CreationTimestamp.Unix(); !t.CreationTimestamp.IsZero() && entry.Effective() < made {
		return beginning{made, true}, true, nil
	}

	return beginning{at: entry.Effective()}, true, nil
}

// closeOne writes the Statement of a month if everything of it is in the ledger. closing has what Statements close with, by
// when.
func (c *Closer) closeOne(ctx context.Context, account *billingv1.BillingAccount, s span, start book.Head, closing map[int64]string) (bool, error) {
	tenant := account.Namespace
	complete, err := c.o.Ledger.Complete(ctx, tenant, s.to)
	if err != nil || !complete {
		return false, err
	}
	items := following(c.o.Ledger.Items(ctx, tenant, start.Seq+1), start)
	spec, priceList, err := build(tenant, s, start.Balance(), items)
	if err != nil {
		return false, err
	}
	if before, is := closing[s.from]; is && before != spec.Opening {
		return false, fmt.Errorf("it opens with %s and not with %s: %w", spec.Opening, before, errContradiction)
	}
	if spec.TaxNote, err = c.taxNote(ctx, priceList); err != nil {
		return false, err
	}
	closing[s.to] = spec.Closing
	statement := &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: s.name}, Spec: spec}

	return true, c.write(ctx, account, statement)
}

// write creates it. One that is there already is either the same or not ours to change.
func (c *Closer) write(ctx context.Context, account *billingv1.BillingAccount, s *billingv1.Statement) error {
	c.log.InfoContext(ctx, "Writing Statement", logkey.Object, s.Namespace+"/"+s.Name)
	err := c.o.Client.Create(ctx, s.DeepCopy())
	if apierrors.IsAlreadyExists(err) {
		var there billingv1.Statement
		if err := c.o.Live.Get(ctx, client.ObjectKeyFromObject(s), &there); err != nil {
			return fmt.Errorf("read statement %q: %w", s.Name, err)
		}
		if !equality.Semantic.DeepEqual(there.Spec, s.Spec) {
			return fmt.Errorf("statement %q is there with other sums: %w", s.Name, errContradiction)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("create statement %q: %w", s.Name, err)
	}
	c.metrics.written.Inc()
	c.o.Recorder.Event(account, corev1.EventTypeNormal, eventStatementWritten,
		fmt.Sprintf("Statement of %s: used Rp %s, closes with Rp %s", s.Name, s.Spec.Used, s.Spec.Closing))

	return nil
}

// taxNote is that of a price list. One that is gone has none.
func (c *Closer) taxNote(ctx context.Context, priceList string) (string, error) {
	if priceList == "" {
		return "", nil
	}
	var list billingv1.PriceList
	err := c.o.Client.Get(ctx, client.ObjectKey{Name: priceList}, &list)
	if err != nil && !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("read price list %q: %w", priceList, err)
	}

	return list.Spec.TaxNote, nil
}
