// Package manifests is what an operator applies: the CRDs that are generated from api/ and carried in the binary,
// samples, and install files.
package manifests

import "embed"

// CRDs holds the generated CustomResourceDefinitions, one file each below crds/.
//
//go:embed crds/*.yaml
var CRDs embed.FS
