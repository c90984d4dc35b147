package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Plan is what a tenant may have: how much, with which rights, from which registries, at which prices. Platform teams
// write it, and any number of tenants may have the same one.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=plans,scope=Cluster,shortName=pl,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether tenants can have it."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Tenants",type=integer,JSONPath=`.status.tenants`,description="How many tenants have it."
// +kubebuilder:printcolumn:name="Profile",type=string,JSONPath=`.spec.securityProfile`,description="What its containers may do."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be at most 63 characters",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be at most 63 characters'"
type Plan struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what tenants with this plan may have.
	// +optional
	Spec PlanSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +optional
	Status PlanStatus `json:"status,omitempty"`
}

// PlanList is a list of Plans.
//
// +kubebuilder:object:root=true
type PlanList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Plan `json:"items"`
}

// PlanSpec is what tenants with this plan may have.
type PlanSpec struct {
	// DisplayName for people.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// Quota of a tenant with this plan. A tenant's own quota wins over it, resource by resource.
	// +optional
	Quota *Quota `json:"quota,omitempty"`

	// ContainerDefaults are filled in where a TenantContainer says nothing, when it is admitted.
	// +kubebuilder:default={}
	// +optional
	ContainerDefaults ContainerDefaults `json:"containerDefaults,omitzero"`

	// ContainerMaxima are what one TenantContainer may ask for at most; it is refused otherwise.
	// +optional
	ContainerMaxima *ContainerMaxima `json:"containerMaxima,omitempty"`

	// SecurityProfile says what containers may do. restricted: no privileges at all. baseline: what ordinary images
	// need, and nothing that reaches beyond the container. privileged: for containers of the platform itself only.
	// +kubebuilder:default=restricted
	// +optional
	SecurityProfile SecurityProfile `json:"securityProfile,omitempty"`

	// Images says which images may run.
	// +optional
	Images *ImageRules `json:"images,omitempty"`

	// Network says how the network of a tenant with this plan is made.
	// +optional
	Network *NetworkRules `json:"network,omitempty"`

	// PriceListName names the PriceList by which usage is billed, or the first of those that replaced one another. Without
	// one, nothing is billed. A change is in effect from the next hour on.
	// +optional
	PriceListName ObjectName `json:"priceListName,omitempty"`

	// Billing says how tenants with this plan pay. It matters only with a price list.
	// +optional
	Billing *BillingRules `json:"billing,omitempty"`

	// Previews lets tenants with this plan have previews of branches and pull requests. Without it they have none.
	// +optional
	Previews *PreviewRules `json:"previews,omitempty"`
}

// SecurityProfile is a set of rules on TenantContainers, named as the Pod Security Standards are.
//
// +kubebuilder:validation:Enum=restricted;baseline;privileged
type SecurityProfile string

// The security profiles, from the strictest.
const (
	ProfileRestricted SecurityProfile = "restricted"
	ProfileBaseline   SecurityProfile = "baseline"
	ProfilePrivileged SecurityProfile = "privileged"
)

// NetworkRules say how the network of a tenant is made. Swarm cannot change a network that there is: what differs is told
// by the Tenant's condition NetworkOutdated, and comes into effect when the network is made anew.
type NetworkRules struct {
	// Encrypted lets the nodes encrypt (IPsec) what containers of the tenant send each other from node to node. It costs
	// throughput, and needs ESP in the kernels of all nodes and in the firewalls between them.
	// +optional
	Encrypted bool `json:"encrypted,omitempty"`
}

// ContainerDefaults are filled in where a TenantContainer says nothing. A default request is never more than the limit
// that the container itself declares.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || !has(self.requests.cpu) || !has(self.limits.cpu) || !isQuantity(string(self.requests.cpu)) || !isQuantity(string(self.limits.cpu)) || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0",message="requests.cpu must not be greater than limits.cpu",messageExpression="'requests.cpu ' + string(self.requests.cpu) + ' must not be greater than limits.cpu ' + string(self.limits.cpu)"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || !has(self.requests.memory) || !has(self.limits.memory) || !isQuantity(string(self.requests.memory)) || !isQuantity(string(self.limits.memory)) || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0",message="requests.memory must not be greater than limits.memory",messageExpression="'requests.memory ' + string(self.requests.memory) + ' must not be greater than limits.memory ' + string(self.limits.memory)"
type ContainerDefaults struct {
	// Requests for one task.
	// +kubebuilder:default={}
	// +optional
	Requests DefaultRequests `json:"requests,omitzero"`
	// Limits of one task.
	// +kubebuilder:default={}
	// +optional
	Limits DefaultLimits `json:"limits,omitzero"`
}

// DefaultRequests are set aside for one task that does not say.
type DefaultRequests struct {
	// CPU set aside.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('1m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0",message="must be an amount of CPU from 1m to 1000, such as 500m or 2",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 1m to 1000, such as 500m or 2'"
	// +kubebuilder:default="50m"
	// +optional
	CPU resource.Quantity `json:"cpu,omitzero"`
	// Memory set aside.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('4Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0",message="must be an amount of memory from 4Mi to 64Ti, such as 128Mi or 1Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 4Mi to 64Ti, such as 128Mi or 1Gi'"
	// +kubebuilder:default="64Mi"
	// +optional
	Memory resource.Quantity `json:"memory,omitzero"`
}

// DefaultLimits are what one task that does not say may use at most.
type DefaultLimits struct {
	// CPU the task may use.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('10m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0",message="must be an amount of CPU from 10m to 1000, such as 500m or 2",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 10m to 1000, such as 500m or 2'"
	// +kubebuilder:default="500m"
	// +optional
	CPU resource.Quantity `json:"cpu,omitzero"`
	// Memory the task may use before it is killed.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('6Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0",message="must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi'"
	// +kubebuilder:default="256Mi"
	// +optional
	Memory resource.Quantity `json:"memory,omitzero"`
	// Pids is how many processes and threads there may be.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4194304
	// +kubebuilder:default=256
	// +optional
	Pids int64 `json:"pids,omitempty"`
}

// ContainerMaxima are what one TenantContainer may ask for at most. What is not set is limited by the quota only.
type ContainerMaxima struct {
	// CPU limit of one task.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('10m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0",message="must be an amount of CPU from 10m to 1000, such as 500m or 2",messageExpression="'\"' + string(self) + '\" must be an amount of CPU from 10m to 1000, such as 500m or 2'"
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory limit of one task.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('6Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0",message="must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi",messageExpression="'\"' + string(self) + '\" must be an amount of memory from 6Mi to 64Ti, such as 128Mi or 1Gi'"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Pids limit of one task.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4194304
	// +optional
	Pids *int64 `json:"pids,omitempty"`
	// Replicas of one TenantContainer.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
}

// ImageRules say which images may run.
type ImageRules struct {
	// Allowed registries and repositories. registry.example stands for a whole registry, registry.example/team/* for all
	// repositories below team, registry.example/team/shop for one; docker.io/library/nginx is what nginx is short for.
	// Every image is allowed when there are none.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Allowed []ImagePattern `json:"allowed,omitempty"`
	// Tags says which references are accepted. Any: all of them. NotLatest: all but those without a tag and those with
	// the tag latest, unless they have a digest. DigestOnly: only those with a digest.
	// +kubebuilder:default=Any
	// +optional
	Tags TagPolicy `json:"tags,omitempty"`
	// Signatures are the cosign keys of which one must have signed an image. The first entry that an image matches counts;
	// an image that matches none needs no signature.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Signatures []SignatureRule `json:"signatures,omitempty"`
}

// ImagePattern is a registry, a repository, or all repositories below a path.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:Pattern=`^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*(/\*)?$`
type ImagePattern string

// TagPolicy says which image references are accepted.
//
// +kubebuilder:validation:Enum=Any;NotLatest;DigestOnly
type TagPolicy string

// The tag policies, from the loosest.
const (
	TagsAny        TagPolicy = "Any"
	TagsNotLatest  TagPolicy = "NotLatest"
	TagsDigestOnly TagPolicy = "DigestOnly"
)

// SignatureRule asks for a signature of images.
type SignatureRule struct {
	// Name of the rule, for messages.
	Name DNSLabel `json:"name"`
	// Images the rule is for; all when there are none.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Images []ImagePattern `json:"images,omitempty"`
	// PublicKeys in PEM, as `cosign generate-key-pair` writes them to cosign.pub. One of them must have signed the image.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=set
	PublicKeys []PublicKey `json:"publicKeys"`
}

// PublicKey is a public key in PEM.
//
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule="self.startsWith('-----BEGIN PUBLIC KEY-----')",message="must be a public key in PEM, beginning with -----BEGIN PUBLIC KEY-----"
type PublicKey string

// PlanStatus is what Dogker last saw; only the plan controller writes it.
type PlanStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Tenants is how many tenants have this plan.
	// +optional
	Tenants int32 `json:"tenants"`
}
