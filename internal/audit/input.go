package audit

import (
	"io/fs"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Input is everything that is known of the cluster.
type Input struct {
	// Now is when it was looked at.
	Now time.Time
	// Engine that was asked.
	Engine Engine
	// Swarm as its manager tells it; nil when the engine is none, and then SwarmUnseen says why.
	Swarm       *Swarm
	SwarmUnseen string
	// Host of the engine; nil when it is not this machine, and then HostUnseen says why.
	Host       *Host
	HostUnseen string
	// Networks that are overlays.
	Networks []Network
	// Workloads are services, and containers of no service.
	Workloads []Workload
	// Declared are the TenantContainers and TenantJobs, and Namespaces the names of all namespaces; both are meaningless when
	// DeclaredUnseen says why they could not be read.
	Declared       []Declared
	Namespaces     []string
	DeclaredUnseen string
	// Deliveries are the GitSyncs, ImagePolicies and GitPreviews; meaningless when DeliveriesUnseen says why they could not be
	// read.
	Deliveries       []Delivery
	DeliveriesUnseen string
}

// Engine is what an engine says of itself.
type Engine struct {
	Info       system.Info
	APIVersion string
	// Plain is true when we reach it over the network without TLS.
	Plain bool
	// BridgeTalks says whether containers on the default bridge reach each other; nil when it could not be asked.
	BridgeTalks *bool
}

// Swarm is what a manager says of the swarm.
type Swarm struct {
	Cluster swarm.ClusterInfo
	Nodes   []swarm.Node
}

// Host is the machine of the engine.
type Host struct {
	// Files that the benchmark looks at, by path. One that is not there is missing.
	Files map[string]File
	// DockerGroup are the members of the group docker.
	DockerGroup []string
	// OwnPartition says whether the engine's data has a file system of its own; nil when that could not be told.
	OwnPartition *bool
	// ListenAddresses are those on which something listens for other managers, on port 2377.
	ListenAddresses []string
}

// File is what the benchmark asks of a file.
type File struct {
	Mode  fs.FileMode
	Owner string
	Group string
}

// Network is an overlay.
type Network struct {
	Object    Object
	Encrypted bool
}

// Workload is a service with its containers, or a container of no service.
type Workload struct {
	Object Object
	// Spec is what the service asks for; nil for a container of no service, and on a worker.
	Spec *Container
	// Live are its containers on this node.
	Live []Container
	// Elsewhere are the nodes of its tasks that run on other nodes.
	Elsewhere []string
	// Guarded is true when the service is ours and has been held against the allow list of what Dogker sends. Violations
	// are what the list refuses.
	Guarded    bool
	Violations []string
}

// Ours is true for what Dogker made.
func (w Workload) Ours() bool { return w.Object.Owner == OwnerDogker }

// Container is a container as a spec asks for it, or as the engine has made it.
type Container struct {
	// ID of a container that was inspected; empty for a spec.
	ID string
	// Service is true for a spec of a service, and for a container of one.
	Service bool

	Image string
	// User that the container is started as; empty is the image's choice in a spec, and root in a container.
	User            string
	CapAdd, CapDrop []string
	Privileged      bool
	ReadOnlyRoot    bool
	// SecurityOpt as the engine writes it. A custom seccomp profile is not in it, only that there is one.
	SecurityOpt     []string
	AppArmorProfile string
	SELinuxLabel    string

	Mounts   []Mount
	Devices  []string
	Networks []string
	// NetworkMode and the others are host, or container:…, where the container shares a namespace.
	NetworkMode, PIDMode, IPCMode, UTSMode, UserNSMode string

	Ports      []Port
	PublishAll bool

	MemoryBytes, NanoCPUs, CPUShares, CPUQuota, PIDs int64
	Ulimits                                          []Ulimit
	CgroupParent                                     string

	Restart Restart
	// Health is whether somebody asks the container how it is.
	Health Health

	// EnvNames are the names of variables that have a value.
	EnvNames []string
	// Commands of its processes; meaningless when CommandsUnseen says why they could not be listed.
	Commands       []string
	CommandsUnseen string
	// Process is what the kernel says of the first process; nil when ProcessUnseen says why it could not be asked.
	Process       *Process
	ProcessUnseen string
}

// Live is true for a container that was inspected.
func (c *Container) Live() bool { return c.ID != "" }

// Mount is a mount of a container.
type Mount struct {
	// HostPath on the node; empty when the mount brings nothing of the node's own file system in.
	HostPath    string
	Target      string
	ReadOnly    bool
	Propagation string
}

// Port is a port that a container asks for, or has, on its node.
type Port struct {
	// Address of the node; empty for all of them.
	Address string
	// Published is the port of the node; 0 lets the engine choose.
	Published uint32
	Target    uint32
	Protocol  string
}

// Ulimit is one ulimit; a negative value is no limit.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// Restart is what happens when a container ends.
type Restart struct {
	// Condition is Swarm's (none, on-failure, any) for a spec, and the engine's (no, on-failure, always, unless-stopped)
	// for a container.
	Condition   string
	MaxAttempts uint64
	// Delay between two tries; only Swarm has one.
	Delay time.Duration
}

// Health says whether a container has a health check.
type Health string

// The kinds of health check.
const (
	// HealthUnknown is a spec that leaves it to the image.
	HealthUnknown  Health = ""
	HealthChecked  Health = "Checked"
	HealthDisabled Health = "Disabled"
	HealthNone     Health = "None"
)

// Process is what the kernel says of a process.
type Process struct {
	UID             int
	NoNewPrivileges bool
	// Seccomp is 0 for no filter.
	Seccomp int
}

// Delivery is what follows a repository: a GitSync, an ImagePolicy or a GitPreview.
type Delivery struct {
	Object Object
	// URL of the repository, without what may be secret in it; empty for an ImagePolicy that names none.
	URL string
	// Account is the ServiceAccount that it acts as, and Grants what is bound to that beyond what developers have.
	Account string
	Grants  []Grant
	// Verified is true where only signed commits are applied.
	Verified bool
	// Platform is true in the namespace of Dogker's own objects.
	Platform bool
}

// Grant is a binding that gives an account more than developers have in its namespace.
type Grant struct {
	// Binding and Role by kind and name.
	Binding, Role string
	// Everything is true for all rights to everything, and Elsewhere for rights outside of the account's namespace.
	Everything, Elsewhere bool
}

// Declared is a TenantContainer and whose it is; or a TenantJob, as the container that its runs are.
type Declared struct {
	// Job is true for a TenantJob.
	Job       bool
	Container *v1alpha1.TenantContainer
	// Tenant of its namespace, and the Plan that the Tenant names; nil when there is none.
	Tenant *v1alpha1.Tenant
	Plan   *v1alpha1.Plan
	// Running is the revision that its service runs; nil when it runs none, or one that is not recorded.
	Running *v1alpha1.ContainerRevision
}
