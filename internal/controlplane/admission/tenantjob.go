package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/jobrun"
)

// JobPluginName is how the plugin for TenantJobs is known to the API server.
const JobPluginName = "DogkerTenantJob"

var (
	jobResource = v1alpha1.GroupVersion.WithResource("tenantjobs")
	jobKind     = schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: "TenantJob"}
)

// RegisterJob makes the plugin known.
func RegisterJob(plugins *admission.Plugins) {
	plugins.Register(JobPluginName, func(io.Reader) (admission.Interface, error) {
		return &Job{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Job applies to TenantJobs what holds for what they run: their templates are bound by the policy of the tenant as containers are,
// and filled in from its plan. What runs once is not changed afterwards, which the schema says.
type Job struct {
	*admission.Handler

	directory Directory
	client    dynamic.Interface
}

var (
	_ admission.MutationInterface   = (*Job)(nil)
	_ admission.ValidationInterface = (*Job)(nil)

	_ initializer.WantsDynamicClient = (*Job)(nil)
)

// SetDirectory gives the plugin its sight of tenants.
func (p *Job) SetDirectory(d Directory) { p.directory = d }

// SetDynamicClient gives the plugin its sight of Volumes.
func (p *Job) SetDynamicClient(c dynamic.Interface) { p.client = c }

// ValidateInitialization refuses a plugin that could not see.
func (p *Job) ValidateInitialization() error {
	if p.directory == nil || p.client == nil {
		return errors.New("admission of TenantJobs needs a directory of tenants and a client")
	}

	return nil
}

func concernsJob(a admission.Attributes) bool {
	return a.GetResource().GroupResource() == jobResource.GroupResource() && a.GetSubresource() == ""
}

// Admit brings what is asked for into the form in which it is stored.
func (p *Job) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concernsJob(a) {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}

	holdUntilGone(now, v1alpha1.Finalizer)

	spec, ok := now.Object["spec"].(map[string]any)
	if !ok || !changesSpec(now, old) {
		return nil
	}
	template, ok := spec["template"].(map[string]any)
	if !ok {
		return nil // The schema refuses it.
	}

	rules, tenant, err := p.directory.Policy(ctx, a.GetNamespace())
	if err != nil {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}
	if tenant {
		rules.Default(template)
	}

	return nil
}

// Validate refuses what must not be stored.
func (p *Job) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concernsJob(a) {
		return nil
	}
	now, old, err := objects(a)
	if err != nil || !changesSpec(now, old) {
		return err
	}
	job, err := typed[v1alpha1.TenantJob](now)
	if err != nil {
		return apierrors.NewInternalError(err)
	}

	var errs field.ErrorList
	if _, _, invalid := cron.Of(&job.Spec, field.NewPath("spec")); invalid != nil {
		errs = append(errs, invalid)
	}
	mounts, err := judgeMountsOfJob(ctx, p.client, job, old)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	errs = append(errs, mounts...)

	rules, tenant, err := p.directory.Policy(ctx, a.GetNamespace())
	if err != nil {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}
	if tenant {
		container := jobrun.Container(&job.Spec)
		template, _, _ := unstructured.NestedMap(now.Object, "spec", "template")
		errs = append(errs, inTemplate(rules.Unknown(template))...)
		errs = append(errs, inTemplate(rules.Check(container))...)

		for _, w := range rules.Warnings(container) {
			warning.AddWarning(ctx, "", jobrun.Field(w))
		}
	}

	if len(errs) > 0 {
		return apierrors.NewInvalid(jobKind, now.GetName(), errs)
	}

	return nil
}

// inTemplate are findings about a container, as findings about the job that it was made of.
func inTemplate(errs field.ErrorList) field.ErrorList {
	out := make(field.ErrorList, len(errs))
	for i, err := range errs {
		moved := *err
		moved.Field = jobrun.Field(moved.Field)
		out[i] = &moved
	}

	return out
}

// jobDemand are a job before a request and after it, as containers that want what the tasks of a run do: no before when it wants no
// more than it did, nor when it is new. What it wants is not part of the tenant's rate between runs, so that all of it has to be
// carried anew.
func jobDemand(_ context.Context, a admission.Attributes) (before, after *v1alpha1.TenantContainer, err error) {
	now, old, err := objects(a)
	if err != nil || !changesSpec(now, old) {
		return nil, nil, err
	}

	contained := func(u *unstructured.Unstructured) (*v1alpha1.TenantContainer, error) {
		job, err := typed[v1alpha1.TenantJob](u)
		if err != nil {
			return nil, apierrors.NewInternalError(fmt.Errorf("work out what it costs: %w", err))
		}

		tc := &v1alpha1.TenantContainer{ObjectMeta: job.ObjectMeta}
		tc.Spec = *jobrun.Container(&job.Spec)

		return tc, nil
	}

	if after, err = contained(now); err != nil || old == nil {
		return nil, after, err
	}
	before, err = contained(old)

	return before, after, err
}
