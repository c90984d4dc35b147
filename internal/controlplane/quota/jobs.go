package quota

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
	"github.com/dogker/dogker/reconciler/jobrun"
)

var jobsResource = v1alpha1.GroupVersion.WithResource("tenantjobs")

// jobs charges TenantJobs: what the tasks of one run use that there are at a time, whether or not a run is going on, as long as
// there can be one. More there never is: where a quota limits what tasks use, the controller of jobs lets runs of a job begin one
// after the other. Without a source it judges requests only.
func jobs(s *Source) quota.Evaluator {
	e := &evaluator{
		resource: jobsResource.GroupResource(),
		names:    allotment.JobResources,
		usage: func(o runtime.Object) (corev1.ResourceList, error) {
			j, err := typedJob(o)
			if err != nil {
				return nil, err
			}

			return usageOfJob(j), nil
		},
		handles: handlesJob,
		demand:  demandOfJob,
	}
	if s != nil {
		e.list = s.each(jobsResource, e.usage)
	}

	return e
}

// usageOfJob is what a job is charged for. One that has run and never will again is only counted.
func usageOfJob(j *v1alpha1.TenantJob) corev1.ResourceList {
	out := allotment.OfJob(jobrun.Container(&j.Spec))
	if !jobrun.Over(j) {
		return out
	}

	for name, q := range out {
		if name != v1alpha1.ResourceJobs {
			q.Set(0)
			out[name] = q
		}
	}

	return out
}

// handlesJob is true for what can make a job use more.
func handlesJob(a admission.Attributes) bool {
	if a.GetSubresource() != "" {
		return false
	}
	if a.GetOperation() == admission.Create {
		return true
	}
	now, err1 := typedJob(a.GetObject())
	old, err2 := typedJob(a.GetOldObject())
	if err1 != nil || err2 != nil {
		return true
	}
	if now.DeletionTimestamp != nil {
		return false
	}

	within, _ := quota.LessThanOrEqual(allotment.OfJob(jobrun.Container(&now.Spec)), allotment.OfJob(jobrun.Container(&old.Spec)))

	return !within
}

// demandOfJob refuses a job that does not say how much it uses of what the quota limits.
func demandOfJob(required []corev1.ResourceName, o runtime.Object) error {
	j, err := typedJob(o)
	if err != nil {
		return err
	}

	var missing []string
	for name, q := range allotment.Declared(jobrun.Container(&j.Spec)) {
		if q == nil && slices.Contains(required, name) {
			kind, of, _ := strings.Cut(string(name), ".")
			missing = append(missing, "spec.template.resources."+kind+"."+of)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)

	return fmt.Errorf("%s must be set, because the quota limits it", strings.Join(missing, ", "))
}

// jobChanged is true for an update after which a job may be charged differently: one of its spec, and its end.
func jobChanged(before, now any) bool {
	b, err1 := meta.Accessor(before)
	n, err2 := meta.Accessor(now)

	return err1 != nil || err2 != nil || b.GetGeneration() != n.GetGeneration() || overNow(before) != overNow(now)
}

// overNow is true for a job that is over, in whichever form it comes.
func overNow(o any) bool {
	object, ok := o.(runtime.Object)
	if !ok {
		return false
	}
	j, err := typedJob(object)

	return err == nil && jobrun.Over(j)
}

// typedJob is a job in whichever form it comes.
func typedJob(o runtime.Object) (*v1alpha1.TenantJob, error) {
	switch o := o.(type) {
	case *v1alpha1.TenantJob:
		return o, nil
	case *unstructured.Unstructured:
		j := &v1alpha1.TenantJob{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, j); err != nil {
			return nil, fmt.Errorf("read TenantJob %q: %w", o.GetName(), err)
		}

		return j, nil
	default:
		return nil, fmt.Errorf("charge TenantJob: unexpected type %T", o)
	}
}
