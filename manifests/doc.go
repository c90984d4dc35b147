// Package manifests is what an operator applies: the CRDs that are generated from api/, the roles for their kinds,
// who has them, how the API is shared out, samples, and install files. All but the last two are carried in the binary, and
// a server applies them when it starts.
package manifests

import "embed"

// CRDs holds the generated CustomResourceDefinitions, one file each below crds/.
//
//go:embed crds/*.yaml
var CRDs embed.FS

// Roles holds the ClusterRoles for our kinds, below roles/.
//
//go:embed roles/*.yaml
var Roles embed.FS

// Bindings holds the ClusterRoleBindings for roles that everybody has, below bindings/.
//
//go:embed bindings/*.yaml
var Bindings embed.FS

// PriorityLevels holds the PriorityLevelConfigurations of the API's priority and fairness.
//
//go:embed fairness/levels.yaml
var PriorityLevels embed.FS

// FlowSchemas says who has which of the PriorityLevels.
//
//go:embed fairness/flows.yaml
var FlowSchemas embed.FS
