package tenant

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func member(kind v1alpha1.MemberKind, name string, roles ...v1alpha1.TenantRole) v1alpha1.Member {
	return v1alpha1.Member{Kind: kind, Name: name, Roles: roles}
}

// acme is a tenant with that many members.
func acme(members ...v1alpha1.Member) *v1alpha1.Tenant {
	return &v1alpha1.Tenant{
		ObjectMeta: metav1.ObjectMeta{Name: "acme", UID: "uid-1", Generation: 1},
		Spec:       v1alpha1.TenantSpec{PlanName: "small", Members: members},
	}
}

func small() *v1alpha1.Plan {
	return &v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec:       v1alpha1.PlanSpec{Quota: &v1alpha1.Quota{Containers: new(int64(20)), Replicas: new(int64(40))}},
	}
}

// complete is a situation in which everything is in place; changes make it the one that a case is about.
func complete(t *v1alpha1.Tenant, changes ...func(*situation)) *situation {
	p := small()
	s := &situation{
		tenant: t, owner: ownerOf(t), plan: p, quota: effectiveQuota(p.Spec.Quota, t.Spec.Quota),
		namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.Name, Labels: namespaceLabels(t)}},
		found:     desired(t, p),
		network:   network{view: view("10.64.0.0/24"), at: epoch},
	}

	for _, change := range changes {
		change(s)
	}

	return s
}

// view is what Swarm shows of a network with those subnets.
func view(subnets ...string) swarmobj.NetworkView {
	n := &swarmobj.Network{ID: "net-1", Name: "acme_default", Created: epoch}
	for _, s := range subnets {
		n.Subnets = append(n.Subnets, netip.MustParsePrefix(s))
	}

	return swarmobj.NetworkView{Network: n, Nodes: 1}
}

// find returns the object of that key.
func find(s *situation, key string) client.Object {
	for _, o := range s.found {
		if keyOf(o) == key {
			return o
		}
	}

	panic("there is no " + key)
}

func lacking(key string) func(*situation) {
	return func(s *situation) {
		var rest []client.Object

		for _, o := range s.found {
			if keyOf(o) != key {
				rest = append(rest, o)
			}
		}

		s.found = rest
	}
}

func texts(steps []step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}

	return out
}
