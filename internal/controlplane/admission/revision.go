package admission

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

var revisionResource = v1alpha1.GroupVersion.WithResource("containerrevisions")

// judgeRevision holds the revision that is to run in place of the template against the rules of today.
func (p *Plugin) judgeRevision(ctx context.Context, rules policy.Policy, tc *v1alpha1.TenantContainer) (field.ErrorList, error) {
	template, err := templateInstead(ctx, p.client, tc)
	if err != nil || template == nil {
		return nil, err
	}

	var errs field.ErrorList
	for _, e := range rules.Check(template) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "rollbackTo"), *tc.Spec.RollbackTo, "the revision has "+e.Error()))
	}

	return errs, nil
}

// templateInstead is that of the revision that is to run in place of the declared one; nil when none is, or when there is no
// such revision.
func templateInstead(ctx context.Context, c dynamic.Interface, tc *v1alpha1.TenantContainer) (*v1alpha1.TenantContainerSpec, error) {
	if tc.Spec.RollbackTo == nil {
		return nil, nil
	}
	list, err := c.Resource(revisionResource).Namespace(tc.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: v1alpha1.LabelContainer + "=" + tc.Name,
	})
	if err != nil {
		return nil, fmt.Errorf("list revisions of %q: %w", tc.Name, err)
	}
	for i := range list.Items {
		var r v1alpha1.ContainerRevision
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &r); err != nil {
			return nil, fmt.Errorf("read revision %q: %w", list.Items[i].GetName(), err)
		}
		if r.Spec.Revision == *tc.Spec.RollbackTo {
			return &r.Spec.Template, nil
		}
	}

	return nil, nil
}
