// Package bootstrap makes sure that a cluster holds what every cluster of Dogker holds: the kinds (CRDs), the roles that
// say who may use them, the namespace of Dogker's own objects, and how the API is shared out among tenants. When
// a cluster is started for the first time it also gets the VolumeClass local, which is the operator's from then on.
//
// Invariants: what is already as it should be is not written, so a restart moves no resourceVersion and makes the API
// server recompile no schema; what somebody changed by hand is put back; Ensure returns only when a client can use the
// kinds without meeting "not found" or waiting for the first of their kind.
//
// Caller: internal/controlplane, at every start.
package bootstrap
