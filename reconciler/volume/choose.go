package volume

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Consumer is something that mounts a Volume, as far as it says where it can run.
type Consumer struct {
	Kind, Name string
	// Placement that its tasks have, and the resources of one of them; nil for none.
	Placement *swarm.Placement
	Resources *swarm.ResourceRequirements
	// Began is true when it has begun to run, though the services of that may be gone.
	Began bool
	// OffManagers is true when its tasks keep off the managers of the swarm wherever there are workers.
	OffManagers bool
	// Others are the names of all Volumes that it mounts.
	Others []string
	// Pinned are the IDs of the nodes that other Volumes which it mounts live on.
	Pinned []string
}

// ConsumerOf describes what mounts Volumes and runs tasks of that placement and those resources.
func ConsumerOf(kind, name string, p *v1alpha1.Placement, r *v1alpha1.Resources, mounts []v1alpha1.VolumeMount) Consumer {
	c := Consumer{Kind: kind, Name: name, Resources: &swarm.ResourceRequirements{}}

	if p != nil {
		c.Placement = &swarm.Placement{Constraints: p.Constraints}
		for _, platform := range p.Platforms {
			c.Placement.Platforms = append(c.Placement.Platforms, swarm.Platform{OS: platform.OS, Architecture: platform.Architecture})
		}
	}
	if r != nil && r.Limits != nil && r.Limits.CPU != nil {
		c.Resources.Limits = &swarm.Limit{NanoCPUs: r.Limits.CPU.ScaledValue(resource.Nano)}
	}
	if r != nil && r.Requests != nil {
		c.Resources.Reservations = &swarm.Resources{}
		if r.Requests.CPU != nil {
			c.Resources.Reservations.NanoCPUs = r.Requests.CPU.ScaledValue(resource.Nano)
		}
		if r.Requests.Memory != nil {
			c.Resources.Reservations.MemoryBytes = r.Requests.Memory.Value()
		}
	}
	for _, m := range mounts {
		if !slices.Contains(c.Others, string(m.Name)) {
			c.Others = append(c.Others, string(m.Name))
		}
	}

	return c
}

// Wished is the ID of the node that spec.node of a Volume means; empty when it means none of these.
func Wished(v *v1alpha1.Volume, nodes []swarm.Node) string {
	if v.Spec.Node == "" {
		return ""
	}
	if n, _ := named(nodes, v.Spec.Node); n != nil {
		return n.ID
	}

	return ""
}

// Request asks for a node for a Volume.
type Request struct {
	// Key tells the Volume from all others; it decides among nodes that are equally good.
	Key string
	// Wish is the hostname or the ID of the node that is asked for; empty for any.
	Wish string
	// Nodes of the swarm.
	Nodes []swarm.Node
	// Consumers that are to run where the Volume is.
	Consumers []Consumer
	// Volumes is how many Volumes live on each node, by ID.
	Volumes map[string]int
}

// Choose returns the node on which all consumers can run and that has the fewest Volumes; among several the one that a hash of
// the key and the node puts first, so that the same question has the same answer. Without one it says what is in the way.
func Choose(r Request) (*swarm.Node, string) {
	fit := r.Nodes

	if r.Wish != "" {
		wished, why := named(r.Nodes, r.Wish)
		if wished == nil {
			return nil, why
		}
		fit = []swarm.Node{*wished}
	}

	// Each filter names what it has left nothing of.
	for _, f := range r.filters() {
		left := slices.DeleteFunc(slices.Clone(fit), func(n swarm.Node) bool { return !f.passes(n) })
		if len(left) == 0 {
			return nil, f.why(fit)
		}
		fit = left
	}

	best := slices.MinFunc(fit, func(a, b swarm.Node) int {
		return cmp.Or(cmp.Compare(r.Volumes[a.ID], r.Volumes[b.ID]), cmp.Compare(rank(r.Key, a.ID), rank(r.Key, b.ID)), strings.Compare(a.ID, b.ID))
	})

	return &best, ""
}

// filter leaves out nodes that will not do.
type filter struct {
	passes func(swarm.Node) bool
	// why none of those that were left passes.
	why func(left []swarm.Node) string
}

func (r Request) filters() []filter {
	says := func(text string, args ...any) func([]swarm.Node) string {
		return func(left []swarm.Node) string {
			return fmt.Sprintf(text, args...) + " (" + strings.Join(hostnames(left), ", ") + ")"
		}
	}

	out := []filter{{swarmobj.Available, func(left []swarm.Node) string {
		if len(left) == 0 {
			return "the swarm has no nodes"
		}

		return says("no node that will do is ready and active")(left)
	}}}

	for _, c := range r.Consumers {
		who := c.Kind + " " + c.Name
		out = append(out,
			filter{
				func(n swarm.Node) bool {
					return len(c.Pinned) == 0 || !slices.ContainsFunc(c.Pinned, func(id string) bool { return id != n.ID })
				},
				says("another volume of %s lives on a node that will not do", who),
			},
			filter{
				func(n swarm.Node) bool { return swarmobj.Permits(n, c.Placement) && swarmobj.Runs(n, c.Placement) },
				says("spec.placement of %s lets it onto no node that will do", who),
			},
			filter{
				func(n swarm.Node) bool { return swarmobj.Holds(n, c.Resources) },
				says("%s is larger than any node that will do", who),
			})
	}

	return append(out, filter{r.offManagers(), says("containers of the tenant keep off the managers, and only managers will do")})
}

// offManagers keeps off the managers where one of the consumers does, as long as the swarm has a worker that is there to run
// tasks; whether it is up at the moment does not matter.
func (r Request) offManagers() func(swarm.Node) bool {
	keep := slices.ContainsFunc(r.Consumers, func(c Consumer) bool { return c.OffManagers }) &&
		slices.ContainsFunc(r.Nodes, func(n swarm.Node) bool {
			return n.Spec.Role == swarm.NodeRoleWorker &&
				cmp.Or(n.Spec.Availability, swarm.NodeAvailabilityActive) == swarm.NodeAvailabilityActive
		})

	return func(n swarm.Node) bool { return !keep || n.Spec.Role == swarm.NodeRoleWorker }
}

// named finds the node that is meant by an ID or a hostname.
func named(nodes []swarm.Node, wish string) (*swarm.Node, string) {
	var found []swarm.Node

	for _, n := range nodes {
		if n.ID == wish {
			return &n, ""
		}
		if strings.EqualFold(n.Description.Hostname, wish) {
			found = append(found, n)
		}
	}

	switch len(found) {
	case 0:
		return nil, fmt.Sprintf("spec.node: no node of the swarm has the hostname or ID %q; there are: %s", wish, strings.Join(hostnames(nodes), ", "))
	case 1:
		return &found[0], ""
	default:
		return nil, fmt.Sprintf("spec.node: %d nodes have the hostname %q; name one by its ID", len(found), wish)
	}
}

// hostnames of a few nodes, for people.
func hostnames(nodes []swarm.Node) []string {
	const few = 5

	var out []string
	for _, n := range nodes {
		out = append(out, cmp.Or(n.Description.Hostname, n.ID))
	}
	slices.Sort(out)
	if len(out) > few {
		out = append(out[:few], "…")
	}

	return out
}

// rank orders nodes for one Volume, and differently for another.
func rank(key, node string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key + "\x00" + node)) // It never fails.

	return h.Sum64()
}
