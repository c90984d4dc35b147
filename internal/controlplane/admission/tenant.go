package admission

import (
	"context"
	"fmt"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/warning"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
	"github.com/dogker/dogker/reconciler/schedule"
)

// Directory is what plugins ask about tenants. It is safe for concurrent use.
type Directory interface {
	// Policy is what is in force in a namespace; false when it belongs to no tenant. Its error is a refusal.
	Policy(ctx context.Context, namespace string) (policy.Policy, bool, error)
	// Taken lists the published ports of a container that somebody else has, as far as is known without asking.
	Taken(ctx context.Context, tc *v1alpha1.TenantContainer, tenant bool) (field.ErrorList, error)
	// Claim takes the published ports of a container for it; before is what is stored of it, nil when it is new. Whoever
	// refuses the container afterwards calls undo, which is never nil.
	Claim(ctx context.Context, tc, before *v1alpha1.TenantContainer, tenant bool) (undo func(), errs field.ErrorList, err error)
	// Tenant names the tenant that a namespace belongs to, empty when it belongs to none.
	Tenant(ctx context.Context, namespace string) (string, error)
	// Reader reads what prices, balances and coupons are worked out from; what it returns must not be changed.
	Reader() client.Reader
}

// wantsDirectory is a plugin that asks about tenants.
type wantsDirectory interface{ SetDirectory(Directory) }

// wantsLedger is a plugin that asks about balances.
type wantsLedger interface {
	SetLedger(l Ledger, cluster string)
}

// wantsPrivateRepositories is a plugin that has to know where repositories of tenants may be.
type wantsPrivateRepositories interface{ SetPrivateRepositories(allowed bool) }

// wantsDataDir is a plugin that keeps others out of the directory of this server.
type wantsDataDir interface{ SetDataDir(path string) }

// Initializer hands directory, ledger and settings to the plugins that want them.
type Initializer struct {
	Directory Directory
	Ledger    Ledger
	// Cluster is the tag that IDs of orders of this installation have in common.
	Cluster string
	// PrivateRepositories lets repositories of tenants be at addresses that are not public.
	PrivateRepositories bool
	// DataDir is where this server keeps its own data.
	DataDir string
}

// Initialize implements admission.PluginInitializer.
func (i Initializer) Initialize(plugin admission.Interface) {
	if p, ok := plugin.(wantsDirectory); ok {
		p.SetDirectory(i.Directory)
	}
	if p, ok := plugin.(wantsLedger); ok {
		p.SetLedger(i.Ledger, i.Cluster)
	}
	if p, ok := plugin.(wantsPrivateRepositories); ok {
		p.SetPrivateRepositories(i.PrivateRepositories)
	}
	if p, ok := plugin.(wantsDataDir); ok {
		p.SetDataDir(i.DataDir)
	}
}

// changesSpec is true for a request after which something else may run. Whoever deletes a container, or lets it go, does
// not have to put it in order first.
func changesSpec(now, old *unstructured.Unstructured) bool {
	return now.GetDeletionTimestamp() == nil && (old == nil || !equality.Semantic.DeepEqual(now.Object["spec"], old.Object["spec"]))
}

// policyFor is what is in force for the object of a request; false when it belongs to no tenant.
func (p *Plugin) policyFor(ctx context.Context, a admission.Attributes) (policy.Policy, bool, error) {
	rules, ok, err := p.directory.Policy(ctx, a.GetNamespace())
	if err != nil {
		return rules, false, apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}

	return rules, ok, nil
}

// fillIn gives a container of a tenant what its plan and its profile have for it.
func (p *Plugin) fillIn(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) error {
	spec, ok := now.Object["spec"].(map[string]any)
	if !ok || !changesSpec(now, old) {
		return nil
	}
	rules, ok, err := p.policyFor(ctx, a)
	if err != nil || !ok {
		return err
	}
	rules.Default(spec)

	return nil
}

// judgeSchedule refuses what the schema cannot know to be wrong: a time zone that there is not.
func judgeSchedule(tc *v1alpha1.TenantContainer) field.ErrorList {
	if tc.Spec.Schedule == nil {
		return nil
	}
	if _, err := schedule.Of(tc.Spec.Schedule, field.NewPath("spec", "schedule")); err != nil {
		return field.ErrorList{err}
	}

	return nil
}

// judge refuses what the policy of the tenant does, and a published port that somebody else has.
func (p *Plugin) judge(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) error {
	if !changesSpec(now, old) {
		return nil
	}
	rules, tenant, err := p.policyFor(ctx, a)
	if err != nil {
		return err
	}
	tc, err := typed[v1alpha1.TenantContainer](now)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	tc.Namespace = a.GetNamespace()

	errs := append(judgeSchedule(tc), judgeAutoscaling(tc)...)
	if tenant {
		spec, _ := now.Object["spec"].(map[string]any)
		errs = slices.Concat(errs, rules.Unknown(spec), rules.Check(&tc.Spec))
		revision, err := p.judgeRevision(ctx, rules, tc)
		if err != nil {
			return apierrors.NewInternalError(err)
		}
		errs = append(errs, revision...)
	}

	mounts, err := p.judgeMounts(ctx, tc, old)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	errs = append(errs, mounts...)

	taken, err := p.directory.Taken(ctx, tc, tenant)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if errs = append(errs, taken...); len(errs) > 0 {
		return apierrors.NewInvalid(containerKind, now.GetName(), errs)
	}

	if tenant {
		for _, w := range rules.Warnings(&tc.Spec) {
			warning.AddWarning(ctx, "", w)
		}
	}

	return nil
}

// judgeScale holds a new number of replicas against the policy. Fewer are always fine.
func (p *Plugin) judgeScale(ctx context.Context, a admission.Attributes) error {
	now, ok1 := a.GetObject().(*autoscalingv1.Scale)
	old, ok2 := a.GetOldObject().(*autoscalingv1.Scale)
	if !ok1 || !ok2 {
		return apierrors.NewInternalError(fmt.Errorf("admit Scale: unexpected types %T and %T", a.GetObject(), a.GetOldObject()))
	}
	if now.Spec.Replicas <= old.Spec.Replicas {
		return nil
	}
	if err := p.judgeScaleMounts(ctx, a, now.Spec.Replicas); err != nil {
		return err
	}

	rules, tenant, err := p.policyFor(ctx, a)
	if err != nil || !tenant {
		return err
	}
	if errs := rules.CheckReplicas(now.Spec.Replicas); len(errs) > 0 {
		return apierrors.NewInvalid(containerKind, a.GetName(), errs)
	}

	return nil
}

// typed is an object of a request as one of its Go type.
func typed[T any](u *unstructured.Unstructured) (*T, error) {
	object := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, object); err != nil {
		return nil, fmt.Errorf("read %s %q: %w", u.GetKind(), u.GetName(), err)
	}

	return object, nil
}
