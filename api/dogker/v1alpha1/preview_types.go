package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PreviewRules let tenants with a plan have previews: tenants beside their own that follow branches or pull requests of a
// repository and go with them. What all previews of a tenant may use together is max times the quota of their plan.
type PreviewRules struct {
	// PlanName names the Plan that previews have, with their quota, their security profile and their prices. Previews have
	// no previews, whatever it says.
	PlanName DNSLabel `json:"planName"`
	// Max is how many previews a tenant may have at a time, of all its GitPreviews together.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Max int32 `json:"max"`
	// MaxTTL is how long a preview lasts after its last commit at most: 1m to 2160h.
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('2160h')",message="must be from 1m to 2160h",messageExpression="'\"' + self + '\" must be from 1m to 2160h'"
	// +optional
	MaxTTL metav1.Duration `json:"maxTTL,omitzero"`
	// PortRange holds ports on the nodes of which every preview gets one of its own, as its spec.portRange and as the
	// variable PREVIEW_PORT. Without one, previews have no ports of their own.
	// +optional
	PortRange *PortRange `json:"portRange,omitempty"`
}
