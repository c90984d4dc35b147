package tenant

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// unsold are kinds that members can make, that cost everybody memory, and that no plan sells: their number has a bound
// that nobody needs and a flood of them meets. A plan that says something about one of them wins.
var unsold = map[corev1.ResourceName]int64{
	"count/serviceaccounts":                 300,
	"count/deploytokens.identity.dogker.io": 300,
	"count/gitpreviews.gitops.dogker.io":    50,
	"count/alerts.monitoring.dogker.io":     200,
	"count/receivers.monitoring.dogker.io":  50,
	v1alpha1.ResourceGitSyncs:               300,
	v1alpha1.ResourceJobs:                   300,
	v1alpha1.ResourceSnapshots:              300,
}

// effectiveQuota is the plan's with the tenant's own on top, resource by resource. Either may be nil.
func effectiveQuota(plan, own *v1alpha1.Quota) v1alpha1.Quota {
	p, o := orEmpty(plan), orEmpty(own)

	return v1alpha1.Quota{
		Containers:      cmp.Or(o.Containers, p.Containers),
		Replicas:        cmp.Or(o.Replicas, p.Replicas),
		Requests:        effectiveCompute(p.Requests, o.Requests),
		Limits:          effectiveCompute(p.Limits, o.Limits),
		Storage:         cmp.Or(o.Storage, p.Storage),
		PublishedPorts:  cmp.Or(o.PublishedPorts, p.PublishedPorts),
		Secrets:         cmp.Or(o.Secrets, p.Secrets),
		ConfigMaps:      cmp.Or(o.ConfigMaps, p.ConfigMaps),
		GitSyncs:        cmp.Or(o.GitSyncs, p.GitSyncs),
		Volumes:         cmp.Or(o.Volumes, p.Volumes),
		Jobs:            cmp.Or(o.Jobs, p.Jobs),
		Snapshots:       cmp.Or(o.Snapshots, p.Snapshots),
		SnapshotStorage: cmp.Or(o.SnapshotStorage, p.SnapshotStorage),
	}
}

func effectiveCompute(plan, own *v1alpha1.ComputeQuota) *v1alpha1.ComputeQuota {
	p, o := orEmpty(plan), orEmpty(own)

	return &v1alpha1.ComputeQuota{CPU: cmp.Or(o.CPU, p.CPU), Memory: cmp.Or(o.Memory, p.Memory)}
}

func orEmpty[T any](v *T) T {
	if v == nil {
		var none T

		return none
	}

	return *v
}

// hard is the quota by the names that a ResourceQuota knows. What is not limited is left out.
func hard(q v1alpha1.Quota) corev1.ResourceList {
	out := corev1.ResourceList{}

	for name, n := range unsold {
		out[name] = *resource.NewQuantity(n, resource.DecimalSI)
	}

	for name, n := range map[corev1.ResourceName]*int64{
		v1alpha1.ResourceContainers:     q.Containers,
		v1alpha1.ResourceReplicas:       q.Replicas,
		v1alpha1.ResourcePublishedPorts: q.PublishedPorts,
		v1alpha1.ResourceSecrets:        q.Secrets,
		v1alpha1.ResourceConfigMaps:     q.ConfigMaps,
		v1alpha1.ResourceGitSyncs:       q.GitSyncs,
		v1alpha1.ResourceVolumes:        q.Volumes,
		v1alpha1.ResourceJobs:           q.Jobs,
		v1alpha1.ResourceSnapshots:      q.Snapshots,
	} {
		if n != nil {
			out[name] = *resource.NewQuantity(*n, resource.DecimalSI)
		}
	}

	requests, limits := orEmpty(q.Requests), orEmpty(q.Limits)

	for name, amount := range map[corev1.ResourceName]*resource.Quantity{
		v1alpha1.ResourceRequestsCPU:     requests.CPU,
		v1alpha1.ResourceRequestsMemory:  requests.Memory,
		v1alpha1.ResourceLimitsCPU:       limits.CPU,
		v1alpha1.ResourceLimitsMemory:    limits.Memory,
		v1alpha1.ResourceRequestsStorage: q.Storage,
		v1alpha1.ResourceSnapshotStorage: q.SnapshotStorage,
	} {
		if amount != nil {
			out[name] = amount.DeepCopy()
		}
	}

	return out
}

// exceeded lists the resources of which more is used than there may be.
func exceeded(hard, used corev1.ResourceList) []string {
	var out []string

	for name, most := range hard {
		if now, ok := used[name]; ok && now.Cmp(most) > 0 {
			out = append(out, string(name))
		}
	}

	return out
}
