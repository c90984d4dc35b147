package swarm

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
)

func TestHashOf(t *testing.T) {
	no, zero := false, uint64(0)
	image := func(c swarm.ContainerSpec) swarm.TaskSpec {
		c.Image = "web:1"
		return swarm.TaskSpec{ContainerSpec: &c}
	}

	cases := map[string]struct {
		reason string
		a, b   any
		same   bool
	}{
		"EmptyMembers": {
			reason: "The engine shows empty members for a service and leaves them out for its tasks.",
			a:      image(swarm.ContainerSpec{}),
			b: swarm.TaskSpec{
				ContainerSpec: &swarm.ContainerSpec{Image: "web:1", DNSConfig: &swarm.DNSConfig{}, Env: []string{}, Labels: map[string]string{}},
				Resources:     &swarm.ResourceRequirements{Limits: &swarm.Limit{}, Reservations: &swarm.Resources{}},
			},
			same: true,
		},
		"MapOrder": {
			reason: "A map has no order.",
			a:      map[string]string{"a": "1", "b": "2"}, b: map[string]string{"b": "2", "a": "1"},
			same: true,
		},
		"ValueMovedToAnotherMember": {
			reason: "The same words in another place mean something else.",
			a:      image(swarm.ContainerSpec{Hostname: "x"}), b: image(swarm.ContainerSpec{Dir: "x"}),
		},
		"ListCutElsewhere": {
			reason: "Two lists that hold the same letters are not the same.",
			a:      image(swarm.ContainerSpec{Args: []string{"ab", "c"}}), b: image(swarm.ContainerSpec{Args: []string{"a", "bc"}}),
		},
		"ListOrder": {
			reason: "The order of arguments matters.",
			a:      image(swarm.ContainerSpec{Args: []string{"a", "b"}}), b: image(swarm.ContainerSpec{Args: []string{"b", "a"}}),
		},
		"EmptyElement": {
			reason: "An empty argument is an argument.",
			a:      image(swarm.ContainerSpec{Args: []string{""}}), b: image(swarm.ContainerSpec{}),
		},
		"EmptyMapValue": {
			reason: "A label without a value is a label.",
			a:      map[string]string{"a": ""}, b: map[string]string{},
		},
		"PointerToFalse": {
			reason: "No init is not the same as the engine's default.",
			a:      image(swarm.ContainerSpec{Init: &no}), b: image(swarm.ContainerSpec{}),
		},
		"PointerToZero": {
			reason: "No attempts is not the same as any number of them.",
			a:      swarm.RestartPolicy{MaxAttempts: &zero}, b: swarm.RestartPolicy{},
		},
		"ForceUpdate": {
			reason: "The counter is there to make a difference.",
			a:      swarm.TaskSpec{ForceUpdate: 1}, b: swarm.TaskSpec{ForceUpdate: 2},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := hashOf(tc.a) == hashOf(tc.b); got != tc.same {
				t.Errorf("%s\nsame: got %v, want %v", tc.reason, got, tc.same)
			}
		})
	}
}

func BenchmarkKeyOf(b *testing.B) {
	spec := swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{Image: "x", Env: []string{"A=1", "B=2", "C=3"}, Labels: map[string]string{"a": "b"}},
		Resources:     &swarm.ResourceRequirements{Limits: &swarm.Limit{MemoryBytes: 1 << 20}, Reservations: &swarm.Resources{}},
		Networks:      []swarm.NetworkAttachmentConfig{{Target: "net", Aliases: []string{"web"}}},
	}

	b.ReportAllocs()
	for b.Loop() {
		keyOf(spec)
	}
}
