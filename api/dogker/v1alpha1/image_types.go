package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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

// ImageProof is what is known in favour of an image that runs.
type ImageProof struct {
	// GrantedTime is when the registry gave the image, by its digest, to the credentials of the namespace. It is set where
	// the security profile of the tenant asks for it, and holds for as long as a revision has it on record.
	// +optional
	GrantedTime *metav1.Time `json:"grantedTime,omitempty"`
	// Signature by which the image is trusted, where the plan of the tenant asks for one.
	// +optional
	Signature *ImageSignature `json:"signature,omitempty"`
}

// ImageSignature is a signature that was accepted.
type ImageSignature struct {
	// Rule is the name of the entry in images.signatures of the plan that asked for it.
	Rule DNSLabel `json:"rule"`
	// Key that made it: sha256: and the digest of the public key in DER.
	// +kubebuilder:validation:MaxLength=128
	Key string `json:"key"`
	// Digest that was signed.
	// +kubebuilder:validation:MaxLength=128
	Digest string `json:"digest"`
	// VerifiedTime is when it was accepted.
	VerifiedTime metav1.Time `json:"verifiedTime"`
}
