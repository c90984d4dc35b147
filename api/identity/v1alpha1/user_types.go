package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// User is a person that Dogker knows by itself, beside those that OIDC issuers vouch for. Its name is the name that RBAC,
// Tenants and the audit log use. A User may do nothing until a Tenant or an RBAC binding names it, or a group of it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=users,scope=Cluster,shortName=usr,categories=dogker
// +kubebuilder:printcolumn:name="Access",type=string,JSONPath=`.spec.access`,description="Granted, Pending or Suspended."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="True while the User can log in."
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Email",type=string,JSONPath=`.spec.email`
// +kubebuilder:printcolumn:name="Login",type=date,JSONPath=`.status.lastLoginTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Groups",type=string,priority=1,JSONPath=`.spec.groups`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a User must be no longer than 63 characters",messageExpression="'\"' + self.metadata.name + '\" must be no longer than 63 characters'"
type User struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says who it is and whether they are let in.
	// +optional
	Spec UserSpec `json:"spec,omitempty"`
	// Status is what Dogker knows of them.
	// +optional
	Status UserStatus `json:"status,omitempty"`
}

// UserList is a list of Users.
//
// +kubebuilder:object:root=true
type UserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []User `json:"items"`
}

// UserSpec says who a User is and whether they are let in.
type UserSpec struct {
	// Email address. No two Users have the same one; case makes no difference.
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@\s<>,;"]+@[^@\s<>,;"]+$`
	// +optional
	Email string `json:"email,omitempty"`
	// DisplayName is what people call them.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[^\x00-\x1f\x7f]*$`
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Groups they are in, as RBAC and Tenants name them. Whoever may change a User may give it the rights of a group, so
	// that is for those who administrate the cluster.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Groups []GroupName `json:"groups,omitempty"`
	// Access says whether they are let in. A registration that needs approval begins as Pending; whoever approves it sets
	// Granted. Suspended refuses log-in and every token they hold, at once, and keeps the rest.
	// +kubebuilder:default=Granted
	// +optional
	Access Access `json:"access,omitempty"`
}

// GroupName is the name of a group of Users: lower-case letters, digits, hyphens and dots. There is no colon in it, so
// none of Kubernetes' own groups can be named.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type GroupName string

// Access says whether a User is let in.
//
// +kubebuilder:validation:Enum=Granted;Pending;Suspended
type Access string

// The kinds of access.
const (
	// AccessGranted lets the User in.
	AccessGranted Access = "Granted"
	// AccessPending: somebody has to approve the registration.
	AccessPending Access = "Pending"
	// AccessSuspended refuses log-in and every token.
	AccessSuspended Access = "Suspended"
)

// UserStatus is what Dogker knows of a User. Nothing in it is secret.
type UserStatus struct {
	// ObservedGeneration is the generation of the spec that the conditions describe.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions holds Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// PasswordChangeTime is when the password was last set; absent while there is none.
	// +optional
	PasswordChangeTime *metav1.Time `json:"passwordChangeTime,omitempty"`
	// LastLoginTime is when somebody last logged in with the password.
	// +optional
	LastLoginTime *metav1.Time `json:"lastLoginTime,omitempty"`
}
