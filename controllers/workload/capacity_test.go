package workload

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// asking are resources; an empty amount is not asked for.
func asking(requestCPU, requestMemory, limitCPU, limitMemory string) *v1alpha1.Resources {
	amount := func(s string) *resource.Quantity {
		if s == "" {
			return nil
		}

		return new(resource.MustParse(s))
	}

	return &v1alpha1.Resources{
		Requests: &v1alpha1.ResourceRequests{CPU: amount(requestCPU), Memory: amount(requestMemory)},
		Limits:   &v1alpha1.ResourceLimits{CPU: amount(limitCPU), Memory: amount(limitMemory)},
	}
}

// sized is a node with so many billionths of a CPU and bytes.
func sized(id string, cpus, memory int64, change ...func(*swarm.Node)) swarm.Node {
	n := node(id, change...)
	n.Description.Resources = swarm.Resources{NanoCPUs: cpus, MemoryBytes: memory}

	return n
}

func TestPreflightOfResources(t *testing.T) {
	const none = "no suitable node (insufficient resources): "

	gpu := func(n *swarm.Node) { n.Spec.Labels = map[string]string{"gpu": "yes"} }
	small, odd := sized("1", 2e9, 1<<30), sized("2", 4e9, 8<<30+12345)
	cases := map[string]struct {
		reason string
		asked  *v1alpha1.Resources
		nodes  []swarm.Node
		text   string
		// refused is true when the engine would refuse the tasks, instead of Swarm waiting.
		refused bool
		// constraints of the placement.
		constraints []string
	}{
		"Nothing": {
			reason: "Nothing is asked for.", nodes: []swarm.Node{small},
		},
		"AllOfANode": {
			reason: "It may be free or become free: that is for Swarm to know.",
			asked:  asking("4", "8589946937", "4", ""), nodes: []swarm.Node{small, odd},
		},
		"LimitAboveOneOfTwo": {
			reason: "Where the engine refuses a task Swarm tries the other node.",
			asked:  asking("1", "", "3", ""), nodes: []swarm.Node{small, odd},
		},
		"LimitAboveAll": {
			reason: "Swarm places by the request, and each engine refuses each task.",
			asked:  asking("1", "", "64", ""), nodes: []swarm.Node{small, odd}, refused: true,
			text: none + "spec.resources.limits.cpu: 64 is more than any eligible node has; the largest has 4",
		},
		"LimitWithoutRequest": {
			reason: "The limit is set aside, and no node has it: one field says it all.",
			asked:  asking("", "", "4500m", ""), nodes: []swarm.Node{small, odd},
			text: none + "spec.resources.limits.cpu: 4500m is more than any eligible node has; the largest has 4",
		},
		"MemoryLimitAlone": {
			reason: "A limit on memory without a request is set aside, too.",
			asked:  asking("", "", "", "2Gi"), nodes: []swarm.Node{small},
			text: none + "spec.resources.limits.memory: 2Gi is more than any eligible node has; the largest has 1Gi",
		},
		"MemoryLimitWithRequest": {
			reason: "No engine minds a limit on memory that it cannot reach.",
			asked:  asking("", "64Mi", "", "1Ti"), nodes: []swarm.Node{small},
		},
		"RequestAboveAll": {
			reason: "Swarm would wait for ever. What the largest has is said in whole MiB, rounded down, to be copied.",
			asked:  asking("", "9Gi", "", ""), nodes: []swarm.Node{small, odd},
			text: none + "spec.resources.requests.memory: 9Gi is more than any eligible node has; the largest has 8Gi",
		},
		"SeveralAboveAll": {
			reason: "People hear of all that is wrong at once.",
			asked:  asking("8", "9Gi", "16", ""), nodes: []swarm.Node{odd},
			text: none + "spec.resources.limits.cpu: 16 is more than any eligible node has; the largest has 4; " +
				"spec.resources.requests.cpu: 8 is more than any eligible node has; the largest has 4; " +
				"spec.resources.requests.memory: 9Gi is more than any eligible node has; the largest has 8Gi",
		},
		"NotOnOneNode": {
			reason: "Each is to be had, on another node.",
			asked:  asking("6", "2Gi", "", ""), nodes: []swarm.Node{sized("1", 8e9, 1<<30), odd},
			text: none + "no one eligible node has all of spec.resources.requests.cpu: 6, spec.resources.requests.memory: 2Gi; " +
				"the most of each are cpu 8 and memory 8Gi",
		},
		"LargestIsNotEligible": {
			reason: "A node that the placement leaves out, or that is drained, offers nothing.",
			asked:  asking("3", "", "", ""), constraints: []string{"node.labels.gpu==yes"},
			nodes: []swarm.Node{odd, sized("3", 1e9, 1<<30, gpu), sized("4", 16e9, 1<<30, gpu, drained)},
			text:  none + "spec.resources.requests.cpu: 3 is more than any eligible node has; the largest has 1",
		},
		"PlacementComesFirst": {
			reason: "Where no node is eligible, resources are not what is missing.",
			asked:  asking("3", "", "", ""), nodes: []swarm.Node{small}, constraints: []string{"node.labels.gpu==yes"},
			text: "no suitable node (scheduling constraints not satisfied)",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec, err := servicespec.Build(servicespec.Input{
				Owner: swarmobj.Owner{Tenant: "acme", Name: "web"}, Image: "shop:1",
				Template: &v1alpha1.TenantContainerSpec{
					Image: "shop:1", Resources: tc.asked, Placement: &v1alpha1.Placement{Constraints: tc.constraints},
				},
			})
			if err != nil {
				t.Fatal(err)
			}

			want := hindrance{refused: tc.refused}
			if tc.text != "" {
				want.cause = cause{v1alpha1.ReasonUnschedulable, tc.text}
			}

			got, bad := preflight(spec, tc.asked, "", tc.nodes, nil)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(hindrance{}, cause{})); diff != "" || bad != (tc.text != "") {
				t.Errorf("%s\nheld: %v; -want +got:\n%s", tc.reason, bad, diff)
			}
		})
	}
}
