package quota

import (
	"context"
	"errors"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
)

// evaluatorWorkers is how many namespaces are charged at a time; requests of one namespace are charged one after the
// other.
const evaluatorWorkers = 5

// NewPlugin makes the plugin; it is initialized as all plugins are.
func NewPlugin() (*Plugin, error) {
	inner, err := resourcequota.NewResourceQuota(nil, evaluatorWorkers)
	if err != nil {
		return nil, fmt.Errorf("create admission of quotas: %w", err)
	}

	return &Plugin{QuotaAdmission: inner}, nil
}

// Plugin is Kubernetes' admission of quotas with our evaluators. What of a container's update does not stand in the
// container itself, the plugin spells out before Kubernetes' own code charges it.
type Plugin struct {
	*resourcequota.QuotaAdmission

	client dynamic.Interface
}

var (
	_ admission.ValidationInterface  = (*Plugin)(nil)
	_ initializer.WantsDynamicClient = (*Plugin)(nil)
)

// SetDynamicClient gives the plugin its sight of containers and revisions.
func (p *Plugin) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetQuotaConfiguration replaces Kubernetes' evaluators, which are for kinds that are not served, by ours.
func (p *Plugin) SetQuotaConfiguration(quota.Configuration) {
	p.QuotaAdmission.SetQuotaConfiguration(ForAdmission())
}

// ValidateInitialization refuses a plugin that could not see.
func (p *Plugin) ValidateInitialization() error {
	if p.client == nil {
		return errors.New("admission of quotas needs a client")
	}

	return p.QuotaAdmission.ValidateInitialization()
}

// Validate charges a request, and refuses it with the numbers when there is not enough left.
func (p *Plugin) Validate(ctx context.Context, a admission.Attributes, o admission.ObjectInterfaces) error {
	if a.GetResource().GroupResource() == containersResource.GroupResource() && a.GetOperation() == admission.Update {
		spelt, err := p.spellOut(ctx, a)
		if err != nil {
			return apierrors.NewInternalError(fmt.Errorf("charge TenantContainer %q: %w", a.GetName(), err))
		}
		a = spelt
	}

	return p.QuotaAdmission.Validate(ctx, a, o)
}

// spellOut is the update of a container that a request amounts to.
func (p *Plugin) spellOut(ctx context.Context, a admission.Attributes) (admission.Attributes, error) {
	switch a.GetSubresource() {
	case "scale":
		return p.scaled(ctx, a)
	case "":
		return p.rolledBack(ctx, a)
	default:
		return a, nil
	}
}

// scaled: what a task uses stands in the container. It is read from the store; should it be newer than the one that the
// request is about to change, that change fails and is begun anew.
func (p *Plugin) scaled(ctx context.Context, a admission.Attributes) (admission.Attributes, error) {
	now, ok1 := a.GetObject().(*autoscalingv1.Scale)
	before, ok2 := a.GetOldObject().(*autoscalingv1.Scale)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("unexpected types %T and %T", a.GetObject(), a.GetOldObject())
	}
	if now.Spec.Replicas <= before.Spec.Replicas {
		return a, nil
	}

	u, err := p.client.Resource(containersResource).Namespace(a.GetNamespace()).Get(ctx, a.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	with := func(replicas int32) (*v1alpha1.TenantContainer, error) {
		c, err := typed(u)
		if err != nil {
			return nil, err
		}
		c.Spec.Replicas = &replicas

		return c, nil
	}
	bigger, err1 := with(now.Spec.Replicas)
	smaller, err2 := with(before.Spec.Replicas)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}

	return update(a, bigger, smaller), nil
}

// rolledBack: a container that is told to run a revision is charged for that one where it uses more.
func (p *Plugin) rolledBack(ctx context.Context, a admission.Attributes) (admission.Attributes, error) {
	now, err := typed(a.GetObject())
	if err != nil {
		return nil, err
	}
	before, err := typed(a.GetOldObject())
	if err != nil {
		return nil, err
	}
	to := now.Spec.RollbackTo
	if to == nil || before.Spec.RollbackTo != nil && *before.Spec.RollbackTo == *to {
		return update(a, now, before), nil
	}

	all, err := (&Source{Client: p.client}).templates(ctx, a.GetNamespace())
	if err != nil {
		return nil, err
	}
	if template := all[revision{now.Name, *to}]; template != nil {
		now = now.DeepCopy()
		enlarge(&now.Spec, template)
	}

	return update(a, now, before), nil
}

// enlarge gives the spec what the template uses more of.
func enlarge(spec, template *v1alpha1.TenantContainerSpec) {
	mine, theirs := allotment.OfTemplate(spec, 1), allotment.OfTemplate(template, 1)
	most := quota.Max(mine, theirs)
	amount := func(name corev1.ResourceName) *resource.Quantity { return new(most[name]) }

	spec.Resources = &v1alpha1.Resources{
		Requests: &v1alpha1.ResourceRequests{CPU: amount(v1alpha1.ResourceRequestsCPU), Memory: amount(v1alpha1.ResourceRequestsMemory)},
		Limits:   &v1alpha1.ResourceLimits{CPU: amount(v1alpha1.ResourceLimitsCPU), Memory: amount(v1alpha1.ResourceLimitsMemory)},
	}
	if allotment.PublishedPorts(template) > allotment.PublishedPorts(spec) {
		spec.Ports = template.Ports
	}
}

func update(a admission.Attributes, now, before *v1alpha1.TenantContainer) admission.Attributes {
	return admission.NewAttributesRecord(now, before, v1alpha1.GroupVersion.WithKind("TenantContainer"), a.GetNamespace(), a.GetName(),
		containersResource, "", admission.Update, a.GetOperationOptions(), a.IsDryRun(), a.GetUserInfo())
}
