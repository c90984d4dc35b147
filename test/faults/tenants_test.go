package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/docker/docker/api/types/network"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// startTenants adds the loop of tenants to a process. Tenants are in no namespace, by which their requests are told from
// those for containers.
func startTenants(p *converge.Process, docker *swarm.Engine, passes *engine.Metrics) reconcile.Reconciler {
	pool, err := addresses.ParsePool("10.64.0.0/16")
	must(err)

	kind := tenant.New(p.Client, p.Live, docker, pool, silent{})
	loop := engine.New(p.Client, kind, engine.Options{
		Name: tenant.Name, Finalizer: v1alpha1.FinalizerTenant, Recorder: silent{}, Strict: true,
		Metrics: passes, Jitter: func() float64 { return 0 },
	})

	sweeper := tenant.NewSweeper(kind, slog.New(slog.DiscardHandler))
	p.Go(func(ctx context.Context) { _ = sweeper.Start(ctx) })

	docker.Subscribe(func(o swarmobj.Owner) { p.Enqueue(request(o.Tenant)) })

	p.Watch(&v1alpha1.Tenant{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		out := asked(loop.IgnoreOwnWrites(), old, new)
		if len(out) == 0 {
			return nil
		}

		var list v1alpha1.TenantContainerList
		must(p.Client.List(p.Context(), &list, client.InNamespace(either(old, new).GetName())))

		for i := range list.Items {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}

		return out
	})
	p.Watch(&v1alpha1.Plan{}, func(ctx context.Context, old, new client.Object) []reconcile.Request {
		return tenant.TenantsOf(ctx, p.Client, either(old, new).GetName())
	})

	for _, of := range []client.Object{
		&corev1.Namespace{}, &corev1.ResourceQuota{}, &corev1.ServiceAccount{},
		&rbacv1.RoleBinding{}, &rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{},
	} {
		p.Watch(of, func(ctx context.Context, old, new client.Object) []reconcile.Request {
			if o := either(old, new); tenant.Concerns(o) {
				return tenant.Requests(ctx, o)
			}

			return nil
		})
	}

	p.Watch(&v1alpha1.TenantContainer{}, func(ctx context.Context, old, new client.Object) []reconcile.Request {
		if old != nil && new != nil {
			return nil
		}

		return tenant.Requests(ctx, either(old, new))
	})

	return loop
}

func request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

func tenantKeys(c client.Client) []types.NamespacedName {
	var list v1alpha1.TenantList
	if err := c.List(context.Background(), &list); err != nil {
		return nil
	}

	var keys []types.NamespacedName
	for i := range list.Items {
		keys = append(keys, types.NamespacedName{Name: list.Items[i].Name})
	}

	return keys
}

// stateOfTenants is what the API holds of tenants. Which subnet one has differs from run to run.
func stateOfTenants(r *converge.Run) []string {
	var (
		out      []string
		tenants  v1alpha1.TenantList
		spaces   corev1.NamespaceList
		bindings rbacv1.RoleBindingList
	)

	r.Store.List(&tenants)
	r.Store.List(&spaces)
	r.Store.List(&bindings)

	for i := range tenants.Items {
		t := &tenants.Items[i]
		out = append(out, fmt.Sprintf("tenant %s generation %d observed %d containers %s",
			t.Name, t.Generation, t.Status.ObservedGeneration, t.Status.Containers))

		for _, c := range t.Status.Conditions {
			out = append(out, fmt.Sprintf("tenant %s %s=%s %s: %s", t.Name, c.Type, c.Status, c.Reason, c.Message))
		}
	}

	for _, ns := range spaces.Items {
		out = append(out, fmt.Sprintf("namespace %s of %s", ns.Name, ns.Labels[v1alpha1.LabelTenant]))

		for _, b := range bindings.Items {
			if b.Namespace == ns.Name {
				out = append(out, fmt.Sprintf("binding %s/%s of %+v", b.Namespace, b.Name, b.Subjects))
			}
		}
	}

	return out
}

// brokenTenants lists what must not be true of tenants, in the end or at any time.
func brokenTenants(r *converge.Run) []string {
	var (
		out  []string
		list v1alpha1.TenantList
	)

	r.Store.List(&list)

	held := map[string]netip.Prefix{}

	for i := range list.Items {
		t := &list.Items[i]
		for _, problem := range check.Problems(t) {
			out = append(out, fmt.Sprintf("status of tenant %s: %s", t.Name, problem))
		}

		if t.Status.Network == nil {
			continue
		}

		subnet := netip.MustParsePrefix(t.Status.Network.Subnet)
		for other, p := range held {
			if p.Overlaps(subnet) {
				out = append(out, fmt.Sprintf("tenants %s and %s have addresses in common: %s and %s", other, t.Name, p, subnet))
			}
		}

		held[t.Name] = subnet
	}

	return out
}

func both(steps ...func(*converge.Run)) func(*converge.Run) {
	return func(r *converge.Run) {
		for _, do := range steps {
			do(r)
		}
	}
}

func createPlan(r *converge.Run) {
	r.Store.Create(&v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec: v1alpha1.PlanSpec{
			SecurityProfile: v1alpha1.ProfilePrivileged,
			Quota:           &v1alpha1.Quota{Containers: ptr(int64(20)), Replicas: ptr(int64(40))},
		},
	})
}

// createTenant makes a tenant with one member, who has one role.
func createTenant(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		r.Store.Create(&v1alpha1.Tenant{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.TenantSpec{
				PlanName: "small", DeletionPolicy: v1alpha1.DeletionDelete,
				Members: []v1alpha1.Member{{Kind: v1alpha1.MemberUser, Name: "ada", Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}}},
			},
		})
	}
}

func editTenant(name string, change func(*v1alpha1.Tenant)) func(*converge.Run) {
	return func(r *converge.Run) {
		t := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}}
		r.Store.Edit(t, func() { change(t) })
	}
}

func suspendTenant(t *v1alpha1.Tenant) {
	metav1.SetMetaDataAnnotation(&t.ObjectMeta, v1alpha1.AnnotationBillingSuspend, "Overdue")
}

func resumeTenant(t *v1alpha1.Tenant) { delete(t.Annotations, v1alpha1.AnnotationBillingSuspend) }

func takeOut(t *v1alpha1.Tenant) { t.Spec.Members = nil }

func removeTenant(name string) func(*converge.Run) {
	return func(r *converge.Run) { r.Store.Delete(&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}}) }
}

// removeNetwork removes the network of a tenant behind our back.
func removeNetwork(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		must(r.World.(*world).admin.NetworkRemove(context.Background(), swarmobj.NetworkName(name)))
	}
}

func removeBinding(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		r.Store.Delete(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "dogker-tenant-owner"}})
	}
}

// provisioned is true when the tenant has everything it declares, and its status says so.
func provisioned(name string) until {
	return func(r *converge.Run) error {
		var (
			t       v1alpha1.Tenant
			ns      corev1.Namespace
			quota   corev1.ResourceQuota
			binding rbacv1.RoleBinding
			self    rbacv1.ClusterRoleBinding
		)

		r.Store.Get("", name, &t)

		switch members := len(t.Spec.Members) > 0; {
		case !conditions.IsTrue(&t, conditions.Ready):
			return fmt.Errorf("tenant %s is not ready: %+v", name, t.Status.Conditions)
		case !r.Store.Get("", name, &ns) || ns.Labels[v1alpha1.LabelTenant] != name:
			return fmt.Errorf("tenant %s has no namespace", name)
		case !r.Store.Get(name, v1alpha1.TenantQuotaName, &quota):
			return fmt.Errorf("tenant %s has no quota", name)
		case r.Store.Get(name, "dogker-tenant-owner", &binding) != members, r.Store.Get("", "dogker-tenant:"+name, &self) != members:
			return fmt.Errorf("tenant %s has other rights than its members should have", name)
		}

		n, err := r.World.(*world).admin.NetworkInspect(context.Background(), swarmobj.NetworkName(name), network.InspectOptions{})
		if err != nil {
			return fmt.Errorf("tenant %s has no network: %w", name, err)
		}

		if len(n.IPAM.Config) == 0 || t.Status.Network == nil || n.IPAM.Config[0].Subnet != t.Status.Network.Subnet || n.ID != t.Status.Network.ID {
			return fmt.Errorf("tenant %s has network %+v, and its status says %+v", name, n.IPAM, t.Status.Network)
		}

		return nil
	}
}

func noBinding(name string) until {
	return func(r *converge.Run) error {
		if r.Store.Get(name, "dogker-tenant-owner", &rbacv1.RoleBinding{}) {
			return errors.New("who was taken out still has his rights")
		}

		return nil
	}
}

func noTenant(name string) until {
	return func(r *converge.Run) error {
		for _, o := range []client.Object{&v1alpha1.Tenant{}, &corev1.Namespace{}} {
			if r.Store.Get("", name, o) {
				return fmt.Errorf("%T %s is left", o, name)
			}
		}

		for _, o := range []client.Object{&rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{}} {
			if r.Store.Get("", "dogker-tenant:"+name, o) {
				return fmt.Errorf("%T of %s is left", o, name)
			}
		}

		return nil
	}
}
