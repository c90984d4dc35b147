package v1alpha1

// FinalizerGitSync holds a GitSync until what it applied is dealt with as its deletion policy says.
const FinalizerGitSync = "gitops.dogker.io/applied"

// AccountName is the ServiceAccount that a GitSync applies as when it names none. Every tenant has it, with the rights of
// a developer.
const AccountName = "gitsync"

// AnnotationRequestedAt asks a GitSync, whenever its value changes, for a visit at once. It is Flux', so that flux' users
// and tools know it; status.lastHandledReconcileAt echoes it.
const AnnotationRequestedAt = "reconcile.fluxcd.io/requestedAt"
