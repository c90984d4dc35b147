package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Alert watches something, and has people told when it goes wrong and when that is over.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=alerts,categories=dogker,shortName=al
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether it can be told if something is wrong."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`,description="The worst state of what it watches."
// +kubebuilder:printcolumn:name="Firing",type=integer,JSONPath=`.status.firing`,description="How many of what it watches are wrong."
// +kubebuilder:printcolumn:name="Severity",type=string,JSONPath=`.spec.severity`,description="Who should look, and how soon."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Told",type=date,priority=1,JSONPath=`.status.lastNotificationTime`,description="When somebody was told last."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type Alert struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is watched, and who is told.
	Spec AlertSpec `json:"spec"`
	// Status says what is wrong, and what was told of it.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status AlertStatus `json:"status,omitempty"`
}

// AlertList is a list of Alerts.
//
// +kubebuilder:object:root=true
type AlertList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Alert `json:"items"`
}

// AlertSpec is what is watched, and who is told.
//
// +kubebuilder:validation:XValidation:rule="[has(self.threshold), has(self.absent), has(self.condition), has(self.anomaly)].filter(x, x).size() == 1",message="must have exactly one of threshold, absent, condition and anomaly"
// +kubebuilder:validation:XValidation:rule="!has(self.containers) || !has(self.condition)",message="must not be set with condition, which says itself what it is about",fieldPath=".containers"
// +kubebuilder:validation:XValidation:rule="!has(self.absent) || (has(self.for) && duration(self.for) >= duration('30s'))",message="must be at least 30s with absent: something is always missing for a moment",fieldPath=".for"
type AlertSpec struct {
	// Threshold fires when a number crosses another one.
	// +optional
	Threshold *ThresholdRule `json:"threshold,omitempty"`
	// Absent fires when something is missing: tasks, samples, a heartbeat, the result of a query.
	// +optional
	Absent *AbsentRule `json:"absent,omitempty"`
	// Condition fires when a condition of an object has a status.
	// +optional
	Condition *ConditionRule `json:"condition,omitempty"`
	// Anomaly fires when a container behaves unlike itself.
	// +optional
	Anomaly *AnomalyRule `json:"anomaly,omitempty"`

	// Containers are those that metrics are looked at of; all TenantContainers of the namespace when it is not set.
	// +optional
	Containers *ContainerSelection `json:"containers,omitempty"`

	// AllNamespaces looks at all namespaces. It is for Alerts of the platform's namespace only.
	// +optional
	AllNamespaces bool `json:"allNamespaces,omitempty"`

	// For is how long it has to be so until it fires: up to 24h. At once when it is not set.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="must be from 0s to 24h",messageExpression="'\"' + self + '\" must be from 0s to 24h'"
	// +optional
	For metav1.Duration `json:"for,omitzero"`

	// KeepFiringFor is how long it has to be well again until it is over: up to 24h. What goes back and forth within that is one
	// incident, and one that comes back after it is another.
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="must be from 0s to 24h",messageExpression="'\"' + self + '\" must be from 0s to 24h'"
	// +optional
	KeepFiringFor metav1.Duration `json:"keepFiringFor,omitzero"`

	// Severity says who should look, and how soon: info, warning or critical.
	// +kubebuilder:default=warning
	// +optional
	Severity Severity `json:"severity,omitempty"`

	// Labels are added to those that a series has by itself. $NAME in a value is replaced by the label NAME of the series.
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Labels map[string]AlertText `json:"labels,omitempty"`

	// Annotations are for people: summary, description, runbook_url. $NAME is replaced as in labels, and $value by the value.
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Annotations map[string]AlertText `json:"annotations,omitempty"`

	// Topic by which Receivers choose: Alerts, or Containers for what replaces the Alert that each tenant has.
	// +kubebuilder:default=Alerts
	// +kubebuilder:validation:XValidation:rule="self != 'Billing'",message="must be Alerts or Containers"
	// +optional
	Topic Topic `json:"topic,omitempty"`

	// Receivers of the namespace that are told. When there are none, those are that have the topic.
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Receivers []v1alpha1.ObjectName `json:"receivers,omitempty"`

	Routing `json:",inline"`

	// Suspend watches nothing and tells nothing. What fires is over, without a word.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Routing is when people are told.
type Routing struct {
	// GroupBy are labels: series that have them in common are told of together. All of the Alert are when there are none.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-zA-Z_][a-zA-Z0-9_]*$`
	// +listType=set
	// +optional
	GroupBy []string `json:"groupBy,omitempty"`

	// GroupWait is how long others of a group are waited for before it is told of first: up to 1h.
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="must be from 0s to 1h",messageExpression="'\"' + self + '\" must be from 0s to 1h'"
	// +optional
	GroupWait metav1.Duration `json:"groupWait,omitzero"`

	// GroupInterval is the least time between two notices about a group: up to 24h.
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="must be from 0s to 24h",messageExpression="'\"' + self + '\" must be from 0s to 24h'"
	// +optional
	GroupInterval metav1.Duration `json:"groupInterval,omitzero"`

	// RepeatInterval is when a group that still fires is told of again: 1m to 30 days (720h), 12h when not set. Never when
	// it is 0s.
	// +kubebuilder:default="12h"
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || (duration(self) >= duration('1m') && duration(self) <= duration('720h'))",message="must be 0s, or from 1m to 720h",messageExpression="'\"' + self + '\" must be 0s, or from 1m to 720h'"
	// +optional
	RepeatInterval *metav1.Duration `json:"repeatInterval,omitempty"`

	// SendResolved tells when something is over.
	// +kubebuilder:default=true
	// +optional
	SendResolved *bool `json:"sendResolved,omitempty"`

	// Silences are times in which nothing is told of some series, or of all. What still fires when they end is told then.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Silences []Silence `json:"silences,omitempty"`

	// MuteTimes are windows of the week in which nothing is told.
	// +optional
	MuteTimes *v1alpha1.Schedule `json:"muteTimes,omitempty"`
}

// Silence is a time in which nothing is told.
//
// +kubebuilder:validation:XValidation:rule="!has(self.from) || self.from < self.until",message="must be after from",fieldPath=".until"
type Silence struct {
	// From when; from ever when it is not set.
	// +optional
	From *metav1.Time `json:"from,omitempty"`
	// Until when.
	Until metav1.Time `json:"until"`
	// MatchLabels are labels that a series has which is not told of; any when there are none.
	// +kubebuilder:validation:MaxProperties=8
	// +optional
	MatchLabels map[string]AlertText `json:"matchLabels,omitempty"`
	// Comment says who silences it, and why.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Comment string `json:"comment,omitempty"`
}

// Severity says who should look, and how soon.
//
// +kubebuilder:validation:Enum=info;warning;critical
type Severity string

// The severities, from the least.
const (
	SeverityInfo     Severity = "info"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// AlertText is a value of a label or an annotation.
//
// +kubebuilder:validation:MaxLength=512
type AlertText string

// ContainerSelection is a choice of TenantContainers.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) || has(self.selector)",message="must have names, selector or both"
type ContainerSelection struct {
	// Names of TenantContainers.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Names []v1alpha1.DNSLabel `json:"names,omitempty"`
	// Selector of labels.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ThresholdRule compares a number with another one, every 15 seconds.
//
// +kubebuilder:validation:XValidation:rule="has(self.metric) != has(self.query)",message="must have exactly one of metric and query"
// +kubebuilder:validation:XValidation:rule="!has(self.window) || has(self.metric)",message="must be set with metric only; a query has its own",fieldPath=".window"
type ThresholdRule struct {
	// Metric of containers. See the constants for what each counts.
	// +optional
	Metric Metric `json:"metric,omitempty"`
	// Query in PromQL, which the platform's Prometheus is asked; each result is a series. It sees the metrics of this
	// namespace only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Query string `json:"query,omitempty"`
	// Operator that holds between the number and value when something is wrong.
	// +kubebuilder:default=">"
	// +optional
	Operator Operator `json:"operator,omitempty"`
	// Value to compare with: 500m cores, 200Mi, 0.9.
	Value resource.Quantity `json:"value"`
	// Window that rates and counts are taken over: 30s to 2h; 1m when not set, and 10m for restarts.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('2h')",message="must be from 30s to 2h",messageExpression="'\"' + self + '\" must be from 30s to 2h'"
	// +optional
	Window *metav1.Duration `json:"window,omitempty"`
}

// Metric is a number that a container has, over all of its tasks.
//
// +kubebuilder:validation:Enum=cpu;memory;memoryLimitRatio;throttling;restarts;networkReceive;networkTransmit;diskRead;diskWrite;processes
type Metric string

// The metrics. What is a rate is one per second, over the window.
const (
	// MetricCPU is cores that all tasks use together.
	MetricCPU Metric = "cpu"
	// MetricMemory is bytes of the working sets of all tasks together.
	MetricMemory Metric = "memory"
	// MetricMemoryLimitRatio is the working set of the fullest task, as a part of its limit.
	MetricMemoryLimitRatio Metric = "memoryLimitRatio"
	// MetricThrottling is the part of periods in which the CPU limit held a task up, of the task that it held up most.
	MetricThrottling Metric = "throttling"
	// MetricRestarts is how many tasks failed within the window, as far as Swarm remembers them: the last few of each slot.
	MetricRestarts Metric = "restarts"
	// MetricNetworkReceive and MetricNetworkTransmit are bytes per second of all tasks together.
	MetricNetworkReceive  Metric = "networkReceive"
	MetricNetworkTransmit Metric = "networkTransmit"
	// MetricDiskRead and MetricDiskWrite are bytes per second of all tasks together.
	MetricDiskRead  Metric = "diskRead"
	MetricDiskWrite Metric = "diskWrite"
	// MetricProcesses is processes and threads of the task that has most.
	MetricProcesses Metric = "processes"
)

// Operator compares two numbers.
//
// +kubebuilder:validation:Enum=">";">=";"<";"<=";"==";"!="
type Operator string
