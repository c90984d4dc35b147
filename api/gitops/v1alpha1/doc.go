// Package v1alpha1 is the contract of the group gitops.dogker.io: what is kept applied from Git.
//
//	Git repository ──► GitSync ──► the objects of a namespace
//
// Fields, condition types, reasons and annotations have Flux' names where Flux has the thing. Nothing of a status but the
// inventory is asked for again: the rest can be deleted at any time, and the next pass restores it.
//
// It imports apimachinery, the group dogker.io and the standard library, nothing else.
//
// +kubebuilder:object:generate=true
// +groupName=gitops.dogker.io
package v1alpha1
