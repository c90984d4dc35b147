package servicespec

import (
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Input is everything a service spec is made of.
type Input struct {
	// Owner of the service. Its name is the first alias on the network.
	Owner swarmobj.Owner
	// Template to run: TemplateOf the declared spec, or the template of an older revision.
	Template *v1alpha1.TenantContainerSpec
	// Rollout is the declared policy, also when an older template runs; nil is all defaults.
	Rollout *v1alpha1.Rollout
	// Replicas that are wanted now, after all gates. Mode Global has no use for it.
	Replicas uint64
	// Suspended asks for no tasks at all, in either mode.
	Suspended bool
	// OffManagers keeps the tasks off the managers of the swarm.
	OffManagers bool
	// NoNewPrivileges keeps its processes from gaining privileges. Engines before version 25 drop it.
	NoNewPrivileges bool
	// Image to run: a digest of the registry, or what the engine itself holds.
	Image string
	// Env as Env and Strings return it: NAME=value, sorted by name.
	Env []string
	// Files with the Swarm objects that hold their content.
	Files []ResolvedFile
	// Volumes that the template mounts: at least those. One that is missing is refused.
	Volumes []ResolvedVolume
	// NetworkID of the namespace's network. The engine resolves names to IDs when it stores a spec, so a name would
	// differ from its answer for ever.
	NetworkID string
	// ForceUpdate must be what the live service has, or more to restart its tasks: any other value, also a smaller
	// one, restarts them too.
	ForceUpdate uint64

	// Generation of the owner that this spec was made from.
	Generation int64
	// Revision is the number of the template in the history, TemplateHash its hash.
	Revision     int64
	TemplateHash string
	// RequestedImage is the image as the user wrote it.
	RequestedImage string
	// RestartedAt is the value of the annotation that ForceUpdate obeys.
	RestartedAt string
	// RegistryAuth is a keyed digest of the credentials that go with the spec, never the credentials themselves.
	RegistryAuth string
}

// ResolvedFile is a file whose content lies in a Swarm secret or config.
type ResolvedFile struct {
	// Path in the container.
	Path string
	// Kind of API object that the content came from: a Secret becomes a Swarm secret, a ConfigMap a config.
	Kind Kind
	// SwarmID and SwarmName of the Swarm object; Swarm wants both.
	SwarmID, SwarmName string
	// Mode are the permission bits.
	Mode uint32
	// UID and GID that own the file.
	UID, GID int64
}

// Kind of object that a container takes content from.
type Kind string

// The kinds, by their names in the API.
const (
	KindSecret    Kind = "Secret"
	KindConfigMap Kind = "ConfigMap"
)
