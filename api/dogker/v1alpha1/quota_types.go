package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Quota is how much of everything the containers of one tenant may use together. What is not set is not limited.
// Kubernetes' ResourceQuota admission enforces it: what goes beyond is refused with the numbers.
type Quota struct {
	// Containers is how many TenantContainers there may be.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Containers *int64 `json:"containers,omitempty"`
	// Replicas is how many tasks all of them may declare together. A container of mode Global counts as one for each
	// node.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Replicas *int64 `json:"replicas,omitempty"`
	// Requests is what may be set aside for all tasks together.
	// +optional
	Requests *ComputeQuota `json:"requests,omitempty"`
	// Limits is what all tasks together may use at most.
	// +optional
	Limits *ComputeQuota `json:"limits,omitempty"`
	// Storage is how large all volumes may be together.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('64Pi')) <= 0",message="must be an amount of storage from 0 to 64Pi, such as 100Gi",messageExpression="'\"' + string(self) + '\" must be an amount of storage from 0 to 64Pi, such as 100Gi'"
	// +optional
	Storage *resource.Quantity `json:"storage,omitempty"`
	// Volumes is how many Volumes there may be.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Volumes *int64 `json:"volumes,omitempty"`
	// Snapshots is how many VolumeSnapshots there may be: 300 when nothing is said.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Snapshots *int64 `json:"snapshots,omitempty"`
	// SnapshotStorage is how much the archives of VolumeSnapshots may take together before no more are made. How large one becomes
	// is known when it was made, so that those that are under way can go beyond it.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('64Pi')) <= 0",message="must be an amount of storage from 0 to 64Pi, such as 100Gi",messageExpression="'\"' + string(self) + '\" must be an amount of storage from 0 to 64Pi, such as 100Gi'"
	// +optional
	SnapshotStorage *resource.Quantity `json:"snapshotStorage,omitempty"`
	// PublishedPorts is how many ports may be published on the nodes.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	PublishedPorts *int64 `json:"publishedPorts,omitempty"`
	// Secrets is how many Secrets there may be. Those that Dogker keeps for revisions are not counted.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Secrets *int64 `json:"secrets,omitempty"`
	// ConfigMaps is how many ConfigMaps there may be, with the one that Kubernetes puts into every namespace.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	ConfigMaps *int64 `json:"configMaps,omitempty"`
	// GitSyncs is how many GitSyncs there may be: 300 when nothing is said, which is more than anybody needs.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	GitSyncs *int64 `json:"gitSyncs,omitempty"`
	// Jobs is how many TenantJobs there may be: 300 when nothing is said. What the tasks of their runs request and use counts
	// in requests and limits, whether or not a run is going on.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Jobs *int64 `json:"jobs,omitempty"`
}

// ComputeQuota is an amount of computing.
type ComputeQuota struct {
	// CPU such as 500m or 16.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('1000000')) <= 0",message="must be an amount of CPU from 0 to 1000000, such as 500m or 16",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 0 to 1000000, such as 500m or 16'"
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory such as 512Mi or 64Gi.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('64Pi')) <= 0",message="must be an amount of memory from 0 to 64Pi, such as 512Mi or 64Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 0 to 64Pi, such as 512Mi or 64Gi'"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
}

// What a tenant's ResourceQuota counts, by the names that stand in its spec.hard and in `kubectl describe quota`.
// Names without a domain mean what they mean in Kubernetes.
const (
	// ResourceContainers counts TenantContainers.
	ResourceContainers = "count/tenantcontainers.dogker.io"
	// ResourceJobs counts TenantJobs.
	ResourceJobs = "count/tenantjobs.dogker.io"
	// ResourceReplicas sums the tasks that TenantContainers declare.
	ResourceReplicas = "dogker.io/replicas"
	// ResourceRequestsCPU and the three after it sum what the tasks of TenantContainers request and may use: the value
	// of one task, times the number of tasks.
	ResourceRequestsCPU    = "requests.cpu"
	ResourceRequestsMemory = "requests.memory"
	ResourceLimitsCPU      = "limits.cpu"
	ResourceLimitsMemory   = "limits.memory"
	// ResourceRequestsStorage sums the sizes of volumes.
	ResourceRequestsStorage = "requests.storage"
	// ResourceVolumes counts Volumes.
	ResourceVolumes = "count/volumes.dogker.io"
	// ResourceSnapshots counts VolumeSnapshots.
	ResourceSnapshots = "count/volumesnapshots.dogker.io"
	// ResourceSnapshotStorage sums what the archives of VolumeSnapshots take.
	ResourceSnapshotStorage = "dogker.io/snapshot-storage"
	// ResourcePublishedPorts counts ports with publish.
	ResourcePublishedPorts = "dogker.io/published-ports"
	// ResourceSecrets counts Secrets, without those of SecretTypeRevisionEnv.
	ResourceSecrets = "dogker.io/secrets"
	// ResourceConfigMaps counts ConfigMaps.
	ResourceConfigMaps = "count/configmaps"
	// ResourceGitSyncs counts GitSyncs.
	ResourceGitSyncs = "count/gitsyncs.gitops.dogker.io"
)

// SecretTypeRevisionEnv is the type of the Secrets in which Dogker keeps the variables of revisions.
const SecretTypeRevisionEnv = "dogker.io/revision-env"
