package v1alpha1

// EndpointMode says what the container's name resolves to.
//
// +kubebuilder:validation:Enum=DNSRR;VIP
type EndpointMode string

// The endpoint modes, as Swarm has them.
const (
	EndpointDNSRR EndpointMode = "DNSRR"
	EndpointVIP   EndpointMode = "VIP"
)

// Port is one port the container listens on.
type Port struct {
	// Name of the port, for people and for other kinds that refer to it.
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +optional
	Name string `json:"name,omitempty"`
	// ContainerPort is the port inside the container.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ContainerPort int32 `json:"containerPort"`
	// Protocol of the port.
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	// +kubebuilder:default=TCP
	Protocol string `json:"protocol,omitempty"`
	// Publish makes the port reachable from outside; without it the port is not.
	// +optional
	Publish *PortPublication `json:"publish,omitempty"`
}

// PortPublication makes a port reachable from outside.
type PortPublication struct {
	// Mode is Host (on the nodes that run a task) or Ingress (on every node, through the routing mesh, which needs IPVS
	// in the nodes' kernels and hides the client's address).
	Mode PublishMode `json:"mode"`
	// Port on the nodes.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// PublishMode says on which nodes a port is published.
//
// +kubebuilder:validation:Enum=Host;Ingress
type PublishMode string

// The publish modes, as Swarm has them.
const (
	PublishHost    PublishMode = "Host"
	PublishIngress PublishMode = "Ingress"
)

// ExtraHost is one line of /etc/hosts.
type ExtraHost struct {
	// IP address.
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IPv4 or IPv6 address",messageExpression="'\"' + self + '\" must be an IPv4 or IPv6 address'"
	IP string `json:"ip"`
	// Hostnames that resolve to it.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	Hostnames []ObjectName `json:"hostnames"`
}
