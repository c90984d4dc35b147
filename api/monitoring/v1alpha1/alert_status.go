package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AlertStatus is what is wrong, and what was told of it; only the controller of Alerts writes it. Times have whole seconds.
type AlertStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// State is the worst of all series.
	// +optional
	State AlertState `json:"state,omitempty"`
	// Firing is how many series fire.
	// +optional
	Firing int32 `json:"firing"`
	// Pending is how many series are about to.
	// +optional
	Pending int32 `json:"pending"`
	// Series that are not as they should be, or that something is left to say of; those that fire first. At most 64.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=fingerprint
	// +optional
	Series []AlertSeries `json:"series,omitempty"`
	// Groups of series that were told of, or are about to be.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=key
	// +optional
	Groups []AlertGroup `json:"groups,omitempty"`
	// Notices counts what was put on record to be told, of all groups: each has its number in its ID.
	// +optional
	Notices int64 `json:"notices,omitempty"`
	// LastNotificationTime is when somebody was told last.
	// +optional
	LastNotificationTime *metav1.Time `json:"lastNotificationTime,omitempty"`
	// Heartbeat is the last one that was seen.
	// +optional
	Heartbeat *HeartbeatStatus `json:"heartbeat,omitempty"`
}

// AlertState is how a series stands.
//
// +kubebuilder:validation:Enum=Inactive;Pending;Firing
type AlertState string

// The states, from the least.
const (
	// StateInactive: nothing is wrong.
	StateInactive AlertState = "Inactive"
	// StatePending: something is wrong, not yet for as long as spec.for.
	StatePending AlertState = "Pending"
	// StateFiring: something is wrong, or was within spec.keepFiringFor.
	StateFiring AlertState = "Firing"
)

// AlertSeries is one thing that an Alert watches.
type AlertSeries struct {
	// Fingerprint of its labels.
	Fingerprint string `json:"fingerprint"`
	// Labels by which it is told from others of the Alert.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// State it is in.
	State AlertState `json:"state"`
	// Since is when it came into that state.
	Since metav1.Time `json:"since"`
	// StartsAt is when what is wrong began.
	// +optional
	StartsAt metav1.Time `json:"startsAt,omitzero"`
	// EndsAt is since when nothing is wrong any more, while that may not last, or has not been told.
	// +optional
	EndsAt *metav1.Time `json:"endsAt,omitempty"`
	// Value when it began.
	// +optional
	Value string `json:"value,omitempty"`
	// Facts that are told of it.
	// +optional
	Facts map[string]string `json:"facts,omitempty"`
	// Occurrences is how often it went wrong since startsAt.
	// +optional
	Occurrences int32 `json:"occurrences,omitempty"`
	// Told is what people were told of it last: Firing or nothing.
	// +optional
	Told AlertState `json:"told,omitempty"`
	// Ending is why it is over when it has not got better: Stopped or Gone.
	// +optional
	Ending string `json:"ending,omitempty"`
}

// AlertGroup is a group of series that are told of together.
type AlertGroup struct {
	// Key is the fingerprint of what they have in common.
	Key string `json:"key"`
	// ToldAt is when it was told of last.
	// +optional
	ToldAt *metav1.Time `json:"toldAt,omitempty"`
	// Notice is what is to be told next, from when it is on record until it is in the outbox.
	// +optional
	Notice *AlertNotice `json:"notice,omitempty"`
}

// AlertNotice is something that is to be told, and that does not change any more.
type AlertNotice struct {
	// Number of the notice.
	Number int64 `json:"number"`
	// At is when it was decided.
	At metav1.Time `json:"at"`
	// Repeat is true when nothing is new.
	// +optional
	Repeat bool `json:"repeat,omitempty"`
	// Receivers that are told, by name; one without a name is the mail that each tenant has.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Receivers []string `json:"receivers,omitempty"`
	// Firing are fingerprints of series that fire, Resolved of those that are over.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Firing []string `json:"firing,omitempty"`
	// Resolved are fingerprints of series that are over.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Resolved []string `json:"resolved,omitempty"`
}

// HeartbeatStatus is a heartbeat that was seen.
type HeartbeatStatus struct {
	// Value of the annotation.
	// +optional
	Value string `json:"value,omitempty"`
	// Time when it was seen to have changed.
	Time metav1.Time `json:"time"`
}
