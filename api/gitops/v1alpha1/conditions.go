package v1alpha1

// ConditionHealthy is True on a GitSync while everything that it has applied is Ready. It is there when spec.wait is set.
const ConditionHealthy = "Healthy"

// Reasons of GitSyncs. Those of failed builds are in reconciler/source, those of objects that cannot be applied in
// reconciler/gitsync.
const (
	// ReasonReconciliationSucceeded: what the repository declares is applied, and healthy where that is asked for.
	ReasonReconciliationSucceeded = "ReconciliationSucceeded"
	// ReasonProgressing: it is being fetched, built, applied, or waited for.
	ReasonProgressing = "Progressing"
	// ReasonDependencyNotReady: a GitSync that this one depends on is not Ready.
	ReasonDependencyNotReady = "DependencyNotReady"
	// ReasonDependencyCycle: it depends on itself, by way of others.
	ReasonDependencyCycle = "DependencyCycle"
	// ReasonHealthCheckFailed: something that was applied has failed, or was not Ready in time.
	ReasonHealthCheckFailed = "HealthCheckFailed"
	// ReasonPruneFailed: something that the repository has no more could not be deleted.
	ReasonPruneFailed = "PruneFailed"
	// ReasonReconciliationFailed: the API does not take what was built, for several reasons at once.
	ReasonReconciliationFailed = "ReconciliationFailed"
	// ReasonSuspended: spec.suspend is set. What was applied stays.
	ReasonSuspended = "Suspended"
	// ReasonSecretNotFound: a Secret or ConfigMap that the spec names is not there, lacks a key, or may not be read by the
	// ServiceAccount.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonInventoryInvalid: the inventory in the status was changed by hand and cannot be read. Nothing is applied or
	// deleted before that is mended.
	ReasonInventoryInvalid = "InventoryInvalid"
)
