package compose

import (
	"fmt"
	"math"

	"github.com/compose-spec/compose-go/v2/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// maxReplicas is the most that a tenant has of one container (rule Q1).
	maxReplicas = 100
	leastCPU    = 1
	leastLimit  = 10
	mostCPU     = 1000 * 1000
	leastMemory = 4 << 20
	// leastInUse is the least limit with which an engine starts a container.
	leastInUse   = 6 << 20
	mostMemory   = 64 << 40
	mostPids     = 4194304
	perCPU       = 1000
	whyCPU       = "amounts of CPU are from 0.001, limits from 0.01, to 1000"
	whyMemory    = "amounts of memory are from 4Mi, limits from 6Mi, to 64Ti"
	whyRequested = "a request is not greater than the limit"
)

// count converts how many tasks there are.
func (s *service) count() {
	mode := ""
	if s.Deploy != nil {
		mode = s.Deploy.Mode
	}
	switch mode {
	case "", "replicated":
	case "global":
		s.refused(s.path("deploy.mode"), mode, "a task on every node is the platform's to have (rule P2), so it is replicated", "declare replicas")
	case "replicated-job", "global-job":
		s.changed(s.path("deploy.mode"), mode, "jobs are not converted, so it is a container that rests when it has ended well",
			"start it again by `dogker restart`, or write a TenantJob")
	default:
		s.lost(s.path("deploy.mode"), mode, "it is no mode", "write replicated")
	}

	field, n := "scale", s.Scale
	if s.Deploy != nil && s.Deploy.Replicas != nil {
		field, n = "deploy.replicas", s.Deploy.Replicas
	}
	if n != nil && mode != "global" && mode != "global-job" {
		s.spec.Replicas = new(int32(s.number(field, int64(*n), 0, maxReplicas, "a tenant has at most 100 tasks of a container (rule Q1)")))
	}
}

// isJob is true for what ends by itself.
func (s *service) isJob() bool {
	return s.runOnce[s.key] || s.Deploy != nil && (s.Deploy.Mode == "replicated-job" || s.Deploy.Mode == "global-job")
}

// resources converts limits and reservations; those of older files stand beside deploy.
func (s *service) resources() {
	limits, requests := &types.Resource{}, &types.Resource{}
	if s.Deploy != nil && s.Deploy.Resources.Limits != nil {
		limits = s.Deploy.Resources.Limits
	}
	if s.Deploy != nil && s.Deploy.Resources.Reservations != nil {
		requests = s.Deploy.Resources.Reservations
	}

	const of, kept = "deploy.resources.limits.", "deploy.resources.reservations."
	var l v1alpha1.ResourceLimits
	var r v1alpha1.ResourceRequests
	l.CPU = s.cpu(first(of+"cpus", float64(limits.NanoCPUs), "cpus", float64(s.CPUS)), leastLimit)
	l.Memory = s.memory(first(of+"memory", limits.MemoryBytes, "mem_limit", s.MemLimit), leastInUse)
	if f := first(of+"pids", limits.Pids, "pids_limit", s.PidsLimit); f.value > 0 {
		l.Pids = new(s.number(f.name, f.value, 1, mostPids, "the kernel has at most 4194304"))
	}
	r.CPU = s.cpu(entry[float64]{kept + "cpus", float64(requests.NanoCPUs)}, leastCPU)
	r.Memory = s.memory(first(kept+"memory", requests.MemoryBytes, "mem_reservation", s.MemReservation), leastMemory)
	if requests.Pids > 0 {
		s.lost(s.path(kept+"pids"), fmt.Sprint(requests.Pids), "processes are limited, and not set aside", "")
	}
	r.CPU = s.atMost(kept+"cpus", r.CPU, l.CPU)
	r.Memory = s.atMost(kept+"memory", r.Memory, l.Memory)

	out := &v1alpha1.Resources{}
	if l != (v1alpha1.ResourceLimits{}) {
		out.Limits = &l
	}
	if r != (v1alpha1.ResourceRequests{}) {
		out.Requests = &r
	}
	if *out != (v1alpha1.Resources{}) {
		s.spec.Resources = out
	}
}

// entry is a value, and what it is called where it stands.
type entry[T any] struct {
	name  string
	value T
}

// first is the newer of two fields with one meaning that is set.
func first[T comparable](name string, value T, oldName string, oldValue T) entry[T] {
	var zero T
	if value == zero {
		return entry[T]{oldName, oldValue}
	}

	return entry[T]{name, value}
}

func (s *service) cpu(f entry[float64], least int64) *resource.Quantity {
	if !(f.value > 0) {
		return nil
	}
	milli := int64(min(math.Round(f.value*perCPU), mostCPU+1))
	got := min(max(milli, least), mostCPU)
	if got != milli {
		s.changed(s.path(f.name), fmt.Sprintf("%.4g", f.value), fmt.Sprintf("%s, so it is %dm", whyCPU, got), "")
	}

	return resource.NewMilliQuantity(got, resource.DecimalSI)
}

func (s *service) memory(f entry[types.UnitBytes], least int64) *resource.Quantity {
	if f.value <= 0 {
		return nil
	}
	got := min(max(int64(f.value), least), mostMemory)
	q := resource.NewQuantity(got, resource.BinarySI)
	if got != int64(f.value) {
		s.changed(s.path(f.name), fmt.Sprint(int64(f.value)), fmt.Sprintf("%s, so it is %s", whyMemory, q), "")
	}

	return q
}

func (s *service) atMost(field string, request, limit *resource.Quantity) *resource.Quantity {
	if request == nil || limit == nil || request.Cmp(*limit) <= 0 {
		return request
	}
	s.changed(s.path(field), request.String(), fmt.Sprintf("%s, so it is %s", whyRequested, limit), "")
	out := limit.DeepCopy()

	return &out
}
