package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeployToken lets a program do one thing in one namespace for some time: what its scope says, and nothing else. The token
// itself is shown once, when it is issued; deleting the object revokes it at once.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=deploytokens,shortName=dt,categories=dogker
// +kubebuilder:printcolumn:name="Scope",type=string,JSONPath=`.spec.scope`
// +kubebuilder:printcolumn:name="Containers",type=string,JSONPath=`.spec.containers`,description="The TenantContainers it is for; empty for all."
// +kubebuilder:printcolumn:name="Issued",type=date,JSONPath=`.status.issueTime`,description="When the token was last issued."
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.expirationTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a DeployToken must be no longer than 63 characters",messageExpression="'\"' + self.metadata.name + '\" must be no longer than 63 characters'"
type DeployToken struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what the token is good for. It cannot be changed: a token that is out there never becomes good for more.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: make another DeployToken"
	Spec DeployTokenSpec `json:"spec"`
	// Status says what became of it.
	// +optional
	Status DeployTokenStatus `json:"status,omitempty"`
}

// DeployTokenList is a list of DeployTokens.
//
// +kubebuilder:object:root=true
type DeployTokenList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []DeployToken `json:"items"`
}

// DeployTokenSpec says what a token is good for.
type DeployTokenSpec struct {
	// Scope is what its bearer may do. Read: read TenantContainers, their revisions and events. Deploy: change, scale and
	// restart TenantContainers that exist, too; without containers, create them as well. Neither reads Secrets or deletes
	// anything.
	Scope DeployScope `json:"scope"`
	// Containers are the TenantContainers it is for. Empty for all of the namespace.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Containers []ContainerName `json:"containers,omitempty"`
	// ExpirationSeconds is how long a token is good for from when it is issued: ten minutes to a year, 90 days by default.
	// +kubebuilder:default=7776000
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	ExpirationSeconds int64 `json:"expirationSeconds,omitempty"`
}

// ContainerName is the name of a TenantContainer.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
type ContainerName string

// DeployScope is what the bearer of a token may do.
//
// +kubebuilder:validation:Enum=Read;Deploy
type DeployScope string

// The scopes.
const (
	// ScopeRead reads.
	ScopeRead DeployScope = "Read"
	// ScopeDeploy reads, and changes TenantContainers.
	ScopeDeploy DeployScope = "Deploy"
)

// DeployTokenStatus says what became of a DeployToken.
type DeployTokenStatus struct {
	// IssueTime is when the token was last issued; absent while it never was.
	// +optional
	IssueTime *metav1.Time `json:"issueTime,omitempty"`
	// ExpirationTime is when the token that was last issued expires.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`
}
