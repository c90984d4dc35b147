package swarmobj

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
)

func TestAvailable(t *testing.T) {
	for name, tc := range map[string]struct {
		state        swarm.NodeState
		availability swarm.NodeAvailability
		want         bool
	}{
		"Ready":   {swarm.NodeStateReady, swarm.NodeAvailabilityActive, true},
		"Paused":  {swarm.NodeStateReady, swarm.NodeAvailabilityPause, false},
		"Drained": {swarm.NodeStateReady, swarm.NodeAvailabilityDrain, false},
		"Down":    {swarm.NodeStateDown, swarm.NodeAvailabilityActive, false},
		"Unknown": {swarm.NodeStateUnknown, swarm.NodeAvailabilityActive, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := swarm.Node{Spec: swarm.NodeSpec{Availability: tc.availability}, Status: swarm.NodeStatus{State: tc.state}}
			if got := Available(n); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestPermits(t *testing.T) {
	for name, tc := range map[string]struct {
		reason    string
		placement *swarm.Placement
		want      bool
	}{
		"NoPlacement":   {"Nothing is asked for.", nil, true},
		"NoConstraints": {"Nothing is asked for.", &swarm.Placement{}, true},
		"Permits":       {"A constraint that the node fulfils.", &swarm.Placement{Constraints: []string{"node.labels.zone==a"}}, true},
		"Forbids":       {"A constraint that it does not.", &swarm.Placement{Constraints: []string{"node.labels.zone!=a"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Permits(zoned(), tc.placement); got != tc.want {
				t.Errorf("got %v, want %v. %s", got, tc.want, tc.reason)
			}
		})
	}
}

func TestRuns(t *testing.T) {
	for name, tc := range map[string]struct {
		reason    string
		platforms []swarm.Platform
		want      bool
	}{
		"None":         {"An image that does not say runs everywhere.", nil, true},
		"SameName":     {"A name is itself.", []swarm.Platform{{OS: "linux", Architecture: "x86_64"}}, true},
		"NameOfImages": {"Images say amd64 where nodes say x86_64.", []swarm.Platform{{OS: "linux", Architecture: "amd64"}}, true},
		"Other":        {"The programs of one architecture do not run on another.", []swarm.Platform{{OS: "linux", Architecture: "arm64"}}, false},
		"OtherOS":      {"Nor do those of one system on another.", []swarm.Platform{{OS: "windows", Architecture: "amd64"}}, false},
		"OneOfTwo":     {"One of an image's platforms is enough.", []swarm.Platform{{OS: "linux", Architecture: "s390x"}, {OS: "linux", Architecture: "amd64"}}, true},
		"AnyOS":        {"What is not said is no obstacle.", []swarm.Platform{{Architecture: "amd64"}}, true},
		"AnyArch":      {"What is not said is no obstacle.", []swarm.Platform{{OS: "Linux"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Runs(zoned(), &swarm.Placement{Platforms: tc.platforms}); got != tc.want {
				t.Errorf("got %v, want %v. %s", got, tc.want, tc.reason)
			}
		})
	}

	if !Runs(zoned(), nil) {
		t.Error("without a placement a node is of no platform")
	}
}

func TestHolds(t *testing.T) {
	reserve := func(cpus, memory int64) *swarm.ResourceRequirements {
		return &swarm.ResourceRequirements{Reservations: &swarm.Resources{NanoCPUs: cpus, MemoryBytes: memory}}
	}
	limit := func(cpus, memory int64) *swarm.ResourceRequirements {
		return &swarm.ResourceRequirements{Limits: &swarm.Limit{NanoCPUs: cpus, MemoryBytes: memory}}
	}

	n := swarm.Node{}
	n.Description.Resources = swarm.Resources{NanoCPUs: 2e9, MemoryBytes: 1 << 30}

	for name, tc := range map[string]struct {
		reason string
		asked  *swarm.ResourceRequirements
		want   bool
	}{
		"Nothing":       {"Nothing is asked for.", nil, true},
		"Neither":       {"Nothing is asked for.", &swarm.ResourceRequirements{}, true},
		"AllOfIt":       {"What a node has it can give.", reserve(2e9, 1<<30), true},
		"OneCPUMore":    {"Not even a billionth of a CPU can be set aside that is not there.", reserve(2e9+1, 0), false},
		"OneByteMore":   {"Nor can a byte.", reserve(0, 1<<30+1), false},
		"LimitOfAll":    {"The engine takes a limit of all there is.", limit(2e9, 0), true},
		"LimitAbove":    {"It takes no more.", limit(2e9+1, 0), false},
		"LimitOnMemory": {"Memory it does not mind.", limit(0, 1<<40), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Holds(n, tc.asked); got != tc.want {
				t.Errorf("got %v, want %v. %s", got, tc.want, tc.reason)
			}
		})
	}
}
