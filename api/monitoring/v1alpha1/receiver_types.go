package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Receiver is somebody, or something, that is told what happens in its namespace. A tenant that has contacts is told by mail
// without one.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=receivers,shortName=recv,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether it can be told."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Last",type=date,JSONPath=`.status.lastDeliveryTime`,description="When something was delivered last."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Delivering",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Delivering")].reason`,description="How the last delivery did."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type Receiver struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is who is told, and what.
	Spec ReceiverSpec `json:"spec"`
	// Status says whether that works.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status ReceiverStatus `json:"status,omitempty"`
}

// ReceiverList is a list of Receivers.
//
// +kubebuilder:object:root=true
type ReceiverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Receiver `json:"items"`
}

// ReceiverSpec is who is told, and what.
//
// +kubebuilder:validation:XValidation:rule="has(self.email) != has(self.webhook)",message="must have exactly one of email and webhook"
type ReceiverSpec struct {
	// Email writes to people.
	// +optional
	Email *EmailReceiver `json:"email,omitempty"`
	// Webhook posts to a URL.
	// +optional
	Webhook *WebhookReceiver `json:"webhook,omitempty"`

	// Topics that it is told about without being named: Alerts, those that name no receivers; Containers, that a container
	// is down or runs again; Billing, what becomes of the tenant's money. All of them when there are none. A topic that no
	// Receiver of the namespace has goes by mail to the contacts of the Tenant.
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	Topics []Topic `json:"topics,omitempty"`

	// MinSeverity leaves out what is less severe. It does not hold for Billing.
	// +optional
	MinSeverity Severity `json:"minSeverity,omitempty"`

	// RateLimit is how much it is sent at most; what is over it waits.
	// +kubebuilder:default={"perHour":60}
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// Suspend sends it nothing. What happens meanwhile is not sent later, nor by mail in its place.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Topic is a kind of thing that people are told.
//
// +kubebuilder:validation:Enum=Alerts;Containers;Billing
type Topic string

// The topics.
const (
	TopicAlerts     Topic = "Alerts"
	TopicContainers Topic = "Containers"
	TopicBilling    Topic = "Billing"
)

// RateLimit is how much may be sent.
type RateLimit struct {
	// PerHour is how many notices may be sent in an hour.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600
	// +kubebuilder:default=60
	// +optional
	PerHour int32 `json:"perHour,omitempty"`
}

// EmailReceiver writes to contacts of the Tenant, and to nobody else.
type EmailReceiver struct {
	// To are addresses of contacts of the Tenant; those of others are passed over, which a condition says. When there are none,
	// contacts with purpose technical are written to, and with purpose billing for the topic Billing. In the platform's
	// namespace, which belongs to no Tenant, any address will do, and there has to be one.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=254
	// +kubebuilder:validation:items:Pattern=`^[^@\s<>,;"]+@[^@\s<>,;"]+$`
	// +listType=set
	// +optional
	To []string `json:"to,omitempty"`
	// Locale is the language: en or id.
	// +kubebuilder:default=en
	// +optional
	Locale Locale `json:"locale,omitempty"`
	// TimeZone is the name of the zone that times are written in, from the IANA database: Asia/Jakarta. UTC when not set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
}

// Locale is a language.
//
// +kubebuilder:validation:Enum=en;id
type Locale string

// The locales.
const (
	LocaleEnglish    Locale = "en"
	LocaleIndonesian Locale = "id"
)

// WebhookReceiver posts to a URL at a public address.
//
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.urlSecretRef)",message="must have exactly one of url and urlSecretRef"
type WebhookReceiver struct {
	// URL to post to: https, or http where the platform allows that. One that holds a secret, as those of Slack do, belongs
	// into urlSecretRef.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s/@]+(/[^\\\\s]*)?$')",message="must be a URL with a host and without credentials, such as https://hooks.example.com/dogker",reason="FieldValueForbidden"
	// +optional
	URL string `json:"url,omitempty"`
	// URLSecretRef names a Secret of the namespace that has the URL under the key url.
	// +optional
	URLSecretRef *SecretReference `json:"urlSecretRef,omitempty"`
	// SigningSecretRef names a Secret of the namespace whose key secret signs what is sent, by HMAC-SHA256. Nothing is
	// signed without it.
	// +optional
	SigningSecretRef *SecretReference `json:"signingSecretRef,omitempty"`
	// Format of the body. Dogker: our own. Slack: a message that Slack, Mattermost and Rocket.Chat show. Alertmanager: that of
	// Alertmanager's webhooks, version 4.
	// +kubebuilder:default=Dogker
	// +optional
	Format WebhookFormat `json:"format,omitempty"`
}

// SecretReference names a Secret of the same namespace.
type SecretReference struct {
	// Name of the Secret.
	Name v1alpha1.ObjectName `json:"name"`
}

// WebhookFormat is the form of a body.
//
// +kubebuilder:validation:Enum=Dogker;Slack;Alertmanager
type WebhookFormat string

// The formats.
const (
	FormatDogker       WebhookFormat = "Dogker"
	FormatSlack        WebhookFormat = "Slack"
	FormatAlertmanager WebhookFormat = "Alertmanager"
)

// KeyURL and KeySecret are the keys of Secrets that Receivers name.
const (
	KeyURL    = "url"
	KeySecret = "secret"
)

// ReceiverStatus is what is known of it; only the controller of Receivers writes it.
type ReceiverStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// LastDeliveryTime is when something was delivered last.
	// +optional
	LastDeliveryTime *metav1.Time `json:"lastDeliveryTime,omitempty"`
	// LastFailureTime is when a delivery failed last.
	// +optional
	LastFailureTime *metav1.Time `json:"lastFailureTime,omitempty"`
}
