package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AutoscalingStatus explains the last decision of the autoscaler; only it writes this.
type AutoscalingStatus struct {
	// ObservedGeneration is the spec generation this is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// CurrentReplicas is the number of tasks before the decision.
	CurrentReplicas int32 `json:"currentReplicas"`
	// DesiredReplicas is the number of tasks that was decided.
	DesiredReplicas int32 `json:"desiredReplicas"`
	// LastScaleTime is when the number was changed last.
	// +optional
	LastScaleTime *metav1.Time `json:"lastScaleTime,omitempty"`
	// LastScaleFrom is how many tasks there were before that.
	// +optional
	LastScaleFrom *int32 `json:"lastScaleFrom,omitempty"`
	// CurrentMetrics are what was measured, in the order of spec.autoscaling.metrics. Values that change nothing are written
	// once a minute.
	// +listType=atomic
	// +optional
	CurrentMetrics []AutoscalingMetricStatus `json:"currentMetrics,omitempty"`
	// Conditions are AbleToScale, ScalingActive and ScalingLimited.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AutoscalingMetricStatus is what was measured of one metric.
type AutoscalingMetricStatus struct {
	// Type of the metric.
	Type MetricType `json:"type"`
	// Name is cpu, memory, the counter, or the query.
	Name string `json:"name"`
	// AverageUtilization is a percentage of what tasks request.
	// +optional
	AverageUtilization *int32 `json:"averageUtilization,omitempty"`
	// AverageValue is how much each task has.
	// +optional
	AverageValue *resource.Quantity `json:"averageValue,omitempty"`
	// Value is the answer as a whole.
	// +optional
	Value *resource.Quantity `json:"value,omitempty"`
	// ProposedReplicas is how many tasks the metric asks for, before bounds and behavior.
	// +optional
	ProposedReplicas *int32 `json:"proposedReplicas,omitempty"`
	// Message says why it could not be measured, or of how many tasks.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}
