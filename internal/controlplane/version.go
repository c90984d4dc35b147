package controlplane

import (
	"runtime/debug"
	"strings"
	_ "unsafe" // for go:linkname

	"k8s.io/component-base/version"
)

// fallbackVersion is used where the binary does not know what it was built from.
const fallbackVersion = "v1.36.3"

// Kubernetes' libraries expect the linker to set these. Clients parse what they say, so a binary that was built without
// the linker's flags (go run, go test) must say something true as well.
//
//go:linkname componentVersion k8s.io/component-base/version.gitVersion
var componentVersion string

//go:linkname clientVersion k8s.io/client-go/pkg/version.gitVersion
var clientVersion string

func init() {
	const unset = "v0.0.0-master"
	if strings.HasPrefix(clientVersion, unset) {
		clientVersion = builtVersion()
	}
	if !strings.HasPrefix(componentVersion, unset) {
		return
	}

	componentVersion = builtVersion()
	if err := version.SetDynamicVersion(componentVersion); err != nil {
		panic("set version of Kubernetes libraries: " + err.Error())
	}
}

// builtVersion is the version of k8s.io/kubernetes in this binary.
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fallbackVersion
	}
	for _, m := range info.Deps {
		if m.Path == "k8s.io/kubernetes" {
			return m.Version
		}
	}

	return fallbackVersion
}

// KubernetesVersion is the version of the API that this binary serves.
func KubernetesVersion() string { return version.Get().GitVersion }
