package fairness

import (
	"context"
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	"k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing"
	"k8s.io/apiserver/pkg/util/flowcontrol/request"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	identityv1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

const (
	// GroupTenants is what FlowSchemas know those by who act for a tenant.
	GroupTenants = "dogker:tenants"
	// flowPrefix begins the name of a tenant's flow.
	flowPrefix = "dogker:tenant:"
)

// ByTenant makes all that acts for a tenant one flow. A namespace that is not known yet is taken for one of no tenant.
func ByTenant(inner flowcontrol.Interface, namespaces corelisters.NamespaceLister) flowcontrol.Interface {
	return flows{Interface: inner, namespaces: namespaces}
}

type flows struct {
	flowcontrol.Interface

	namespaces corelisters.NamespaceLister
}

// Handle implements flowcontrol.Interface.
func (f flows) Handle(
	ctx context.Context, digest flowcontrol.RequestDigest,
	note func(*flowcontrolv1.FlowSchema, *flowcontrolv1.PriorityLevelConfiguration, string),
	estimate func() request.WorkEstimate, queued fairqueuing.QueueNoteFn, execute func(),
) {
	digest.User = f.payer(digest.User)
	f.Interface.Handle(ctx, digest, note, estimate, queued, execute)
}

// payer is who is charged for a request: the tenant for what acts for one, and otherwise who asks.
func (f flows) payer(who user.Info) user.Info {
	namespace := home(who.GetName())
	if namespace == "" {
		return who
	}
	ns, err := f.namespaces.Get(namespace)
	if err != nil {
		return who
	}
	tenant := ns.Labels[v1alpha1.LabelTenant]
	if tenant == "" {
		return who
	}

	return &user.DefaultInfo{Name: flowPrefix + tenant, Groups: append(slices.Clone(who.GetGroups()), GroupTenants)}
}

// home is the namespace in which a service account or a deploy token was made; empty for everybody else.
func home(name string) string {
	if token, ok := strings.CutPrefix(name, identityv1alpha1.DeployTokenPrefix); ok {
		namespace, _, _ := strings.Cut(token, ":")

		return namespace
	}
	namespace, _, err := serviceaccount.SplitUsername(name)
	if err != nil {
		return ""
	}

	return namespace
}
