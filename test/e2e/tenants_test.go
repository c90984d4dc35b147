//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// declared makes a Tenant and waits until everything is in place. Its namespace is then as that of any other test.
func (c *cell) declared(t *testing.T, name string) (*tenant, *v1alpha1.Tenant) {
	t.Helper()

	n := &tenant{cell: c, t: t, name: name}

	return n, n.declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "e2e"}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{Containers: new(int64(20)), Replicas: new(int64(40))},
	}})
}

// declare makes the Tenant of the namespace, with that plan, which may be there already. It goes when the test ends.
func (n *tenant) declare(plan *v1alpha1.Plan) *v1alpha1.Tenant {
	n.t.Helper()

	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.diagnose()
		}
		if err := n.deleteTenant(goneBy); err != nil {
			n.t.Error(err)
		}
	})

	return n.establish(plan)
}

// establish makes the Tenant of the namespace, whose end is the test's own business.
func (n *tenant) establish(plan *v1alpha1.Plan) *v1alpha1.Tenant {
	n.t.Helper()

	owner := &v1alpha1.Tenant{
		ObjectMeta: metav1.ObjectMeta{Name: n.name},
		Spec: v1alpha1.TenantSpec{
			PlanName: v1alpha1.DNSLabel(plan.Name), DeletionPolicy: v1alpha1.DeletionDelete,
			Members: []v1alpha1.Member{{Kind: v1alpha1.MemberUser, Name: "ada", Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}}},
		},
	}

	if err := n.api.Create(n.t.Context(), plan); err != nil && !apierrors.IsAlreadyExists(err) {
		n.t.Fatal(err)
	}
	if err := n.api.Create(n.t.Context(), owner); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, soon, "tenant "+n.name+" is ready", func() error { return n.tenantReady(owner) })
	check.Status(n.t, owner)

	return owner
}

func (n *tenant) tenantReady(into *v1alpha1.Tenant) error {
	ctx, cancel := contextFor(instant)
	defer cancel()

	if err := n.api.Get(ctx, client.ObjectKey{Name: n.name}, into); err != nil {
		return err
	}
	if !conditions.IsTrue(into, conditions.Ready) || into.Status.ObservedGeneration != into.Generation {
		return fmt.Errorf("its conditions are %+v", into.Status.Conditions)
	}

	return nil
}

// deleteTenant deletes the Tenant and waits until nothing of it is left, in the API or in Swarm. One that is gone already
// is no error.
func (n *tenant) deleteTenant(within time.Duration) error {
	ctx, cancel := contextFor(within)
	defer cancel()

	owner := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: n.name}}
	if err := n.api.Delete(ctx, owner); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete tenant %q: %w", n.name, err)
	}

	_, err := poll(within, func() error {
		for _, o := range []client.Object{owner, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.name}}} {
			if err := n.api.Get(ctx, client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) {
				return fmt.Errorf("%T is still there (%v): %+v", o, err, owner.Status.Conditions)
			}
		}

		return n.leftovers()
	})
	if err != nil {
		return fmt.Errorf("tenant %q: %w", n.name, err)
	}

	return nil
}

// annotate sets an annotation of the Tenant, and removes it when the value is empty.
func (n *tenant) annotate(key, value string) {
	n.t.Helper()

	var owner v1alpha1.Tenant
	if err := n.api.Get(n.t.Context(), client.ObjectKey{Name: n.name}, &owner); err != nil {
		n.t.Fatal(err)
	}

	before := owner.DeepCopy()
	if value == "" {
		delete(owner.Annotations, key)
	} else {
		metav1.SetMetaDataAnnotation(&owner.ObjectMeta, key, value)
	}
	if err := n.api.Patch(n.t.Context(), &owner, client.MergeFrom(before)); err != nil {
		n.t.Fatal(err)
	}
}

// TestTenantOnARealSwarm goes through the life of two tenants: each has a network of its own, with the subnet that its
// status names; one is suspended and the other does not notice; and what is deleted leaves nothing.
func TestTenantOnARealSwarm(t *testing.T) {
	t.Parallel()

	c := sharedCell(t)
	a, ownerA := c.declared(t, "tenant-a")
	b, ownerB := c.declared(t, "tenant-b")

	first, second := netip.MustParsePrefix(ownerA.Status.Network.Subnet), netip.MustParsePrefix(ownerB.Status.Network.Subnet)
	if first.Overlaps(second) {
		t.Errorf("two tenants have addresses in common: %s and %s", first, second)
	}

	for _, o := range []*v1alpha1.Tenant{ownerA, ownerB} {
		got, err := c.docker().NetworkInspect(t.Context(), o.Status.Network.ID, network.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != swarmobj.NetworkName(o.Name) || len(got.IPAM.Config) != 1 || got.IPAM.Config[0].Subnet != o.Status.Network.Subnet {
			t.Errorf("tenant %q has %+v in Swarm, and its status says %+v", o.Name, got.IPAM, o.Status.Network)
		}
	}

	web := a.run(app("web", "v1", replicas(2)))
	b.run(app("web", "v1"))

	await(t, soon, "the addresses of the tasks are counted", func() error {
		var owner v1alpha1.Tenant
		if err := c.api.Get(t.Context(), client.ObjectKey{Name: a.name}, &owner); err != nil {
			return err
		}

		return wantf(owner.Status.Containers+" "+owner.Status.Network.Addresses, "1/20 3/253", "containers and addresses")
	})

	a.annotate(v1alpha1.AnnotationSuspend, "moving")
	a.condition(soon, "web", v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended)
	a.unready(soon, "web", v1alpha1.ReasonSuspended)

	if now := a.get("web"); now.Generation != web.Generation || len(now.Annotations) != len(web.Annotations) {
		t.Errorf("the suspension of the tenant has changed its container: %+v", now.ObjectMeta)
	}
	if err := says(b.get("web"), conditions.Ready, metav1.ConditionTrue, ""); err != nil {
		t.Errorf("the other tenant has noticed: %v", err)
	}

	a.annotate(v1alpha1.AnnotationSuspend, "")
	a.ready("web")

	if err := a.deleteTenant(goneBy); err != nil {
		t.Fatal(err)
	}
	if err := says(b.get("web"), conditions.Ready, metav1.ConditionTrue, ""); err != nil {
		t.Errorf("the other tenant has noticed: %v", err)
	}
}

// TestTenantNetworkOfSomebodyElse: a subnet that another network of the swarm has is not taken, and a network that
// somebody has made in the way is told of and left alone.
func TestTenantNetworkOfSomebodyElse(t *testing.T) {
	t.Parallel()

	c := sharedCell(t)
	foreign, err := c.docker().NetworkCreate(t.Context(), "inway_default", network.CreateOptions{Driver: "overlay", Scope: "swarm"})
	if err != nil {
		t.Fatal(err)
	}
	remove := func() error {
		return c.docker().NetworkRemove(context.WithoutCancel(t.Context()), foreign.ID)
	}
	gone := false

	t.Cleanup(func() {
		if !gone {
			_ = remove()
		}
	})

	owner := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "inway"}, Spec: v1alpha1.TenantSpec{PlanName: "inway"}}
	for _, o := range []client.Object{&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "inway"}}, owner} {
		if err := c.api.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}

	n := &tenant{cell: c, t: t, name: "inway"}
	t.Cleanup(func() {
		if err := n.deleteTenant(goneBy); err != nil {
			t.Error(err)
		}
	})

	await(t, soon, "the network in the way is told of", func() error {
		if err := n.tenantReady(owner); err == nil {
			return errors.New("the tenant is ready")
		}
		if ready := conditions.Get(owner, conditions.Ready); ready == nil || ready.Reason != v1alpha1.ReasonNetworkConflict {
			return fmt.Errorf("Ready is %+v", ready)
		}

		return nil
	})

	if err := remove(); err != nil {
		t.Fatal(err)
	}

	gone = true

	await(t, atLast, "the network is made as soon as it can be", func() error { return n.tenantReady(owner) })
}

// TestEncryptedNetwork: what the plan asks for is decided when the network of a tenant is made, and what it asks for later
// is told and changes nothing. Whether the kernel can encrypt is for the nodes to know: nothing runs here.
func TestEncryptedNetwork(t *testing.T) {
	t.Parallel()

	n := &tenant{cell: sharedCell(t), t: t, name: "cipher"}
	plan := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "cipher"}, Spec: v1alpha1.PlanSpec{Network: &v1alpha1.NetworkRules{Encrypted: true}}}
	owner := n.declare(plan)

	made, err := n.docker().NetworkInspect(t.Context(), owner.Status.Network.ID, network.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, encrypted := made.Options["encrypted"]; !encrypted || !owner.Status.Network.Encrypted {
		t.Errorf("the network has the options %v, and status says %+v", made.Options, owner.Status.Network)
	}

	before := plan.DeepCopy()
	plan.Spec.Network = nil
	if err := n.api.Patch(t.Context(), plan, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the tenant tells that its network is another one", func() error {
		if err := n.tenantReady(owner); err != nil {
			return err
		}
		if !conditions.IsTrue(owner, v1alpha1.ConditionNetworkOutdated) || owner.Status.Network.ID != made.ID {
			return fmt.Errorf("its network is %+v, its conditions %+v", owner.Status.Network, owner.Status.Conditions)
		}

		return nil
	})
}
