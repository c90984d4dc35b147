// Package v1alpha1 is the contract of the group identity.dogker.io: the people that Dogker knows by itself, and the
// tokens that programs deploy with. It holds types, markers and names only; behaviour lives in internal/identity.
//
// Nothing secret is in these objects: passwords and tokens are kept as hashes, encrypted, where no API serves them.
//
// It imports apimachinery and the standard library, nothing else.
//
// +kubebuilder:object:generate=true
// +groupName=identity.dogker.io
package v1alpha1
