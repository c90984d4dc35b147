// Package v1alpha1 is the contract of the group monitoring.dogker.io: what is watched, and who is told.
//
//	TenantContainer, GitSync, … ──► Alert ──► Receiver ──► mail, webhooks
//
// Words are those of Prometheus and Alertmanager where these have the thing. Status of an Alert is more than a mirror: it is
// what an Alert remembers of incidents, so that a server that begins anew tells nothing twice. Who deletes it has what goes on
// told once more, and nothing else.
//
// It imports apimachinery, the group dogker.io and the standard library, nothing else.
//
// +kubebuilder:object:generate=true
// +groupName=monitoring.dogker.io
package v1alpha1
