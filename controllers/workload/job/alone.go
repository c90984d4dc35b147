package job

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/reconciler/allotment"
	"github.com/dogker/dogker/reconciler/mounting"
)

// alone is why no two runs of a job may be at a time, whatever its concurrencyPolicy; empty when there is no reason.
func (c *Controller) alone(ctx context.Context, j *v1alpha1.TenantJob) (string, error) {
	set, err := mounts.Find(ctx, c.client, c.restores, j.Namespace, j.Spec.Template.Volumes, nil)
	if err != nil {
		return "", err
	}
	if name := mounting.OneWriter(j.Spec.Template.Volumes, set.Access); name != "" {
		return fmt.Sprintf("Volume %q, which they write to, has its data on one node", name), nil
	}

	var quotas corev1.ResourceQuotaList
	if err := c.client.List(ctx, &quotas, client.InNamespace(j.Namespace)); err != nil {
		return "", fmt.Errorf("list quotas of %q: %w", j.Namespace, err)
	}
	for i := range quotas.Items {
		if limitsComputing(&quotas.Items[i]) {
			return fmt.Sprintf("ResourceQuota %q has room for the tasks of one run", quotas.Items[i].Name), nil
		}
	}

	return "", nil
}

// limitsComputing is true for a quota that a job is charged in for the tasks of a run, and not only for being there.
func limitsComputing(q *corev1.ResourceQuota) bool {
	return slices.ContainsFunc(allotment.JobResources, func(name corev1.ResourceName) bool {
		_, limited := q.Spec.Hard[name]

		return limited && name != v1alpha1.ResourceJobs
	})
}
