package tenant

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// kind is the value of the label io.dogker.kind on the networks of tenants.
const kind = "Tenant"

// situation is what one pass knows: what was found, and what is wanted of it.
type situation struct {
	tenant *v1alpha1.Tenant
	owner  swarmobj.Owner

	// plan that spec.planName names; nil when there is none.
	plan *v1alpha1.Plan
	// quota in effect; what the ResourceQuota holds is left alone while there is no plan.
	quota v1alpha1.Quota

	// namespace of the tenant's name; nil when there is none.
	namespace *corev1.Namespace
	// found are the objects in the namespace, and the two cluster-wide ones, that are ours by name or by label.
	found []client.Object
	// used is the part of the quota that is used, as the ResourceQuota says it; nil while it says nothing.
	used corev1.ResourceList
	// containers there are.
	containers int

	network network
}

// survey looks at everything that a decision needs. It reads; all that it changes is which subnet is claimed.
func (c *Controller) survey(ctx context.Context, t *v1alpha1.Tenant) (*situation, error) {
	s := &situation{tenant: t, owner: ownerOf(t)}

	for _, look := range []func(context.Context, *situation) error{
		c.lookAtPlan, c.lookAtNamespace, c.lookAtObjects, c.lookAtContainers, c.lookAtNetwork,
	} {
		if err := look(ctx, s); err != nil {
			return nil, err
		}
	}

	return s, nil
}

func ownerOf(t *v1alpha1.Tenant) swarmobj.Owner {
	return swarmobj.Owner{Tenant: t.Name, Kind: kind, Name: t.Name, UID: string(t.UID)}
}

func (c *Controller) lookAtPlan(ctx context.Context, s *situation) error {
	var p v1alpha1.Plan

	err := c.cached.Get(ctx, client.ObjectKey{Name: string(s.tenant.Spec.PlanName)}, &p)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read plan %q: %w", s.tenant.Spec.PlanName, err)
	}

	s.plan, s.quota = &p, effectiveQuota(p.Spec.Quota, s.tenant.Spec.Quota)

	return nil
}

func (c *Controller) lookAtNamespace(ctx context.Context, s *situation) error {
	var ns corev1.Namespace

	err := c.cached.Get(ctx, client.ObjectKey{Name: s.tenant.Name}, &ns)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read namespace %q: %w", s.tenant.Name, err)
	}

	s.namespace = &ns

	return nil
}

// lookAtObjects finds what there is of what is made for the tenant, and what was made and is not wanted any more.
func (c *Controller) lookAtObjects(ctx context.Context, s *situation) error {
	name := s.tenant.Name

	var (
		quotas   corev1.ResourceQuotaList
		bindings rbacv1.RoleBindingList
		accounts corev1.ServiceAccountList
		role     rbacv1.ClusterRole
		all      rbacv1.ClusterRoleBinding
	)

	for _, list := range []client.ObjectList{&quotas, &bindings, &accounts} {
		if err := c.cached.List(ctx, list, client.InNamespace(name)); err != nil {
			return fmt.Errorf("list objects of namespace %q: %w", name, err)
		}
	}

	for i := range quotas.Items {
		s.find(&quotas.Items[i])

		if quotas.Items[i].Name == v1alpha1.TenantQuotaName {
			s.used = quotas.Items[i].Status.Used
		}
	}
	for i := range bindings.Items {
		s.find(&bindings.Items[i])
	}
	for i := range accounts.Items {
		s.find(&accounts.Items[i])
	}

	for _, o := range []client.Object{&role, &all} {
		switch err := c.cached.Get(ctx, client.ObjectKey{Name: selfRole(name)}, o); {
		case err == nil:
			s.found = append(s.found, o)
		case !apierrors.IsNotFound(err):
			return fmt.Errorf("read role %q: %w", selfRole(name), err)
		}
	}

	return nil
}

func (s *situation) find(o client.Object) { s.found = append(s.found, o) }

func (c *Controller) lookAtContainers(ctx context.Context, s *situation) error {
	var list v1alpha1.TenantContainerList
	if err := c.cached.List(ctx, &list, client.InNamespace(s.tenant.Name), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list containers of %q: %w", s.tenant.Name, err)
	}

	s.containers = len(list.Items)

	return nil
}

// lookAtNetwork finds the network, and as long as there is none, a subnet for it.
func (c *Controller) lookAtNetwork(ctx context.Context, s *situation) error {
	view, err := c.swarm.LookNetwork(ctx, s.owner)
	if err != nil {
		s.network = network{blind: sight.Lost(err)}

		return nil
	}

	if id := s.tenant.Annotations[v1alpha1.AnnotationAdoptNetwork]; id != "" && view.Network == nil {
		// The network of a stack whose services have been adopted: they stay on it, so it is the tenant's.
		if n, ok := c.swarm.Network(id); ok {
			view.Network, view.Squatter = &n, false
		}
	}

	s.network = network{view: view, claim: claimOf(s.tenant), encrypted: encrypts(s.plan), at: c.now()}

	if n := view.Network; n != nil && len(n.Subnets) > 0 {
		c.claims.note(s.tenant.Name, n.Subnets[0])

		return nil
	}

	if s.plan == nil || !s.placed() || view.Squatter || view.Network != nil && !s.network.unanswered() {
		return nil
	}

	return c.lookForSubnet(ctx, s)
}

// encrypts is true for a plan whose networks are encrypted.
func encrypts(p *v1alpha1.Plan) bool {
	return p != nil && p.Spec.Network != nil && p.Spec.Network.Encrypted
}

// lookForSubnet holds the claim of the tenant against what others have, and chooses another subnet when it has none or
// when it is contested.
func (c *Controller) lookForSubnet(ctx context.Context, s *situation) error {
	var id string
	if n := s.network.view.Network; n != nil {
		id = n.ID
	}

	taken, err := c.swarm.Subnets(ctx, id)
	if err != nil {
		return sight.Lost(err)
	}

	// The claim counts only when everybody else can see it. Whoever sees that of somebody else gives way, so that of two
	// that claim at once at least one does.
	reader, claimed := client.Reader(c.cached), s.network.claim.IsValid()
	if claimed {
		reader = c.live
	}

	others, err := claimsOfOthers(ctx, reader, s.tenant.Name)
	if err != nil {
		return err
	}

	taken = append(taken, others...)
	s.network.contested = claimed && overlaps(s.network.claim, taken)

	if claimed && !s.network.contested {
		c.claims.note(s.tenant.Name, s.network.claim)

		return nil
	}

	s.network.fresh, s.network.found = c.claims.choose(s.tenant.Name, addresses.Bits(s.quota, s.network.view.Nodes), taken)

	return nil
}

func claimsOfOthers(ctx context.Context, r client.Reader, name string) ([]netip.Prefix, error) {
	var list v1alpha1.TenantList
	if err := r.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}

	var out []netip.Prefix

	for i := range list.Items {
		if p := claimOf(&list.Items[i]); list.Items[i].Name != name && p.IsValid() {
			out = append(out, p)
		}
	}

	return out, nil
}

// claimOf is the subnet in the status of a tenant; the zero Prefix when there is none.
func claimOf(t *v1alpha1.Tenant) netip.Prefix {
	if t.Status.Network == nil {
		return netip.Prefix{}
	}

	p, err := netip.ParsePrefix(t.Status.Network.Subnet)
	if err != nil {
		return netip.Prefix{}
	}

	return p
}

func overlaps(p netip.Prefix, others []netip.Prefix) bool {
	for _, o := range others {
		if o.Overlaps(p) {
			return true
		}
	}

	return false
}
