package alert

import (
	"context"
	"time"
)

// Outbox is where notices wait until they are delivered.
type Outbox interface {
	// Put stores a notice so that it outlives the process. It is idempotent by ID: a notice whose ID is there, or was there
	// within the last day and is delivered by now, is not stored again. When Put fails it is not known whether it was stored.
	Put(ctx context.Context, n Notification) error
}

// Notification is what one receiver is told at one time. It is data and no text: whoever delivers it puts it into words of a
// language, and escapes what tenants have written.
type Notification struct {
	// ID is a function of what is told to whom, so that telling it again is recognised: letters, digits and hyphens.
	ID string `json:"id"`
	// Tenant is the namespace of whoever is told; that of the platform for its operators.
	Tenant string `json:"tenant"`
	// Receiver it is for.
	Receiver ReceiverRef `json:"receiver"`
	// Topic it belongs to.
	Topic Topic `json:"topic"`
	// Source is the object that says so: an Alert, a BillingAccount, or none for what other systems have sent.
	Source ObjectRef `json:"source"`
	// Title is what the source is called by whoever has written it: the name of an Alert. It is a tenant's text.
	Title string `json:"title"`
	// GroupKey is the same for all notices that are about the same things, over time: mail is threaded by it.
	GroupKey string `json:"groupKey"`
	// GroupLabels are what the incidents of a group have in common, if there is something they are grouped by.
	GroupLabels map[string]string `json:"groupLabels,omitempty"`
	// Status is Firing while one of the incidents is.
	Status Status `json:"status"`
	// Severity is the highest of the incidents.
	Severity Severity `json:"severity"`
	// At is when it was decided.
	At time.Time `json:"at"`
	// Repeat is true when nothing is new but the time that has passed.
	Repeat bool `json:"repeat,omitempty"`
	// Incidents that it is about, those that fire first; at least one. Omitted are those that there was no room for.
	Incidents []Incident `json:"incidents"`
	Omitted   int        `json:"omitted,omitempty"`
}

// Incident is one thing that went wrong, or something that has happened and needs no end.
type Incident struct {
	// Fingerprint is that of the labels: the same for each incident of one series.
	Fingerprint string `json:"fingerprint"`
	// Status it is in.
	Status Status `json:"status"`
	// Reason in one word, which templates know: see the constants, and those of solvency and billing for Topic Billing.
	Reason string `json:"reason"`
	// Severity of it.
	Severity Severity `json:"severity"`
	// Subject is the object that it is about, if it is about one.
	Subject ObjectRef `json:"subject"`
	// Labels and Annotations. The annotations summary and description are for people, and a tenant's text.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Facts are what is known of it, by the names that constants have here: numbers without a unit that a name does not say.
	Facts map[string]string `json:"facts,omitempty"`
	// StartsAt is when it began. EndsAt is when it was over; the zero time while it is not.
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt,omitzero"`
}

// ReceiverRef names a Receiver. Without a name it is the one that each tenant has without declaring it: mail to the contacts
// of the Tenant whose purpose fits the topic.
type ReceiverRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name,omitempty"`
}

// ObjectRef names an object of the API. All fields are empty for none.
type ObjectRef struct {
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
}

// Topic is what a Receiver can choose among.
type Topic string

// The topics.
const (
	// TopicAlerts are Alerts that people have declared, and what other systems send.
	TopicAlerts Topic = "Alerts"
	// TopicContainers is that containers went down, and run again.
	TopicContainers Topic = "Containers"
	// TopicBilling is what became of a tenant's money.
	TopicBilling Topic = "Billing"
)

// Status of a notice or an incident.
type Status string

// The statuses.
const (
	// StatusFiring is that something is wrong.
	StatusFiring Status = "firing"
	// StatusResolved is that it was, and is over.
	StatusResolved Status = "resolved"
	// StatusInformed is that something has happened which has no end, such as a payment.
	StatusInformed Status = "informed"
)

// Severity says who should look, and how soon.
type Severity string

// The severities, from the least.
const (
	SeverityInfo     Severity = "info"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Reasons of incidents. Those of Topic Billing are the kinds of notices that solvency and billing have.
const (
	// ReasonThreshold: FactMetric or FactQuery, FactOperator, FactThreshold, FactValue.
	ReasonThreshold = "ThresholdCrossed"
	// ReasonAnomaly: FactMetric, FactValue, FactUsual.
	ReasonAnomaly = "Anomaly"
	// ReasonAbsent: FactOf says what is missing.
	ReasonAbsent = "Absent"
	// ReasonCondition: FactCondition, FactConditionStatus, FactReason, FactMessage.
	ReasonCondition = "ConditionMet"
	// ReasonContainerDown: FactReason, FactMessage, FactTasks.
	ReasonContainerDown = "ContainerDown"
	// ReasonExternal is what another system has sent; its annotations say what.
	ReasonExternal = "External"
	// ReasonTest: somebody wanted to see whether notices arrive.
	ReasonTest = "TestNotice"
)

// Names of facts.
const (
	FactMetric    = "metric"
	FactQuery     = "query"
	FactOperator  = "operator"
	FactThreshold = "threshold"
	// FactValue is the value when the incident began, and FactUsual what it usually is.
	FactValue = "value"
	FactUsual = "usual"
	// FactOf is what is absent: Tasks, Samples, Heartbeat, Query.
	FactOf              = "of"
	FactCondition       = "condition"
	FactConditionStatus = "conditionStatus"
	// FactReason and FactMessage are those of the condition: the platform's words, and the engine's.
	FactReason  = "reason"
	FactMessage = "message"
	// FactTasks is how many tasks are ready of those that are wanted, such as 2/3.
	FactTasks = "tasks"
	// FactOccurrences is how often it happened since StartsAt, when that is more than once.
	FactOccurrences = "occurrences"
	// FactEnding is why an incident is over that has not got better: see the constants Ending.
	FactEnding = "ending"
)

// Why an incident is over that has not got better.
const (
	// EndingStopped: somebody has stopped what it was about.
	EndingStopped = "Stopped"
	// EndingGone: what it was about is gone, or is not watched any more.
	EndingGone = "Gone"
)

// DeliveryState is how delivery to a receiver stands, for its status.
type DeliveryState struct {
	// Delivered is when something was delivered last; the zero time for never since the outbox remembers.
	Delivered time.Time
	// Failed is when a delivery failed last, and Reason and Message why, fit for a condition: without times, counters and
	// secrets. Reason is one word.
	Failed          time.Time
	Reason, Message string
	// Waiting is how many notices wait.
	Waiting int
}
