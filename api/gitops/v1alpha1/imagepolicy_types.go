package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// ImagePolicy follows a repository of images by a rule, and brings what it finds to TenantContainers of its namespace or
// into a Git repository. It is Flux' ImageRepository, ImagePolicy and ImageUpdateAutomation in one, with their words.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=imagepolicies,shortName=imgpol,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the latest image is known, and is where it belongs."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Tag",type=string,JSONPath=`.status.latestTag`,description="The tag that was chosen."
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`,description="Whether it rests."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.status.latestImage`,description="The image that was chosen, with its digest."
// +kubebuilder:printcolumn:name="Tags",type=integer,priority=1,JSONPath=`.status.tags`,description="How many tags the repository has."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type ImagePolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to follow, and what to update.
	Spec ImagePolicySpec `json:"spec"`
	// Status says what was found, and what was done. Until it was looked at it is about no generation, so that
	// tools which go by kstatus do not take what is new for something that never has a status.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status ImagePolicyStatus `json:"status,omitempty"`
}

// ImagePolicyList is a list of ImagePolicies.
//
// +kubebuilder:object:root=true
type ImagePolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ImagePolicy `json:"items"`
}

// ImagePolicySpec is what to follow, and what to update.
//
// +kubebuilder:validation:XValidation:rule="!has(self.policy.digest) || !has(self.filterTags)",message="must not be set with policy.digest, which follows one tag",fieldPath=".filterTags"
type ImagePolicySpec struct {
	// Image is the repository to follow, without tag and digest, as it stands in TenantContainers: nginx,
	// registry.example/team/app.
	Image ImageRepository `json:"image"`

	// SecretRef names a Secret of type kubernetes.io/dockerconfigjson with credentials for the registry. When it is not set,
	// those are tried that TenantContainers of the namespace which run the image name in imagePullSecrets.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// Interval between two looks at the registry: 1m to 24h. Policies are spread by a twentieth of it.
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="must be from 1m to 24h",messageExpression="'\"' + self + '\" must be from 1m to 24h'"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`

	// Suspend lets the policy rest: no registry is asked, and nothing is updated.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// FilterTags leaves only some tags for the policy to choose from.
	// +optional
	FilterTags *TagFilter `json:"filterTags,omitempty"`

	// Policy says which of the tags is the latest. Exactly one field is set.
	Policy ImagePolicyChoice `json:"policy"`

	// Update says what the latest image is written to. Without it, it is shown in the status, and nothing more.
	// +optional
	Update *ImageUpdate `json:"update,omitempty"`

	// ServiceAccountName is the ServiceAccount of the namespace as which Secrets are read and TenantContainers are patched.
	// Whoever writes the spec must be allowed to create tokens of it. The default has the rights of a developer in every
	// tenant.
	// +kubebuilder:default=gitsync
	// +optional
	ServiceAccountName v1alpha1.ObjectName `json:"serviceAccountName,omitempty"`
}

// ImageRepository is the name of a repository of images, without tag and digest.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:Pattern=`^((([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(:[0-9]+)?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`
type ImageRepository string

// TagFilter leaves only some tags.
type TagFilter struct {
	// Pattern is a regular expression, in the syntax of RE2, that tags match which are considered.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Pattern string `json:"pattern"`
	// Extract is what the policy looks at instead of the tag, with $name for what a group of the pattern has matched: $ts with
	// the pattern ^main-[a-f0-9]+-(?P<ts>[0-9]+)$.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Extract string `json:"extract,omitempty"`
}

// ImagePolicyChoice says which of the tags is the latest.
//
// +kubebuilder:validation:XValidation:rule="[has(self.semver), has(self.alphabetical), has(self.numerical), has(self.digest)].filter(x, x).size() == 1",message="must have exactly one of semver, alphabetical, numerical and digest"
type ImagePolicyChoice struct {
	// SemVer takes the highest version in a range. Tags that are no full versions, such as 1.2, are passed over.
	// +optional
	SemVer *SemVerPolicy `json:"semver,omitempty"`
	// Alphabetical takes the last tag in the order of the alphabet.
	// +optional
	Alphabetical *OrderPolicy `json:"alphabetical,omitempty"`
	// Numerical takes the largest number. Tags that are no decimal numbers are passed over.
	// +optional
	Numerical *OrderPolicy `json:"numerical,omitempty"`
	// Digest follows one tag that is moved, by its digest.
	// +optional
	Digest *DigestPolicy `json:"digest,omitempty"`
}

// SemVerPolicy takes the highest version in a range.
type SemVerPolicy struct {
	// Range of versions, such as 1.2.x, ^1.4 or ">=1.2.0 <2.0.0-0". Pre-releases count where the range has one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Range string `json:"range"`
}

// OrderPolicy takes the last tag of an order.
type OrderPolicy struct {
	// Order in which the last is the latest: asc, where that is Z and the largest number, or desc, where it is A and the
	// smallest.
	// +kubebuilder:default=asc
	// +optional
	Order PolicyOrder `json:"order,omitempty"`
}

// PolicyOrder is the direction of an order.
//
// +kubebuilder:validation:Enum=asc;desc
type PolicyOrder string

// The orders.
const (
	OrderAscending  PolicyOrder = "asc"
	OrderDescending PolicyOrder = "desc"
)

// DigestPolicy follows a tag by its digest.
type DigestPolicy struct {
	// Tag to follow, such as latest or main.
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`
	Tag string `json:"tag"`
}

// ImageUpdate says what the latest image is written to.
//
// +kubebuilder:validation:XValidation:rule="has(self.containers) != has(self.git)",message="must have exactly one of containers and git"
type ImageUpdate struct {
	// Containers patches spec.image of TenantContainers of the namespace.
	// +optional
	Containers *ContainerSelection `json:"containers,omitempty"`
	// Git commits the image to fields that are marked, and pushes.
	// +optional
	Git *GitUpdate `json:"git,omitempty"`
}

// ContainerSelection is a choice of TenantContainers. Of those, only the ones that run the repository of the policy are
// touched.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) || has(self.selector)",message="must have names, selector or both"
type ContainerSelection struct {
	// Names of TenantContainers. It is an error when one is missing, or has an image of another repository.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Names []v1alpha1.DNSLabel `json:"names,omitempty"`
	// Selector of labels. TenantContainers with an image of another repository are passed over.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// GitUpdate commits the image to a repository, in the places that have a marker behind them, which is Flux':
//
//	image: registry.example/team/app:1.2.0 # {"$imagepolicy": "NAMESPACE:NAME"}
//
// A marker NAMESPACE:NAME:tag is for the tag alone, :name for the repository and :digest for the digest. Nothing else in a
// file is touched.
//
// +kubebuilder:validation:XValidation:rule="has(self.gitSyncName) != has(self.url)",message="must have exactly one of gitSyncName and url"
type GitUpdate struct {
	// GitSyncName names a GitSync of the namespace whose url, branch and, unless they are set here, path and secretRef are
	// used.
	// +optional
	GitSyncName v1alpha1.DNSLabel `json:"gitSyncName,omitempty"`

	// URL of the repository: https://host/path or ssh://user@host/path.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https|http|ssh)://[^\\\\s/]+/[^\\\\s]+$')",message="must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only",messageExpression="'\"' + self + '\" must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only'"
	// +optional
	URL string `json:"url,omitempty"`

	// SecretRef names a Secret of the namespace with what the Git server is shown, in the form that GitSyncs have it. It must
	// be allowed to push.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// Branch to read and, unless pushBranch is set, to push to: that of the GitSync, or the one that the server calls HEAD.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Branch string `json:"branch,omitempty"`

	// PushBranch is where commits go instead, for somebody to merge. It is made from branch when it is not there, and
	// committed on top of otherwise. Nothing is ever forced.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	PushBranch string `json:"pushBranch,omitempty"`

	// Path of the directory below which YAML files are looked at; the root when empty.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Path string `json:"path,omitempty"`

	// Author of the commits.
	Author CommitAuthor `json:"author"`

	// MessageTemplate is a template, in Go's language, of the message of a commit. It is given .Policy, .Image, .Tag,
	// .Digest, .Files and .Changes, whose items have .File, .Line, .OldValue and .NewValue.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	MessageTemplate string `json:"messageTemplate,omitempty"`
}

// CommitAuthor is who a commit is by.
type CommitAuthor struct {
	// Name of the author.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[^<>\x00-\x1f]+$`
	Name string `json:"name"`
	// Email address of the author.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^<>\s\x00-\x1f]+@[^<>\s\x00-\x1f]+$`
	Email string `json:"email"`
}
