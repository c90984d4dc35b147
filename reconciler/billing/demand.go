package billing

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/money"
)

// Demand is what a container wants set aside: so many tasks, and for each of them so much.
type Demand struct {
	Tasks int64
	// NanoCPUs and MemoryBytes are what each task reserves.
	NanoCPUs, MemoryBytes int64
}

// DemandOf is what a container wants, and pays for while it runs: what Swarm sets aside, which is its requests, or its
// limits where it requests nothing. Whoever says nothing has nothing set aside, and pays by the task alone.
//
// It has no tasks while a person has suspended it, or when it is being deleted. That of a tenant whom billing has suspended
// is what it would be.
func DemandOf(tc *dogkerv1.TenantContainer) Demand {
	var d Demand
	if r := tc.Spec.Resources; r != nil {
		var requests dogkerv1.ResourceRequests
		var limits dogkerv1.ResourceLimits
		if r.Requests != nil {
			requests = *r.Requests
		}
		if r.Limits != nil {
			limits = *r.Limits
		}
		d.NanoCPUs = scaled(requests.CPU, limits.CPU, resource.Nano)
		d.MemoryBytes = scaled(requests.Memory, limits.Memory, 0)
	}
	if _, suspended := tc.Annotations[dogkerv1.AnnotationSuspend]; !suspended && tc.DeletionTimestamp == nil {
		d.Tasks = tasks(tc)
	}

	return d
}

// scaled is the first amount there is, rounded up to whole units of a scale.
func scaled(request, limit *resource.Quantity, scale resource.Scale) int64 {
	for _, q := range []*resource.Quantity{request, limit} {
		if q != nil {
			return max(q.ScaledValue(scale), 0)
		}
	}

	return 0
}

// tasks is how many tasks there are to be, with autoscaling as many as were decided. A global container has as many as there are nodes for it, which its status
// knows, and one at least.
func tasks(tc *dogkerv1.TenantContainer) int64 {
	if tc.Spec.Mode != dogkerv1.ModeGlobal {
		return int64(autoscale.Replicas(tc))
	}
	_, wanted, _ := strings.Cut(tc.Status.Tasks, "/")
	n, err := strconv.ParseInt(wanted, 10, 32)
	if err != nil {
		n = 0
	}

	return max(n, int64(tc.Status.Replicas), 1)
}

// RateOf is what an hour of all of it costs, rounded up.
func RateOf(prices map[money.Meter]money.Micro, demands ...Demand) (money.Micro, error) {
	var rate money.Micro
	for _, meter := range []money.Meter{money.CPU, money.Memory, money.Replica} {
		cost, err := costOf(meter, prices[meter], demands)
		if err != nil {
			return 0, err
		}
		if rate, err = rate.Add(cost); err != nil {
			return 0, fmt.Errorf("add up what an hour costs: %w", err)
		}
	}

	return rate, nil
}

// costOf is what an hour costs by one meter. What the divisions leave over is carried from one demand to the next, so that
// it is rounded once.
func costOf(meter money.Meter, price money.Micro, demands []Demand) (money.Micro, error) {
	const hour = 3600
	var sum money.Micro
	var carry uint64
	for _, d := range demands {
		each := int64(1)
		switch meter {
		case money.CPU:
			each = d.NanoCPUs
		case money.Memory:
			each = d.MemoryBytes
		}
		charge, rest, err := meter.Accrue(money.Use{Quantity: each, Seconds: d.Tasks * hour, Price: price}, carry)
		if err != nil {
			return 0, err
		}
		if sum, err = sum.Add(charge); err != nil {
			return 0, fmt.Errorf("add up what an hour costs: %w", err)
		}
		carry = rest
	}
	if carry > 0 {
		return sum.Add(1)
	}

	return sum, nil
}
