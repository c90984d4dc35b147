package v1alpha1

// Reasons of GitPreviews, beside Progressing, Suspended and SecretNotFound, which GitSyncs have as well, and those of
// reconciler/source for a repository that cannot be asked.
const (
	// ReasonFollowing: every reference that matches has its preview, but for those that were given up after their time.
	ReasonFollowing = "Following"
	// ReasonLimitReached: references wait because there are as many previews as the plan, or spec.max, allows.
	ReasonLimitReached = "LimitReached"
	// ReasonPreviewsNotAllowed: the plan of the tenant has no previews, or they could not be made with its rules.
	ReasonPreviewsNotAllowed = "PreviewsNotAllowed"
	// ReasonNoTenant: the namespace is no tenant's, or that of a preview, which has no previews.
	ReasonNoTenant = "NoTenant"
	// ReasonNameTaken: there is a Tenant of the preview's name that is not this preview. It is never touched.
	ReasonNameTaken = "NameTaken"
	// ReasonPortsExhausted: every port of the plan's range is some preview's.
	ReasonPortsExhausted = "PortsExhausted"
	// ReasonCopyFailed: something that the preview needs could not be copied into its namespace.
	ReasonCopyFailed = "CopyFailed"
	// ReasonDeletingPreviews: it is being deleted, and waits until its previews are gone.
	ReasonDeletingPreviews = "DeletingPreviews"
)
