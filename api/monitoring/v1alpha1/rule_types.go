package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// AbsentRule fires when something is missing for as long as spec.for.
//
// +kubebuilder:validation:XValidation:rule="(self.of == 'Query') == has(self.query)",message="must be set if and only if of is Query",fieldPath=".query"
type AbsentRule struct {
	// Of is what is missing. Tasks: a container that is meant to run has none that is ready. Samples: nothing was measured
	// of a container that is meant to run. Heartbeat: the annotation dogker.io/heartbeat of the Alert was not changed.
	// Query: a query gives no result.
	Of AbsentOf `json:"of"`
	// Query in PromQL. It sees the metrics of this namespace only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Query string `json:"query,omitempty"`
}

// AbsentOf is what is missing.
//
// +kubebuilder:validation:Enum=Tasks;Samples;Heartbeat;Query
type AbsentOf string

// What can be missing.
const (
	AbsentTasks     AbsentOf = "Tasks"
	AbsentSamples   AbsentOf = "Samples"
	AbsentHeartbeat AbsentOf = "Heartbeat"
	AbsentQuery     AbsentOf = "Query"
)

// ConditionRule fires when a condition of an object has a status. A TenantContainer that somebody has stopped fires none.
//
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !has(self.selector)",message="must not be set with name",fieldPath=".selector"
type ConditionRule struct {
	// Kind of the objects. Tenant and Node are for Alerts of the platform's namespace only.
	Kind WatchedKind `json:"kind"`
	// Name of the object; all of the kind when neither it nor selector is set.
	// +optional
	Name v1alpha1.ObjectName `json:"name,omitempty"`
	// Selector of labels.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// Type of the condition.
	// +kubebuilder:default=Ready
	// +kubebuilder:validation:MaxLength=316
	// +optional
	Type string `json:"type,omitempty"`
	// Status that it has when something is wrong. A condition that is not there has none.
	// +kubebuilder:default="False"
	// +optional
	Status ConditionStatus `json:"status,omitempty"`
	// Reasons that it has when something is wrong; any when there are none.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +optional
	Reasons []string `json:"reasons,omitempty"`
}

// ConditionStatus is the status of a condition.
//
// +kubebuilder:validation:Enum="True";"False";Unknown
type ConditionStatus string

// WatchedKind is a kind whose conditions can be watched.
//
// +kubebuilder:validation:Enum=TenantContainer;TenantJob;Volume;GitSync;ImagePolicy;GitPreview;BillingAccount;Tenant;Node
type WatchedKind string

// The kinds.
const (
	WatchedContainer      WatchedKind = "TenantContainer"
	WatchedJob            WatchedKind = "TenantJob"
	WatchedVolume         WatchedKind = "Volume"
	WatchedGitSync        WatchedKind = "GitSync"
	WatchedImagePolicy    WatchedKind = "ImagePolicy"
	WatchedGitPreview     WatchedKind = "GitPreview"
	WatchedBillingAccount WatchedKind = "BillingAccount"
	WatchedTenant         WatchedKind = "Tenant"
	WatchedNode           WatchedKind = "Node"
)

// AnomalyRule compares a container with its own past: with the median of the window, and how far from it it usually is.
type AnomalyRule struct {
	// Metric of containers.
	// +kubebuilder:validation:XValidation:rule="self != 'restarts'",message="must not be restarts: they have no usual number"
	Metric Metric `json:"metric"`
	// Sensitivity says how unusual it has to be: Low, ten times as far from the median as usual; Medium, six; High, four.
	// +kubebuilder:default=Medium
	// +optional
	Sensitivity Sensitivity `json:"sensitivity,omitempty"`
	// Direction in which it is unusual: Above, Below or Both.
	// +kubebuilder:default=Above
	// +optional
	Direction Direction `json:"direction,omitempty"`
	// Window of the past: 10m to 2h.
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10m') && duration(self) <= duration('2h')",message="must be from 10m to 2h",messageExpression="'\"' + self + '\" must be from 10m to 2h'"
	// +optional
	Window metav1.Duration `json:"window,omitzero"`
	// MinimumHistory is how much of the past has to be known: 5m to 2h. Until then nothing fires.
	// +kubebuilder:default="20m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5m') && duration(self) <= duration('2h')",message="must be from 5m to 2h",messageExpression="'\"' + self + '\" must be from 5m to 2h'"
	// +optional
	MinimumHistory metav1.Duration `json:"minimumHistory,omitzero"`
}

// Sensitivity says how unusual something has to be.
//
// +kubebuilder:validation:Enum=Low;Medium;High
type Sensitivity string

// The sensitivities.
const (
	SensitivityLow    Sensitivity = "Low"
	SensitivityMedium Sensitivity = "Medium"
	SensitivityHigh   Sensitivity = "High"
)

// Direction in which something is unusual.
//
// +kubebuilder:validation:Enum=Above;Below;Both
type Direction string

// The directions.
const (
	DirectionAbove Direction = "Above"
	DirectionBelow Direction = "Below"
	DirectionBoth  Direction = "Both"
)
