package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationHealth on a TenantContainer is the worst of what the health monitor holds against it, a HealthState; it is not
// there when nothing is.
const AnnotationHealth = "monitoring.dogker.io/health"

// StuckTaskPolicy says what becomes of tasks that are stuck.
//
// +kubebuilder:validation:Enum=Report;Replace
type StuckTaskPolicy string

// The policies.
const (
	StuckTaskReport  StuckTaskPolicy = "Report"
	StuckTaskReplace StuckTaskPolicy = "Replace"
)

// HealthState is something that is wrong with a container, though Swarm may call its tasks running.
//
// +kubebuilder:validation:Enum=CrashLooping;OOMKilled;Stuck;Flapping;Throttled;Underprovisioned;Overprovisioned
type HealthState string

// The states, from the worst.
const (
	// HealthCrashLooping: a task of the same slot ends with a failure again and again.
	HealthCrashLooping HealthState = "CrashLooping"
	// HealthOOMKilled: a task was killed for using more memory than its limit, a while ago at most.
	HealthOOMKilled HealthState = "OOMKilled"
	// HealthStuck: a task neither runs nor fails: it waits for a node, for an address or for its start for too long, or its
	// container is paused.
	HealthStuck HealthState = "Stuck"
	// HealthFlapping: tasks start, fail their health check and are replaced, again and again.
	HealthFlapping HealthState = "Flapping"
	// HealthThrottled: the CPU limit holds tasks up in much of the time in which they have something to do.
	HealthThrottled HealthState = "Throttled"
	// HealthUnderprovisioned: tasks use more than they request, or almost all the memory they may.
	HealthUnderprovisioned HealthState = "Underprovisioned"
	// HealthOverprovisioned: tasks request much more than they use. It is told in the status and in no annotation: nothing is
	// wrong with the container.
	HealthOverprovisioned HealthState = "Overprovisioned"
)

// HealthStatus is what the health monitor holds against a container; only it writes this.
type HealthStatus struct {
	// Findings, the worst first.
	// +listType=map
	// +listMapKey=state
	// +optional
	Findings []HealthFinding `json:"findings,omitempty"`
	// RecommendedRequests are what one task would need by what it has used; not there before an hour has been seen.
	// +optional
	RecommendedRequests *RecommendedRequests `json:"recommendedRequests,omitempty"`
}

// HealthFinding is one thing that is wrong.
type HealthFinding struct {
	// State is what is wrong.
	State HealthState `json:"state"`
	// Since is when it was found.
	Since metav1.Time `json:"since"`
	// Message is the evidence, as it was when it was found.
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
}

// RecommendedRequests are resources that one task would need.
type RecommendedRequests struct {
	// CPU that it stayed below in 95 of 100 minutes, with a margin.
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory that it never went beyond, with a margin.
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
}
