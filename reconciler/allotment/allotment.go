// Package allotment says what a TenantContainer takes of a quota. It is pure, and the same for everybody who speaks of quotas:
// admission, which charges it, the controller that counts it, and a sync that wants to know whether all that it is about to
// apply has room.
//
// It imports api/ and nothing that does I/O. What a container pays for is package billing's.
package allotment

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
)

// Resources are those that containers use, as quotas name them.
var Resources = []corev1.ResourceName{
	v1alpha1.ResourceContainers,
	v1alpha1.ResourceReplicas,
	v1alpha1.ResourceRequestsCPU,
	v1alpha1.ResourceRequestsMemory,
	v1alpha1.ResourceLimitsCPU,
	v1alpha1.ResourceLimitsMemory,
	v1alpha1.ResourceRequestsStorage,
	v1alpha1.ResourcePublishedPorts,
}

// JobResources are those that jobs use, as quotas name them.
var JobResources = []corev1.ResourceName{
	v1alpha1.ResourceJobs,
	v1alpha1.ResourceRequestsCPU,
	v1alpha1.ResourceRequestsMemory,
	v1alpha1.ResourceLimitsCPU,
	v1alpha1.ResourceLimitsMemory,
}

// OfJob is what a job is charged for, given its template as a container: the tasks of one run that there are at a time.
func OfJob(template *v1alpha1.TenantContainerSpec) corev1.ResourceList {
	n := int64(1)
	if template.Replicas != nil {
		n = int64(*template.Replicas)
	}

	out := OfTemplate(template, n)
	delete(out, v1alpha1.ResourcePublishedPorts)
	out[v1alpha1.ResourceJobs] = *resource.NewQuantity(1, resource.DecimalSI)

	return out
}

// Of is what a container is charged for: what it declares, and where one of the templates that may run in its place
// uses more, that.
func Of(c *v1alpha1.TenantContainer, instead ...*v1alpha1.TenantContainerSpec) corev1.ResourceList {
	n := tasks(c)
	out := OfTemplate(&c.Spec, n)
	for _, template := range instead {
		out = larger(out, OfTemplate(template, n))
	}

	out[v1alpha1.ResourceContainers] = *resource.NewQuantity(1, resource.DecimalSI)
	out[v1alpha1.ResourceReplicas] = *resource.NewQuantity(n, resource.DecimalSI)
	out[v1alpha1.ResourceRequestsStorage] = *resource.NewQuantity(0, resource.BinarySI)

	return out
}

// larger is the larger of each resource.
func larger(a, b corev1.ResourceList) corev1.ResourceList {
	out := a.DeepCopy()

	for name, q := range b {
		if mine, ok := out[name]; !ok || q.Cmp(mine) > 0 {
			out[name] = q
		}
	}

	return out
}

// tasks that a container is to have: those it declares, or as many as the autoscaler has decided. A global one has as many as
// there are nodes for it, which is known once it runs.
func tasks(c *v1alpha1.TenantContainer) int64 {
	if c.Spec.Mode == v1alpha1.ModeGlobal {
		return max(1, int64(c.Status.Replicas))
	}

	return int64(autoscale.Replicas(c))
}

// OfTemplate is what n tasks of a template use. What they do not declare is not charged: where a quota limits it, they
// must declare it.
func OfTemplate(t *v1alpha1.TenantContainerSpec, n int64) corev1.ResourceList {
	out := corev1.ResourceList{v1alpha1.ResourcePublishedPorts: *resource.NewQuantity(PublishedPorts(t), resource.DecimalSI)}

	for name, q := range Declared(t) {
		if q == nil {
			out[name] = resource.Quantity{Format: resource.DecimalSI}

			continue
		}
		amount := q.DeepCopy()
		amount.Mul(n)
		out[name] = amount
	}

	return out
}

// Declared are the amounts of computing that one task declares; nil for what it does not.
func Declared(t *v1alpha1.TenantContainerSpec) map[corev1.ResourceName]*resource.Quantity {
	var requests v1alpha1.ResourceRequests
	var limits v1alpha1.ResourceLimits
	if r := t.Resources; r != nil {
		if r.Requests != nil {
			requests = *r.Requests
		}
		if r.Limits != nil {
			limits = *r.Limits
		}
	}

	return map[corev1.ResourceName]*resource.Quantity{
		v1alpha1.ResourceRequestsCPU:    requests.CPU,
		v1alpha1.ResourceRequestsMemory: requests.Memory,
		v1alpha1.ResourceLimitsCPU:      limits.CPU,
		v1alpha1.ResourceLimitsMemory:   limits.Memory,
	}
}

// PublishedPorts is how many ports a template publishes on the nodes.
func PublishedPorts(t *v1alpha1.TenantContainerSpec) int64 {
	var n int64
	for _, p := range t.Ports {
		if p.Publish != nil {
			n++
		}
	}

	return n
}
