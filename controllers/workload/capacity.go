package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// tooLarge names what is asked for and no eligible node has, even when it is empty. A reservation that fits nowhere Swarm
// keeps waiting; a limit above the CPUs of the node is refused by the node's engine, again and again.
func tooLarge(asked *v1alpha1.Resources, want *swarm.ResourceRequirements, nodes []swarm.Node) hindrance {
	reserved := &swarm.ResourceRequirements{Reservations: want.Reservations}

	return hindrance{
		cause: cause{v1alpha1.ReasonUnschedulable, "no suitable node (insufficient resources): " + excess(asked, nodes)},
		refused: slices.ContainsFunc(nodes, func(n swarm.Node) bool {
			return swarmobj.Holds(n, reserved)
		}),
	}
}

// amount is one amount of a spec that a node must have.
type amount struct {
	field string
	value *resource.Quantity
	// has is what a node has of it.
	has func(swarm.Node) *resource.Quantity
}

// amounts are what a node must have. Without a request the limit is set aside in its place.
func amounts(asked *v1alpha1.Resources) []amount {
	var (
		requests v1alpha1.ResourceRequests
		limits   v1alpha1.ResourceLimits
	)
	if asked != nil && asked.Requests != nil {
		requests = *asked.Requests
	}
	if asked != nil && asked.Limits != nil {
		limits = *asked.Limits
	}

	all := []amount{
		{"spec.resources.limits.cpu", limits.CPU, cpusOf},
		{"spec.resources.requests.cpu", requests.CPU, cpusOf},
		{"spec.resources.requests.memory", requests.Memory, memoryOf},
	}
	if requests.Memory == nil {
		all = append(all, amount{"spec.resources.limits.memory", limits.Memory, memoryOf})
	}

	return slices.DeleteFunc(all, func(a amount) bool { return a.value == nil })
}

// excess says of each amount that is more than any of the nodes has what the largest has. When each is to be had, but not
// all on one node, it says that.
func excess(asked *v1alpha1.Resources, nodes []swarm.Node) string {
	all := amounts(asked)

	var over, together []string

	for _, a := range all {
		together = append(together, fmt.Sprintf("%s: %s", a.field, a.value))

		if most := largest(nodes, a.has); a.value.Cmp(*most) > 0 {
			over = append(over, fmt.Sprintf("%s: %s is more than any eligible node has; the largest has %s", a.field, a.value, legible(most)))
		}
	}

	if len(over) > 0 {
		return strings.Join(over, "; ")
	}

	return fmt.Sprintf("no one eligible node has all of %s; the most of each are cpu %s and memory %s",
		strings.Join(together, ", "), legible(largest(nodes, cpusOf)), legible(largest(nodes, memoryOf)))
}

func largest(nodes []swarm.Node, has func(swarm.Node) *resource.Quantity) *resource.Quantity {
	return has(slices.MaxFunc(nodes, func(a, b swarm.Node) int { return has(a).Cmp(*has(b)) }))
}

func cpusOf(n swarm.Node) *resource.Quantity {
	return resource.NewScaledQuantity(n.Description.Resources.NanoCPUs, resource.Nano)
}

func memoryOf(n swarm.Node) *resource.Quantity {
	return resource.NewQuantity(n.Description.Resources.MemoryBytes, resource.BinarySI)
}

// legible writes what a node has as one would write it into a spec: memory in whole MiB, rounded down.
func legible(q *resource.Quantity) string {
	if q.Format != resource.BinarySI || q.Value() < 1<<20 {
		return q.String()
	}

	return resource.NewQuantity(q.Value()>>20<<20, resource.BinarySI).String()
}
