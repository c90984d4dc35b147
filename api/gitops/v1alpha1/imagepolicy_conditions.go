package v1alpha1

// Reasons of ImagePolicies besides those that GitSyncs have as well. Those of failed commits are in reconciler/source.
const (
	// ReasonPolicyInvalid: the pattern, the range or the template of the spec cannot be used.
	ReasonPolicyInvalid = "PolicyInvalid"
	// ReasonRegistryRefused: the registry has no such repository, or does not give it to these credentials.
	ReasonRegistryRefused = "RegistryRefused"
	// ReasonRegistryUnavailable: the registry does not answer, or has had too many requests. Nothing is changed meanwhile.
	ReasonRegistryUnavailable = "RegistryUnavailable"
	// ReasonTagNotFound: the repository has no tag that the policy can choose.
	ReasonTagNotFound = "TagNotFound"
	// ReasonContainerNotFound: a TenantContainer that is named is not there, or has an image of another repository.
	ReasonContainerNotFound = "ContainerNotFound"
	// ReasonManagedByGit: a TenantContainer is kept as a repository says, which would put back what is patched.
	ReasonManagedByGit = "ManagedByGit"
	// ReasonUpdateFailed: the API did not take the new image.
	ReasonUpdateFailed = "UpdateFailed"
	// ReasonGitSyncNotFound: the GitSync that update.git names is not there, or follows no branch.
	ReasonGitSyncNotFound = "GitSyncNotFound"
	// ReasonMarkerNotFound: no file below the path has a marker of the policy.
	ReasonMarkerNotFound = "MarkerNotFound"
)

// FieldManagerImages is who the fields belong to that ImagePolicies patch.
const FieldManagerImages = "dogker-image-policy"
