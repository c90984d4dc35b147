package swarmobj

import (
	"crypto/sha256"
	"encoding/hex"
)

// Swarm's own limits on names, in characters.
const (
	maxServiceName = 63
	maxSecretName  = 64
)

// ServiceName is the name of the service of an object. Namespaces and names hold no underscore, so it is unambiguous.
func ServiceName(namespace, name string) string {
	return fit(namespace+"_"+name, maxServiceName)
}

// NetworkName is the name of the network that all containers of a namespace share.
func NetworkName(namespace string) string {
	return fit(namespace+"_default", maxServiceName)
}

// VolumeName is the name of the volume of a Volume, on every engine. Part of it is made from the UID, so that a Volume that is
// made anew never finds the data of one that had its name before.
func VolumeName(o Owner) string {
	sum := sha256.Sum256([]byte(o.UID))
	suffix := "_" + hex.EncodeToString(sum[:])[:12]

	return fit(o.Tenant+"_"+o.Name, maxServiceName-len(suffix)) + suffix
}

// fit cuts a name that is too long and appends a hash of the whole, so that two long names never meet.
func fit(name string, limit int) string {
	if len(name) <= limit {
		return name
	}

	sum := sha256.Sum256([]byte(name))

	return name[:limit-11] + "-" + hex.EncodeToString(sum[:])[:10]
}
