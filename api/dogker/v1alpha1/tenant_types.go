package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tenant is one customer, team or project: a namespace of the same name with its own network, people, quota and rules,
// kept apart from all others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=tenants,scope=Cluster,shortName=tn,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether everything that makes the tenant is in place."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Plan",type=string,JSONPath=`.spec.planName`,description="What it may have."
// +kubebuilder:printcolumn:name="Containers",type=string,JSONPath=`.status.containers`,description="Containers that there are, of those that the quota allows."
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.billing.phase`,description="How its BillingAccount stands."
// +kubebuilder:printcolumn:name="Balance",type=string,JSONPath=`.status.billing.balance`,description="Rupiah that can be used."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Subnet",type=string,priority=1,JSONPath=`.status.network.subnet`,description="The addresses of its network."
// +kubebuilder:printcolumn:name="Addresses",type=string,priority=1,JSONPath=`.status.network.addresses`,description="Addresses in use, of those that there are."
// +kubebuilder:printcolumn:name="Name",type=string,priority=1,JSONPath=`.spec.displayName`,description="Its name for people."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label: at most 63 characters and no dots, because the tenant's namespace has it",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be a DNS label: at most 63 characters and no dots, because the namespace of the tenant has it'"
// +kubebuilder:validation:XValidation:rule="self.metadata.name != 'default' && !self.metadata.name.startsWith('kube-') && !self.metadata.name.startsWith('dogker-')",message="metadata.name must be neither default nor begin with kube- or dogker-: these namespaces belong to the platform",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be neither default nor begin with kube- or dogker-: these namespaces belong to the platform'"
type Tenant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the platform team declares.
	Spec TenantSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted. Until it was looked at it is about no generation, so that
	// tools which go by kstatus (Helm, Flux, Argo CD) do not take what is new for something that never has a status.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status TenantStatus `json:"status,omitempty"`
}

// TenantList is a list of Tenants.
//
// +kubebuilder:object:root=true
type TenantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Tenant `json:"items"`
}

// TenantSpec is what the platform team declares.
type TenantSpec struct {
	// PlanName names the Plan that says what the tenant may have.
	PlanName DNSLabel `json:"planName"`

	// DisplayName for people.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// Contacts are the people to write to.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=email
	// +optional
	Contacts []Contact `json:"contacts,omitempty"`

	// Members may do what their roles say, in the tenant's namespace and nowhere else. Who is taken out has lost access
	// as soon as the change is in effect.
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +optional
	Members []Member `json:"members,omitempty"`

	// Quota wins over the plan's, resource by resource.
	// +optional
	Quota *Quota `json:"quota,omitempty"`

	// PortRange holds the ports that the tenant may publish. Without one the security profile decides whether it may
	// publish any. Ranges of tenants may overlap: a port has one container at a time, the first that publishes it.
	// +optional
	PortRange *PortRange `json:"portRange,omitempty"`

	// DeletionPolicy says what deleting the tenant takes along. Protect: the deletion is refused while there are
	// TenantContainers, or data (Volumes, VolumeSnapshots, and Secrets and ConfigMaps that people made). Delete: containers go
	// with the tenant, and data when the annotation dogker.io/delete-data holds the tenant's name.
	// +kubebuilder:default=Protect
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Contact is somebody to write to.
type Contact struct {
	// Email address.
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@\s<>,;"]+@[^@\s<>,;"]+$`
	Email string `json:"email"`
	// Name of the person.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Name string `json:"name,omitempty"`
	// Purposes the contact is for; all of them when there are none.
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:Enum=technical;billing;security
	// +listType=set
	// +optional
	Purposes []string `json:"purposes,omitempty"`
}

// Member is somebody who may do something in the tenant's namespace.
//
// +kubebuilder:validation:XValidation:rule="self.kind == 'ServiceAccount' || !self.name.startsWith('system:') || (self.kind == 'User' && self.name.startsWith('system:serviceaccount:'))",message="must not begin with system:, but for users system:serviceaccount:NAMESPACE:NAME",fieldPath=".name"
// +kubebuilder:validation:XValidation:rule="self.kind != 'ServiceAccount' || self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a ServiceAccount in the tenant's namespace; one of another namespace is the User system:serviceaccount:NAMESPACE:NAME",fieldPath=".name"
type Member struct {
	// Kind is User, Group, or ServiceAccount of the tenant's own namespace, which is made if there is none. One of another
	// namespace is the User system:serviceaccount:NAMESPACE:NAME.
	Kind MemberKind `json:"kind"`
	// Name by which they are authenticated.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Roles they have. owner: everything there is to do in the namespace. developer: everything about containers and
	// their configuration. viewer: reads all but Secrets. billing: reads what is billed.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +listType=set
	Roles []TenantRole `json:"roles"`
}

// MemberKind is a kind of RBAC subject.
//
// +kubebuilder:validation:Enum=User;Group;ServiceAccount
type MemberKind string

// The kinds of members, as RBAC has them.
const (
	MemberUser           MemberKind = "User"
	MemberGroup          MemberKind = "Group"
	MemberServiceAccount MemberKind = "ServiceAccount"
)

// TenantRole is what a member may do.
//
// +kubebuilder:validation:Enum=owner;developer;viewer;billing
type TenantRole string

// The roles of members.
const (
	RoleOwner     TenantRole = "owner"
	RoleDeveloper TenantRole = "developer"
	RoleViewer    TenantRole = "viewer"
	RoleBilling   TenantRole = "billing"
)

// PortRange is a range of ports on the nodes, both ends included.
//
// +kubebuilder:validation:XValidation:rule="self.from <= self.to",message="from must not be greater than to"
type PortRange struct {
	// From is the first port.
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	From int32 `json:"from"`
	// To is the last port.
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	To int32 `json:"to"`
}

// DeletionPolicy says what deleting a tenant takes along.
//
// +kubebuilder:validation:Enum=Protect;Delete
type DeletionPolicy string

// The deletion policies, from the more careful.
const (
	DeletionProtect DeletionPolicy = "Protect"
	DeletionDelete  DeletionPolicy = "Delete"
)
