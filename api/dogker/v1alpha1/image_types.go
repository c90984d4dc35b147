package v1alpha1

// Image is the reference of an image.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^((([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(:[0-9]+)?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})?(@sha256:[a-f0-9]{64})?$`
// +kubebuilder:validation:XValidation:rule="!self.matches('^(sha256:)?[a-f0-9]{64}$')",message="must name a repository: an image ID would run another tenant's image without its registry's consent",messageExpression="'\"' + self + '\" must name a repository: an image ID would run another tenant\\'s image without its registry\\'s consent'"
type Image string

// PullPolicy says when the registry is asked for an image.
//
// +kubebuilder:validation:Enum=IfNotPresent;Always;Never
type PullPolicy string

// The pull policies, with Kubernetes' names and meanings.
const (
	PullIfNotPresent PullPolicy = "IfNotPresent"
	PullAlways       PullPolicy = "Always"
	PullNever        PullPolicy = "Never"
)
