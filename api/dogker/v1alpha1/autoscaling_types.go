package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Autoscaling moves the number of tasks between two bounds by what is measured. Fields have the names and the meaning that
// they have in a HorizontalPodAutoscaler of autoscaling/v2.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",message="minReplicas must not be greater than maxReplicas",fieldPath=".minReplicas"
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas > 0 || self.metrics.exists(m, m.type == 'Prometheus')",message="minReplicas may be 0 only with a metric of type Prometheus: nothing else can tell that tasks are needed while there are none",fieldPath=".minReplicas"
type Autoscaling struct {
	// MinReplicas is the fewest tasks there may be. It may be 0 with a metric of type Prometheus, which can be measured while
	// there are none.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:default=1
	// +optional
	MinReplicas *int32 `json:"minReplicas,omitempty"`

	// MaxReplicas is the most tasks there may be. A quota, and the balance of an account, may allow fewer.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxReplicas int32 `json:"maxReplicas"`

	// Metrics are what is measured. Each proposes a number of tasks, and the largest is taken. A metric that cannot be measured
	// takes no task away.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	Metrics []AutoscalingMetric `json:"metrics"`

	// Behavior says how fast the number may change, and how sure that has to be.
	// +optional
	Behavior *AutoscalingBehavior `json:"behavior,omitempty"`

	// CooldownSeconds is for how long no task is taken away after the number was changed, whichever way; not at all when not
	// set. It comes on top of behavior.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	// +optional
	CooldownSeconds *int32 `json:"cooldownSeconds,omitempty"`
}

// MetricType says what is measured.
//
// +kubebuilder:validation:Enum=Resource;RequestsPerSecond;Prometheus
type MetricType string

// The metrics by which a container can be scaled.
const (
	// MetricResource is CPU time or memory of the tasks, as the node's agent sees it.
	MetricResource MetricType = "Resource"
	// MetricRequestsPerSecond is how fast a counter of the tasks' own metrics grows.
	MetricRequestsPerSecond MetricType = "RequestsPerSecond"
	// MetricPrometheus is the answer of a Prometheus to a query.
	MetricPrometheus MetricType = "Prometheus"
)

// AutoscalingMetric is one thing that is measured, and how much of it is right.
//
// +kubebuilder:validation:XValidation:rule="has(self.resource) == (self.type == 'Resource') && has(self.requestsPerSecond) == (self.type == 'RequestsPerSecond') && has(self.prometheus) == (self.type == 'Prometheus')",message="set exactly the field that belongs to type: resource for Resource, requestsPerSecond for RequestsPerSecond, prometheus for Prometheus",messageExpression="'type ' + self.type + ': set exactly the field that belongs to it: resource for Resource, requestsPerSecond for RequestsPerSecond, prometheus for Prometheus'"
type AutoscalingMetric struct {
	// Type is Resource, RequestsPerSecond or Prometheus.
	Type MetricType `json:"type"`
	// Resource is CPU time or memory of the tasks.
	// +optional
	Resource *ResourceMetric `json:"resource,omitempty"`
	// RequestsPerSecond is a counter of the tasks' own metrics, which spec.metrics says where to find.
	// +optional
	RequestsPerSecond *RequestsMetric `json:"requestsPerSecond,omitempty"`
	// Prometheus is a query of the platform's Prometheus, which sees nothing but what belongs to this namespace.
	// +optional
	Prometheus *PrometheusMetric `json:"prometheus,omitempty"`
}

// ResourceMetric is CPU time or memory.
type ResourceMetric struct {
	// Name is cpu or memory.
	// +kubebuilder:validation:Enum=cpu;memory
	Name string `json:"name"`
	// Target is how much of it a task is to use on average.
	Target ResourceTarget `json:"target"`
}

// ResourceTarget is how much each task is to use, on average over all of them.
//
// +kubebuilder:validation:XValidation:rule="has(self.averageUtilization) != has(self.averageValue)",message="set exactly one of averageUtilization and averageValue"
type ResourceTarget struct {
	// AverageUtilization is a percentage of what a task requests of it, or is limited to where it requests nothing.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	AverageUtilization *int32 `json:"averageUtilization,omitempty"`
	// AverageValue is an amount greater than 0: 250m of CPU, or 128Mi of memory.
	// +optional
	AverageValue *resource.Quantity `json:"averageValue,omitempty"`
}

// RequestsMetric is how fast a counter grows.
type RequestsMetric struct {
	// Metric is the name of the counter. All its series that have matchLabels are added up.
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	// +kubebuilder:default=http_requests_total
	// +optional
	Metric string `json:"metric,omitempty"`
	// MatchLabels are labels that a series must have to count.
	// +kubebuilder:validation:MaxProperties=8
	// +optional
	MatchLabels map[string]ShortText `json:"matchLabels,omitempty"`
	// Target is how many requests a task is to answer each second.
	Target AverageTarget `json:"target"`
}

// AverageTarget is how much each task is to have, on average over all of them.
type AverageTarget struct {
	// AverageValue is that much for each task, such as 50 or 500m; greater than 0.
	AverageValue resource.Quantity `json:"averageValue"`
}

// PrometheusMetric is the answer to a query.
type PrometheusMetric struct {
	// Query in PromQL, whose answer must be one number: a scalar, or a vector with one element. It is asked with the label
	// namespace of this namespace in every selector.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Query string `json:"query"`
	// Target is how much of it is right.
	Target PrometheusTarget `json:"target"`
	// ActivationValue is up to how much nothing is going on: while the answer is not above it, no task is needed for it, and with
	// minReplicas 0 there may be none at all. 0 when not set.
	// +optional
	ActivationValue *resource.Quantity `json:"activationValue,omitempty"`
}

// PrometheusTarget is how much of the answer is right.
//
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.averageValue)",message="set exactly one of value and averageValue"
type PrometheusTarget struct {
	// Value is what the answer is to be: twice as much asks for twice as many tasks. It is for what falls when there are more
	// tasks, such as a latency.
	// +optional
	Value *resource.Quantity `json:"value,omitempty"`
	// AverageValue is how much of the answer each task is to have. It is for what tasks share, such as the length of a queue.
	// +optional
	AverageValue *resource.Quantity `json:"averageValue,omitempty"`
}

// AutoscalingBehavior says how fast the number of tasks may change, and how sure that has to be.
type AutoscalingBehavior struct {
	// ScaleUp is about more tasks. When not set: at once, by 4 tasks or 100 percent in 15 seconds, whichever is more.
	// +optional
	ScaleUp *ScalingRules `json:"scaleUp,omitempty"`
	// ScaleDown is about fewer tasks. When not set: to the most that was proposed within 300 seconds.
	// +optional
	ScaleDown *ScalingRules `json:"scaleDown,omitempty"`
}

// ScalingRules are about one direction. What is not set is as when none are.
type ScalingRules struct {
	// StabilizationWindowSeconds is how far one looks back: of the numbers that were proposed within it the one is taken that
	// changes least.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	// +optional
	StabilizationWindowSeconds *int32 `json:"stabilizationWindowSeconds,omitempty"`
	// SelectPolicy says which of the policies counts: Max (that which allows most, the default), Min, or Disabled, which allows no
	// change in this direction.
	// +kubebuilder:validation:Enum=Max;Min;Disabled
	// +optional
	SelectPolicy *ScalingPolicySelect `json:"selectPolicy,omitempty"`
	// Policies say how far the number may go within a time.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Policies []ScalingPolicy `json:"policies,omitempty"`
	// Tolerance is by what share a metric may be off its target before anything is changed, such as 0.05; 0.1 when not set.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('1')) <= 0",message="must be a share from 0 to 1, such as 0.1 or 50m",messageExpression="'\"' + string(self) + '\" must be a share from 0 to 1, such as 0.1 or 50m'"
	// +optional
	Tolerance *resource.Quantity `json:"tolerance,omitempty"`
}

// ScalingPolicySelect says which of several policies counts.
type ScalingPolicySelect string

// The ways to choose among policies.
const (
	// SelectMax takes the policy that allows most.
	SelectMax ScalingPolicySelect = "Max"
	// SelectMin takes the policy that allows least.
	SelectMin ScalingPolicySelect = "Min"
	// SelectDisabled allows no change.
	SelectDisabled ScalingPolicySelect = "Disabled"
)

// ScalingPolicyType says what the value of a policy is.
//
// +kubebuilder:validation:Enum=Pods;Percent
type ScalingPolicyType string

// What a policy counts in.
const (
	// PolicyPods counts tasks, which kubectl shows as pods.
	PolicyPods ScalingPolicyType = "Pods"
	// PolicyPercent counts in percent of the tasks that there were at the beginning of the period.
	PolicyPercent ScalingPolicyType = "Percent"
)

// ScalingPolicy says how far the number of tasks may go within a time.
type ScalingPolicy struct {
	// Type is Pods (tasks) or Percent (of the tasks at the beginning of the period).
	Type ScalingPolicyType `json:"type"`
	// Value is how many, or how many percent.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Value int32 `json:"value"`
	// PeriodSeconds is the time.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1800
	PeriodSeconds int32 `json:"periodSeconds"`
}
