package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// GitPreview gives every branch or pull request that matches an environment of its own: a Tenant with the members of the
// one whose namespace this is in, and a GitSync in it that follows the reference. It goes when the reference is gone, or
// when there was no commit for a while.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=gitpreviews,shortName=gp,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the repository is followed."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.active`,description="How many previews there are."
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.waiting`,description="How many references wait for one."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.url`,description="The repository."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label: at most 63 characters and no dots, because labels of previews hold it",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be a DNS label: at most 63 characters and no dots, because labels of previews hold it'"
type GitPreview struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what gets previews.
	Spec GitPreviewSpec `json:"spec"`
	// Status says which there are. Until it was looked at it is about no generation, so that
	// tools which go by kstatus do not take what is new for something that never has a status.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status GitPreviewStatus `json:"status,omitempty"`
}

// GitPreviewList is a list of GitPreviews.
//
// +kubebuilder:object:root=true
type GitPreviewList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []GitPreview `json:"items"`
}

// GitPreviewSpec is what gets previews.
//
// +kubebuilder:validation:XValidation:rule="has(self.branches) || has(self.pullRequests)",message="must have branches, pullRequests or both",fieldPath=".branches"
// +kubebuilder:validation:XValidation:rule="!has(self.pullRequests) || (has(self.pullRequests.allowSecrets) && self.pullRequests.allowSecrets) || !(has(self.secretRef) || has(self.copy) || (has(self.template) && (has(self.template.verify) || has(self.template.decryption) || (has(self.template.postBuild) && has(self.template.postBuild.substituteFrom)))))",message="must be true for previews of pull requests to get Secrets (secretRef, copy, and those that the template names): whoever opens a pull request can read them",fieldPath=".pullRequests.allowSecrets"
type GitPreviewSpec struct {
	// URL of the repository: https://host/path or ssh://user@host/path.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https|http|ssh)://[^\\\\s/]+/[^\\\\s]+$')",message="must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only",messageExpression="'\"' + self + '\" must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only'"
	URL string `json:"url"`

	// SecretRef names a Secret of the namespace with what the Git server is shown, as in a GitSync. It is copied into
	// previews.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// Branches that get a preview.
	// +optional
	Branches *BranchSelector `json:"branches,omitempty"`

	// PullRequests get a preview: refs/pull/*/head (GitHub, Gitea), refs/merge-requests/*/head (GitLab) and
	// refs/pull-requests/*/from (Bitbucket).
	// +optional
	PullRequests *PullRequestSelector `json:"pullRequests,omitempty"`

	// TTL is how long a preview lasts after the last commit that was seen: 1m to 2160h, and no longer than the tenant's plan
	// allows. It comes back with the next commit.
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('2160h')",message="must be from 1m to 2160h",messageExpression="'\"' + self + '\" must be from 1m to 2160h'"
	// +optional
	TTL metav1.Duration `json:"ttl,omitzero"`

	// Max is how many previews there may be at a time. The plan of the tenant has a limit of its own, for all its
	// GitPreviews together.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	Max *int32 `json:"max,omitempty"`

	// Interval between two looks at the repository: 30s to 24h. They are spread by a twentieth of it.
	// +kubebuilder:default="2m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="must be from 30s to 24h",messageExpression="'\"' + self + '\" must be from 30s to 24h'"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`

	// ServiceAccountName is the ServiceAccount of the namespace as which Secrets and ConfigMaps are read. Whoever writes the
	// spec must be allowed to create tokens of it.
	// +kubebuilder:default=gitsync
	// +optional
	ServiceAccountName v1alpha1.ObjectName `json:"serviceAccountName,omitempty"`

	// Copy names Secrets and ConfigMaps of the namespace that every preview gets, beside those that secretRef and the
	// template name. What changes here changes there.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +optional
	Copy []CopyReference `json:"copy,omitempty"`

	// Template is what the GitSync of every preview is like.
	// +kubebuilder:default={}
	// +optional
	Template PreviewTemplate `json:"template,omitzero"`

	// Suspend lets it rest: the repository is not looked at and no preview is made. Those that there are go on until their time is over.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// BranchSelector says which branches get a preview.
type BranchSelector struct {
	// Include has patterns, of which a branch must match one: * is anything without a slash, ** anything, ? one character.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	Include []string `json:"include"`
	// Exclude has patterns of which it must match none.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +optional
	Exclude []string `json:"exclude,omitempty"`
}

// PullRequestSelector says which pull requests get a preview.
type PullRequestSelector struct {
	// From is the lowest number that gets one. Most Git servers keep the references of closed pull requests and do not say
	// which those are: set it to the next number when you begin.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	// +kubebuilder:default=1
	// +optional
	From int32 `json:"from,omitempty"`
	// AllowSecrets lets previews of pull requests have what is copied. Whoever can open a pull request can read it, so that
	// on a public repository everybody can.
	// +optional
	AllowSecrets bool `json:"allowSecrets,omitempty"`
}

// CopyReference names a ConfigMap or Secret of the namespace.
type CopyReference struct {
	// Kind is ConfigMap or Secret.
	// +kubebuilder:validation:Enum=ConfigMap;Secret
	Kind string `json:"kind"`
	// Name of the object, in both namespaces.
	Name v1alpha1.ObjectName `json:"name"`
}

// PreviewTemplate is what the GitSync of a preview is like. Fields are those of GitSync. It always prunes, and its
// variables have PREVIEW_NAME, PREVIEW_NAMESPACE, PREVIEW_BRANCH, PREVIEW_NUMBER and PREVIEW_PORT on top.
type PreviewTemplate struct {
	// Path of the directory to build, relative to the root of the repository. The root when empty.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Path string `json:"path,omitempty"`
	// Ignore has lines as .gitignore has them; files that match are not looked at.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Ignore string `json:"ignore,omitempty"`
	// Verify demands signed commits. Its Secret is copied.
	// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode == 'HEAD'",message="must be HEAD: previews follow no tags",fieldPath=".mode"
	// +optional
	Verify *GitVerify `json:"verify,omitempty"`
	// PostBuild replaces ${variables} in what was built. What it takes variables from is copied.
	// +optional
	PostBuild *PostBuild `json:"postBuild,omitempty"`
	// Decryption opens files that SOPS has encrypted. Its Secret is copied.
	// +optional
	Decryption *Decryption `json:"decryption,omitempty"`
	// Interval between two looks at drift: 30s to 24h. New commits are told as soon as they are seen.
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="must be from 30s to 24h",messageExpression="'\"' + self + '\" must be from 30s to 24h'"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`
	// Timeout of a fetch, and of waiting for what was applied: 10s to 1h.
	// +kubebuilder:default="3m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('1h')",message="must be from 10s to 1h",messageExpression="'\"' + self + '\" must be from 10s to 1h'"
	// +optional
	Timeout metav1.Duration `json:"timeout,omitzero"`
	// Wait until everything that was applied is healthy before the preview is Ready.
	// +optional
	Wait bool `json:"wait,omitempty"`
}
