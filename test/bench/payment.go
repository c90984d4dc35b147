package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/payment"
	"github.com/dogker/dogker/reconciler/solvency"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// scaleUp is the arm of somebody who starts a service again by hand.
const scaleUp = "service update --replicas 1"

const (
	untilTold = "until the engine is told, by its clock"

	// payerTenant is who pays.
	payerTenant = "payer"
	// paidAmount in rupiah lasts for days, and paidBy is how.
	paidAmount = 100_000
	paidBy     = payment.Method("gopay")
	// phaseBound is how long any step may take.
	phaseBound = time.Minute
)

var payday = benchmark{
	name:  "payment",
	title: "From a payment to the first running task",
	about: "A tenant without money has one container of one task, which is suspended. From the moment at which the payment gateway, a fake one in the " +
		"benchmark, takes a payment, until the engine shows its task to run: a signed notification, the gateway's status, the ledger, the account, the " +
		"service. Otherwise a like service with 0 replicas is scaled to one by a bare call. The engine's list of tasks is asked every 5 ms. After each turn " +
		"the payer's bank takes the money back, and the hold that comes of that is lifted, which leaves a tenant without money.",
	goals: []measure.Goal{
		{Figure: untilSeen, Against: scaleUp, AtMost: 1.1},
		{Figure: untilSeen, AtMost: 5},
	},
	run: func(ctx context.Context, s *session) error {
		c, err := s.cashier(ctx)
		if err != nil {
			return err
		}

		return s.take(ctx, s.samples, arm{scaleUp, c.scaleUp}, arm{measure.Ours, c.pay})
	},
}

// cashier is an engine, a server and a gateway, with one tenant who is suspended.
type cashier struct {
	*session

	engine  *rig.Engine
	server  *rig.Server
	gateway *rig.Gateway
	// ours is the service of the tenant's container, and like one that is like it.
	ours, like swarm.Service
	made       int
}

// cashier sets one up: a tenant pays, runs a container, and loses its money.
func (s *session) cashier(ctx context.Context) (*cashier, error) {
	c := &cashier{session: s}
	var err error
	if c.engine, err = s.engine(ctx); err != nil {
		return nil, err
	}
	if c.gateway, err = rig.StartGateway(s.dir); err != nil {
		return nil, err
	}
	s.stops = append(s.stops, c.gateway.Close)
	if c.server, err = s.server(ctx, c.engine.Host, c.gateway.Flags...); err != nil {
		return nil, err
	}
	if err := c.establish(ctx); err != nil {
		return nil, err
	}

	return c, c.copy(ctx)
}

// establish makes the tenant, whose plan has prices and no grace, and its container.
func (c *cashier) establish(ctx context.Context) error {
	plan := plan(planName, v1alpha1.ProfilePrivileged)
	plan.Spec.PriceListName = pricesName
	plan.Spec.Billing = &v1alpha1.BillingRules{MinRunwaySeconds: 60, GracePeriodSeconds: new(int64(0))}
	prices := &billingv1.PriceList{
		ObjectMeta: metav1.ObjectMeta{Name: pricesName}, Spec: billingv1.PriceListSpec{Prices: billingv1.Prices{Replica: "600"}},
	}
	for _, object := range []client.Object{prices, plan} {
		if err := c.server.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T: %w", object, err)
		}
	}
	tenant := &v1alpha1.Tenant{
		ObjectMeta: metav1.ObjectMeta{Name: payerTenant},
		Spec:       v1alpha1.TenantSpec{PlanName: planName, DeletionPolicy: v1alpha1.DeletionDelete},
	}
	if err := c.server.CreateTenants(ctx, []*v1alpha1.Tenant{tenant}); err != nil {
		return err
	}

	// Whoever has no money may declare nothing that costs any.
	order, err := c.order(ctx)
	if err != nil {
		return err
	}
	if _, err := c.gateway.Pay(order, paidBy); err != nil {
		return err
	}
	if _, err := c.await(ctx, "has money", func(a *billingv1.BillingAccount) bool { return a.Status.Paid == strconv.Itoa(paidAmount) }); err != nil {
		return err
	}
	if err := c.server.Client.Create(ctx, rig.Container(payerTenant, "web", 1)); err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	services, err := c.engine.AwaitServices(ctx, swarmobj.ServiceName(payerTenant, "web"), 1)
	if err != nil {
		return err
	}
	c.ours = services[0]
	if _, err := c.running(ctx, c.ours); err != nil {
		return err
	}

	return c.takeBack(ctx, order)
}

// copy makes the service that the other arm scales.
func (c *cashier) copy(ctx context.Context) error {
	network, err := c.engine.CreateNetwork(ctx, bareNetwork)
	if err != nil {
		return err
	}
	spec, err := rig.Like(c.ours.Spec, bareNetwork+"_web", network, 0)
	if err != nil {
		return err
	}
	if err := c.engine.Create(ctx, []swarm.ServiceSpec{spec}); err != nil {
		return err
	}
	services, err := c.engine.AwaitServices(ctx, spec.Name, 1)
	if err != nil {
		return err
	}
	c.like = services[0]

	return nil
}

// pay settles a payment and waits until the tenant's task runs again.
func (c *cashier) pay(ctx context.Context, add adder) error {
	order, err := c.order(ctx)
	if err != nil {
		return err
	}

	began := time.Now()
	if _, err := c.gateway.Pay(order, paidBy); err != nil {
		return fmt.Errorf("pay %q: %w", order, err)
	}
	if err := c.time(ctx, c.ours, began, add); err != nil {
		return err
	}

	return c.takeBack(ctx, order)
}

// scaleUp scales the other service to one, and to none again.
func (c *cashier) scaleUp(ctx context.Context, add adder) error {
	began := time.Now()
	if err := c.scale(ctx, 1); err != nil {
		return err
	}
	if err := c.time(ctx, c.like, began, add); err != nil {
		return err
	}
	if err := c.scale(ctx, 0); err != nil {
		return err
	}

	return c.engine.AwaitNoContainers(ctx)
}

// scale does what `docker service update --replicas` does.
func (c *cashier) scale(ctx context.Context, replicas uint64) error {
	now, _, err := c.engine.Docker.ServiceInspectWithRaw(ctx, c.like.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		return fmt.Errorf("inspect service: %w", err)
	}
	now.Spec.Mode.Replicated.Replicas = &replicas
	if _, err := c.engine.Docker.ServiceUpdate(ctx, now.ID, now.Version, now.Spec, swarm.ServiceUpdateOptions{}); err != nil {
		return fmt.Errorf("scale service to %d: %w", replicas, err)
	}

	return nil
}

// time waits until a service has a running task, and notes how long that took.
func (c *cashier) time(ctx context.Context, service swarm.Service, began time.Time, add adder) error {
	ran, err := c.running(ctx, service)
	if err != nil {
		return err
	}
	add(untilSeen, measure.Seconds, time.Since(began).Seconds())
	add(untilRuns, measure.Seconds, ran.Sub(began).Seconds())

	now, _, err := c.engine.Docker.ServiceInspectWithRaw(ctx, service.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		return fmt.Errorf("inspect service: %w", err)
	}
	add(untilTold, measure.Seconds, now.UpdatedAt.Sub(began).Seconds())

	return nil
}

// running waits until a task of a service runs, and tells since when.
func (c *cashier) running(ctx context.Context, service swarm.Service) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, phaseBound)
	defer cancel()

	return c.engine.AwaitRunning(ctx, []swarm.Service{service}, 5*time.Millisecond)
}

// order asks for a payment, and waits until the gateway has a page for it.
func (c *cashier) order(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, phaseBound)
	defer cancel()

	c.made++
	topUp := &billingv1.TopUp{
		ObjectMeta: metav1.ObjectMeta{Namespace: payerTenant, Name: fmt.Sprintf("payment-%d", c.made)},
		Spec:       billingv1.TopUpSpec{Amount: billingv1.WholeAmount(strconv.Itoa(paidAmount))},
	}
	if err := c.server.Client.Create(ctx, topUp); err != nil {
		return "", fmt.Errorf("ask for a payment: %w", err)
	}
	topUp, err := rig.Await(ctx, c.server, client.ObjectKeyFromObject(topUp), "has a page to pay on", func(t *billingv1.TopUp) bool {
		return t.Status.Phase == billingv1.TopUpAwaitingPayment
	})

	return topUp.Status.OrderID, err
}

// takeBack lets the payer's bank take a payment back, and lifts the hold that comes of it. The tenant has no money then, and
// nothing of it runs.
func (c *cashier) takeBack(ctx context.Context, order string) error {
	if err := c.gateway.Chargeback(order, paidAmount); err != nil {
		return fmt.Errorf("take %q back: %w", order, err)
	}
	// A hold that is lifted before the ledger knows of it is set once more.
	held, err := c.await(ctx, "is held", func(a *billingv1.BillingAccount) bool {
		return a.Spec.Hold != nil && string(a.Status.Phase) == string(solvency.Held) && a.Status.ObservedGeneration == a.Generation
	})
	if err != nil {
		return err
	}
	lifted := held.DeepCopy()
	lifted.Spec.Hold = nil
	if err := c.server.Client.Patch(ctx, lifted, client.MergeFrom(held)); err != nil {
		return fmt.Errorf("lift hold: %w", err)
	}
	_, err = c.await(ctx, "is suspended", func(a *billingv1.BillingAccount) bool {
		return a.Spec.Hold == nil && string(a.Status.Phase) == string(solvency.Suspended)
	})
	if err != nil {
		return err
	}

	return c.engine.AwaitNoContainers(ctx)
}

// await waits until the tenant's account is as it should be.
func (c *cashier) await(ctx context.Context, what string, is func(*billingv1.BillingAccount) bool) (*billingv1.BillingAccount, error) {
	ctx, cancel := context.WithTimeout(ctx, phaseBound)
	defer cancel()

	key := client.ObjectKey{Namespace: payerTenant, Name: billingv1.AccountName}
	account, err := rig.Await(ctx, c.server, key, what, is)
	if err != nil {
		return nil, fmt.Errorf("%w: its status is %+v", err, account.Status)
	}

	return account, nil
}
