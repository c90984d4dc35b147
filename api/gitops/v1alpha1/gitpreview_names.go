package v1alpha1

// FinalizerGitPreview holds a GitPreview until all its previews are gone.
const FinalizerGitPreview = "gitops.dogker.io/previews"

// Labels of a Tenant that is a preview. Only who may write Tenants can set them, which no tenant may.
const (
	// LabelPreviewOf names the Tenant that the preview is of.
	LabelPreviewOf = "gitops.dogker.io/preview-of"
	// LabelPreview names the GitPreview, which is in the namespace of that Tenant.
	LabelPreview = "gitops.dogker.io/preview"
	// LabelPreviewUID is the UID of the GitPreview: whose a preview is, is decided by it and not by names.
	LabelPreviewUID = "gitops.dogker.io/preview-uid"
)

// Annotations of a Tenant that is a preview, from which all that is known of it can be restored.
const (
	// AnnotationPreviewRef is the reference that it follows, in full.
	AnnotationPreviewRef = "gitops.dogker.io/preview-ref"
	// AnnotationPreviewCommit is the commit that was seen there last.
	AnnotationPreviewCommit = "gitops.dogker.io/preview-commit"
	// AnnotationPreviewSince is when that commit was seen for the first time: its time to live counts from then.
	AnnotationPreviewSince = "gitops.dogker.io/preview-since"
)

// AnnotationPreviewHash on a preview's GitSync and on what was copied is the hash of what was written there, so that what
// is not wanted any more is told from what others have added.
const AnnotationPreviewHash = "gitops.dogker.io/preview-hash"
