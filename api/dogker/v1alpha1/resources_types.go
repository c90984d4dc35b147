package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Resources that one task is guaranteed and may use.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || !has(self.requests.cpu) || !has(self.limits.cpu) || !isQuantity(string(self.requests.cpu)) || !isQuantity(string(self.limits.cpu)) || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0",message="requests.cpu must not be greater than limits.cpu",messageExpression="'requests.cpu ' + string(self.requests.cpu) + ' must not be greater than limits.cpu ' + string(self.limits.cpu)"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || !has(self.requests.memory) || !has(self.limits.memory) || !isQuantity(string(self.requests.memory)) || !isQuantity(string(self.limits.memory)) || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0",message="requests.memory must not be greater than limits.memory",messageExpression="'requests.memory ' + string(self.requests.memory) + ' must not be greater than limits.memory ' + string(self.limits.memory)"
type Resources struct {
	// Requests are set aside on the node for the task; Swarm places by them, and by nothing else.
	// +optional
	Requests *ResourceRequests `json:"requests,omitempty"`
	// Limits are what the task may use at most.
	// +optional
	Limits *ResourceLimits `json:"limits,omitempty"`
}

// ResourceRequests are set aside for one task.
type ResourceRequests struct {
	// CPU set aside, such as 250m or 2; at least 1m.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('1m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0",message="must be an amount of CPU from 1m to 1000, such as 500m or 2",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 1m to 1000, such as 500m or 2'"
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory set aside, such as 128Mi or 1Gi; at least 4Mi.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('4Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0",message="must be an amount of memory from 4Mi to 64Ti, such as 128Mi or 1Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 4Mi to 64Ti, such as 128Mi or 1Gi'"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
}

// ResourceLimits are what one task may use at most.
type ResourceLimits struct {
	// CPU the task may use, such as 500m or 2; at least 10m, the kernel's own minimum. A task does not start on a node
	// with fewer CPUs than that.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('10m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0",message="must be an amount of CPU from 10m to 1000, such as 500m or 2",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 10m to 1000, such as 500m or 2'"
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory the task may use before it is killed, such as 128Mi or 1Gi; at least 6Mi, without which no container starts.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('6Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0",message="must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi'"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Pids is how many processes and threads there may be.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4194304
	// +optional
	Pids *int64 `json:"pids,omitempty"`
}

// Ulimit of the process.
//
// +kubebuilder:validation:XValidation:rule="self.soft <= self.hard",message="soft must not be greater than hard"
type Ulimit struct {
	// Name as setrlimit(2) has it, in lower case and without RLIMIT_.
	// +kubebuilder:validation:Enum=core;cpu;data;fsize;locks;memlock;msgqueue;nofile;nproc;rss;sigpending;stack
	Name string `json:"name"`
	// Soft limit.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1099511627776
	Soft int64 `json:"soft"`
	// Hard limit.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1099511627776
	Hard int64 `json:"hard"`
}

// Tmpfs is a file system in memory.
type Tmpfs struct {
	// MountPath in the container.
	MountPath AbsolutePath `json:"mountPath"`
	// Size it may grow to, such as 64Mi.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('4Ki')) >= 0 && quantity(string(self)).compareTo(quantity('64Gi')) <= 0",message="must be a size from 4Ki to 64Gi, such as 64Mi",messageExpression="'\"' + string(self) + '\" must be a size from 4Ki to 64Gi, such as 64Mi'"
	Size resource.Quantity `json:"size"`
	// Mode are the permission bits of the mount point, 01777 when not set. It cannot be 0: the engine would take that for
	// not set.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1023
	// +optional
	Mode *int32 `json:"mode,omitempty"`
}

// Logging says how the engine keeps the output of the tasks.
//
// +kubebuilder:validation:XValidation:rule="self.driver != 'none' || (!has(self.maxSize) && !has(self.maxFiles))",message="maxSize and maxFiles must not be set for the driver none"
type Logging struct {
	// Driver is json-file, local or none. Drivers that connect out are the operator's to configure, on the engine.
	// +kubebuilder:validation:Enum=json-file;local;none
	Driver string `json:"driver"`
	// MaxSize of one log file, such as 10Mi; not for none.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('16Ki')) >= 0 && quantity(string(self)).compareTo(quantity('1Gi')) <= 0",message="must be a size from 16Ki to 1Gi, such as 10Mi",messageExpression="'\"' + string(self) + '\" must be a size from 16Ki to 1Gi, such as 10Mi'"
	// +optional
	MaxSize *resource.Quantity `json:"maxSize,omitempty"`
	// MaxFiles to keep; not for none.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	// +optional
	MaxFiles *int32 `json:"maxFiles,omitempty"`
}
