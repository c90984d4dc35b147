package agents

import (
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// What an agent is given, and finds where it expects it: cmd/dogker's `agent` reads the same.
const (
	binaryPath   = "/dogker"
	socketTarget = "/var/run/docker.sock"
	// SecretFile is the name of the file below /run/secrets that holds the bundle.
	SecretFile = "dogker-agent"
	// TaskVariable is the environment variable that holds the ID of the agent's own task.
	TaskVariable = "DOGKER_AGENT_TASK"
)

// Limits of one agent: room enough for a node with some 500 containers, and no more. What is left of the
// memory holds the program, of which the kernel keeps what is used.
const (
	cpuLimit          = 500_000_000 // In billionths of a core.
	cpuReservation    = 10_000_000
	memoryLimit       = 192 << 20
	memoryReservation = 48 << 20
	pidsLimit         = 128
)

// wish is what the service is made from.
type wish struct {
	owner swarmobj.Owner
	// image is what Swarm is given, and written what the operator wrote.
	image, written string
	secret         swarmobj.Content
	port           int
	socket         string
	// except is the ID of the node that gets none; empty for all.
	except string
}

// render makes the service from nothing. The same wish gives the same bytes.
func render(w wish) swarm.ServiceSpec {
	labels := w.owner.Labels()
	labels[v1alpha1.SwarmLabelImage] = w.written

	spec := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: swarmobj.ServiceName(w.owner.Tenant, w.owner.Name), Labels: labels},
		TaskTemplate: swarm.TaskSpec{
			Runtime:       swarm.RuntimeContainer,
			ContainerSpec: containerOf(w),
			Resources: &swarm.ResourceRequirements{
				Limits:       &swarm.Limit{NanoCPUs: cpuLimit, MemoryBytes: memoryLimit, Pids: pidsLimit},
				Reservations: &swarm.Resources{NanoCPUs: cpuReservation, MemoryBytes: memoryReservation},
			},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: new(5 * time.Second), MaxAttempts: new(uint64(0))},
			Placement:     &swarm.Placement{Constraints: constraints(w.except)},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "host"}},
			LogDriver:     &swarm.Driver{Name: "json-file", Options: map[string]string{"max-size": "5m", "max-file": "2"}},
		},
		Mode: swarm.ServiceMode{Global: &swarm.GlobalService{}},
		// Two agents cannot have one port, so the old one goes first. An image that does not start stops the update where
		// it is: Swarm's own way back would be a difference, which would be put right again, and so on.
		UpdateConfig: &swarm.UpdateConfig{
			Parallelism: 10, FailureAction: swarm.UpdateFailureActionPause, Monitor: 10 * time.Second, Order: swarm.UpdateOrderStopFirst,
		},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
	}
	labels[v1alpha1.SwarmLabelSpecHash] = hashOf(spec)

	return spec
}

// containerOf has no check of its health: an agent asks itself. To start the program for that costs more than all else that
// it does, and Swarm calls a task starting until the first check, which is an interval away.
func containerOf(w wish) *swarm.ContainerSpec {
	return &swarm.ContainerSpec{
		Image:   w.image,
		Command: []string{binaryPath, "agent"},
		Args:    []string{"--port", strconv.Itoa(w.port)},
		Env:     []string{TaskVariable + "={{.Task.ID}}"},
		// The socket belongs to root; without a capability that is all that root is good for.
		User:            "0:0",
		ReadOnly:        true,
		CapabilityDrop:  []string{"ALL"},
		StopGracePeriod: new(5 * time.Second),
		Isolation:       container.IsolationDefault,
		Mounts: []mount.Mount{{
			Type: mount.TypeBind, Source: w.socket, Target: socketTarget,
			BindOptions: &mount.BindOptions{Propagation: mount.PropagationRPrivate},
		}},
		Secrets: []*swarm.SecretReference{{
			SecretID: w.secret.ID, SecretName: w.secret.Name,
			File: &swarm.SecretReferenceFileTarget{Name: SecretFile, UID: "0", GID: "0", Mode: 0o400},
		}},
	}
}

func constraints(except string) []string {
	all := []string{"node.platform.os==linux"}
	if except != "" {
		all = append(all, "node.id!="+except)
	}

	return all
}
