package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/account"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
)

// accounts are the loops of BillingAccounts in a process: the one that keeps them, and the one that makes them.
type accounts struct {
	loop   reconcile.Reconciler
	keeper *account.Keeper
}

// startAccounts adds the loops of accounts to a process.
func startAccounts(p *converge.Process, docker *swarm.Engine, passes *engine.Metrics) accounts {
	w := p.World.(*world)
	kind := account.New(p.Client, p.Live, billing.NewDesk(p.Client), w.books.begin(p.Seam), docker, silent{})
	loop := engine.New(p.Client, kind, engine.Options{
		Name: account.Name, Finalizer: billingv1.FinalizerAccount, Recorder: silent{}, Strict: true,
		Metrics: passes, Jitter: func() float64 { return 0 },
	})
	out := accounts{loop: loop, keeper: account.NewKeeper(p.Client)}

	w.books.subscribe(func(tenant string) { p.Enqueue(accountOf(tenant)) })

	p.Watch(&billingv1.BillingAccount{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		requests := asked(loop.IgnoreOwnWrites(), old, new)
		if new == nil {
			requests = append(requests, request(old.GetNamespace()))
		}

		return requests
	})
	p.Watch(&v1alpha1.Tenant{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		if old != nil && new != nil && !account.TenantChanged().Update(event.UpdateEvent{ObjectOld: old, ObjectNew: new}) {
			return nil
		}

		return []reconcile.Request{accountOf(either(old, new).GetName())}
	})
	p.Watch(&v1alpha1.Plan{}, func(ctx context.Context, old, new client.Object) []reconcile.Request {
		return account.OfPlan(ctx, p.Client, either(old, new).GetName())
	})
	p.Watch(&billingv1.PriceList{}, func(context.Context, client.Object, client.Object) []reconcile.Request {
		var all []reconcile.Request
		for _, key := range accountKeys(p.Client) {
			all = append(all, reconcile.Request{NamespacedName: key})
		}

		return all
	})
	p.Watch(&corev1.Namespace{}, func(ctx context.Context, old, new client.Object) []reconcile.Request {
		return account.TenantOf(ctx, either(old, new))
	})
	p.Watch(&v1alpha1.TenantContainer{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		if old != nil && new != nil && !account.DemandChanged().Update(event.UpdateEvent{ObjectOld: old, ObjectNew: new}) {
			return nil
		}

		return []reconcile.Request{accountOf(either(old, new).GetNamespace())}
	})

	return out
}

// isAccount is true for requests of the loop of accounts. No container of a scenario has that name.
func isAccount(req reconcile.Request) bool { return req.Name == billingv1.AccountName }

func accountOf(tenant string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: tenant, Name: billingv1.AccountName}}
}

func accountKeys(c client.Client) []types.NamespacedName {
	var list billingv1.BillingAccountList
	if err := c.List(context.Background(), &list); err != nil {
		return nil
	}

	var keys []types.NamespacedName
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}

	return keys
}

// stateOfAccounts is what the API holds of accounts, without times.
func stateOfAccounts(r *converge.Run) []string {
	var (
		out     []string
		list    billingv1.BillingAccountList
		tenants v1alpha1.TenantList
	)

	r.Store.List(&list)
	r.Store.List(&tenants)

	for i := range list.Items {
		a := &list.Items[i]
		s := a.Status
		out = append(out, fmt.Sprintf("account %s hold %t phase %s available %s rate %s runway %s missing %s prices %s entries %d",
			a.Namespace, a.Spec.Hold != nil, s.Phase, s.Available, s.RatePerHour, s.Runway, s.Missing, s.PriceListName, s.LedgerSequence))

		for _, c := range s.Conditions {
			out = append(out, fmt.Sprintf("account %s %s=%s %s: %s", a.Namespace, c.Type, c.Status, c.Reason, c.Message))
		}
	}

	for i := range tenants.Items {
		t := &tenants.Items[i]
		if b := t.Status.Billing; b != nil {
			out = append(out, fmt.Sprintf("tenant %s shows phase %s balance %s rate %s runway %s, suspended for %q",
				t.Name, b.Phase, b.Balance, b.RatePerHour, b.Runway, t.Annotations[v1alpha1.AnnotationBillingSuspend]))
		}
	}

	return out
}

// brokenAccounts lists what must not be true of accounts.
func brokenAccounts(r *converge.Run) []string {
	var (
		out  []string
		list billingv1.BillingAccountList
	)

	r.Store.List(&list)

	for i := range list.Items {
		for _, problem := range check.Problems(&list.Items[i]) {
			out = append(out, fmt.Sprintf("status of account %s: %s", list.Items[i].Namespace, problem))
		}
	}

	return out
}

// createPaying makes a tenant that pays for a container of one CPU, with a grace period of twenty seconds.
func createPaying(r *converge.Run) {
	r.Store.Create(&billingv1.PriceList{
		ObjectMeta: metav1.ObjectMeta{Name: "standard"},
		Spec:       billingv1.PriceListSpec{Prices: billingv1.Prices{CPU: "100"}},
	})
	r.Store.Create(&v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec: v1alpha1.PlanSpec{
			SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{Containers: ptr(int64(20)), Replicas: ptr(int64(40))},
			PriceListName: "standard", Billing: &v1alpha1.BillingRules{GracePeriodSeconds: ptr(int64(20))},
		},
	})
	createTenant("acme")(r)

	c := container("web")
	c.Finalizers = []string{v1alpha1.Finalizer}
	c.Spec = v1alpha1.TenantContainerSpec{
		Image: imageV1, ImagePullPolicy: v1alpha1.PullIfNotPresent, Mode: v1alpha1.ModeReplicated, Replicas: ptr(int32(1)),
		Resources: &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: ptr(resource.MustParse("1"))}},
	}
	r.Store.Create(c)
}

// pay credits a payment, with the decision that goes with it.
func pay(order string, rupiah int64) func(*converge.Run) {
	return func(r *converge.Run) { r.World.(*world).books.pay(r, "acme", order, rupiah) }
}

func editAccount(change func(*billingv1.BillingAccount)) func(*converge.Run) {
	return func(r *converge.Run) {
		a := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: billingv1.AccountName}}
		r.Store.Edit(a, func() { change(a) })
	}
}

func putOnHold(a *billingv1.BillingAccount) { a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"} }

func liftHold(a *billingv1.BillingAccount) { a.Spec.Hold = nil }

func giveUp(a *billingv1.BillingAccount) {
	metav1.SetMetaDataAnnotation(&a.ObjectMeta, billingv1.AnnotationWriteOff, "Agreed on the phone.")
}

func removeAccount(r *converge.Run) {
	r.Store.Delete(&billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: billingv1.AccountName}})
}

// stands is true when the account, which is not being deleted, and the tenant say that it is in the phase.
func stands(phase billingv1.AccountPhase) until {
	return func(r *converge.Run) error {
		var (
			a billingv1.BillingAccount
			t v1alpha1.Tenant
		)

		r.Store.Get("acme", billingv1.AccountName, &a)
		r.Store.Get("", "acme", &t)

		if a.Status.Phase != phase || !a.DeletionTimestamp.IsZero() || t.Status.Billing == nil || t.Status.Billing.Phase != string(phase) {
			return fmt.Errorf("the account is in phase %q, want %q; the tenant shows %+v", a.Status.Phase, phase, t.Status.Billing)
		}
		if conditions.Get(&a, conditions.Ready) == nil {
			return errors.New("the account does not say how it stands")
		}

		return nil
	}
}

// owed is true when the tenant says that it waits for somebody to settle its balance.
func owed(r *converge.Run) error {
	var t v1alpha1.Tenant

	r.Store.Get("", "acme", &t)

	if ready := conditions.Get(&t, conditions.Ready); ready == nil || ready.Reason != billingv1.ReasonBalanceNotSettled {
		return fmt.Errorf("the tenant waits for something else: %+v", ready)
	}

	return nil
}

// moneyScenarios are stories about accounts. What containers and tenants go through on the way is told by the other scenarios, so that
// only calls that are about money go wrong here.
var moneyScenarios = []converge.Scenario{
	{Name: "account", Steps: []converge.Step{
		{Name: "run-out", Do: createPaying, Until: all(suspended("web"), stands("Suspended"))},
		{Name: "pay", Do: pay("o1", 100_000), Until: all(runs("web", imageV1, 1), stands("Active"))},
		{Name: "hold", Do: editAccount(putOnHold), Until: all(suspended("web"), stands("Hold"))},
		{Name: "lift", Do: editAccount(liftHold), Until: all(runs("web", imageV1, 1), stands("Active"))},
		{Name: "remove", Do: removeAccount, Until: all(runs("web", imageV1, 1), stands("Active"))},
		// Nobody meters here, and what runs and is not charged is told: it ends with nothing that runs.
		{Name: "hold-again", Do: editAccount(putOnHold), Until: all(suspended("web"), stands("Hold"))},
	}},
	{Name: "close-account", Steps: []converge.Step{
		{Name: "create", Do: both(createPaying, pay("o1", 100_000)), Until: all(runs("web", imageV1, 1), stands("Active"))},
		{Name: "leave", Do: removeTenant("acme"), Until: owed},
		{Name: "give-up", Do: editAccount(giveUp), Until: all(nothingLeft, noTenant("acme"))},
	}},
}

// TestMoney lets something go wrong at every call that is about an account, one thing at a time; lets the process die after
// every write about one, with a stale view of the store; and lets calls fail at random.
func TestMoney(t *testing.T) {
	for _, scenario := range moneyScenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor(t).Run(t, scenario,
				aboutMoney(converge.EveryPoint), aboutMoney(converge.StaleRestarts(2)), converge.LostNotifications(8), converge.Storms(4, 20))
		})
	}
}

// maxTenantWrites is at how many writes of the status of a Tenant something goes wrong. Two loops write it, and who of them
// does cannot be told from the call.
const maxTenantWrites = 6

// aboutMoney makes the plans for calls to the ledger, for those about BillingAccounts, and for the annotation of Tenants.
func aboutMoney(plans converge.Planner) converge.Planner {
	return func(record []converge.Point) []converge.Plan {
		return plans(slices.DeleteFunc(slices.Clone(record), func(p converge.Point) bool {
			tenant := strings.HasPrefix(p.Target, "Tenant/") && p.Write

			return p.Seam != "Ledger" && !strings.HasPrefix(p.Target, "BillingAccount/") && !(tenant && (p.Op == "Patch" || p.N <= maxTenantWrites))
		}))
	}
}
