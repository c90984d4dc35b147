// Package v1alpha1 is the contract of the group dogker.io: what tenants and platform teams write, and what Dogker
// answers. It holds types, markers and names only; behaviour lives in controllers/.
//
// Spec is what the user asked for and only the user writes it. Status is what Dogker last saw; it can be deleted at any
// time and the next pass restores it. Validation stands in the markers (schema and CEL), so that kubectl explain,
// --dry-run=server and every client see the same rules.
//
// It imports apimachinery and the standard library, nothing else.
//
// +kubebuilder:object:generate=true
// +groupName=dogker.io
package v1alpha1
