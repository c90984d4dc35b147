package v1alpha1

// ConditionDelivering of a Receiver is True while what is sent to it arrives, and False while it does not. It is absent before
// anything was sent. Positive polarity.
const ConditionDelivering = "Delivering"

// ConditionReceiversFound of an Alert is False while it names a Receiver that is not there, or there is nobody at all who could
// be told. It is absent otherwise. Positive polarity.
const ConditionReceiversFound = "ReceiversFound"

// Reasons of Alerts.
const (
	// ReasonWatching: everything that the Alert is about is looked at.
	ReasonWatching = "Watching"
	// ReasonSuspended: spec.suspend is set.
	ReasonSuspended = "Suspended"
	// ReasonNoData: nothing that the Alert is about has been measured yet, or lately. States stay as they are.
	ReasonNoData = "NoData"
	// ReasonNothingSelected: no container, or no object, is one that the Alert is about.
	ReasonNothingSelected = "NothingSelected"
	// ReasonQueryFailed: the query was not answered. States stay as they are.
	ReasonQueryFailed = "QueryFailed"
	// ReasonQueriesUnavailable: the platform has no Prometheus that could be asked.
	ReasonQueriesUnavailable = "QueriesUnavailable"
	// ReasonTooManySeries: there are more series than an Alert remembers; those that are over the limit are not watched.
	ReasonTooManySeries = "TooManySeries"
	// ReasonInvalidSpec: the spec cannot be used; the message says which field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonReceiverNotFound: a Receiver in spec.receivers is not there, or is suspended.
	ReasonReceiverNotFound = "ReceiverNotFound"
	// ReasonNobodyToTell: there is no Receiver, and no Tenant with contacts.
	ReasonNobodyToTell = "NobodyToTell"
)

// Reasons of Receivers, besides those that deliveries fail for.
const (
	// ReasonAccepted: what is sent to it can be delivered, as far as is known.
	ReasonAccepted = "Accepted"
	// ReasonNoContacts: no contact of the Tenant is one that spec.email selects.
	ReasonNoContacts = "NoContacts"
	// ReasonSecretNotFound: a Secret that the spec names is not there, or lacks the key.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonMailUnavailable: the platform sends no mail.
	ReasonMailUnavailable = "MailUnavailable"
	// ReasonDelivered: the last delivery has succeeded.
	ReasonDelivered = "Delivered"
)
