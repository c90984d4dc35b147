package servicespec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Adopt is want with what the tasks of live were made from in place of what ours would be, so that writing it replaces none
// of them. A label identifies what was kept.
func Adopt(want, live swarm.ServiceSpec) swarm.ServiceSpec {
	want.TaskTemplate, want.EndpointSpec = live.TaskTemplate, live.EndpointSpec
	want.Labels = maps.Clone(want.Labels)
	want.Labels[v1alpha1.SwarmLabelAdopted] = fingerprint(live)

	return want
}

// IsAdopted is true for a service that was adopted and whose tasks are still made from what they were made from then.
func IsAdopted(live swarm.ServiceSpec) bool {
	mark := live.Labels[v1alpha1.SwarmLabelAdopted]

	return mark != "" && mark == fingerprint(live)
}

// fingerprint identifies all that tasks are replaced for. A restart by hand, which counts ForceUpdate up, changes nothing
// about what runs.
func fingerprint(live swarm.ServiceSpec) string {
	parts := Normalise(swarm.ServiceSpec{TaskTemplate: live.TaskTemplate, EndpointSpec: live.EndpointSpec})
	parts.TaskTemplate.ForceUpdate = 0

	raw, err := json.Marshal(parts)
	if err != nil {
		panic(fmt.Sprintf("encode service spec: %v", err)) // It came out of JSON.
	}
	sum := sha256.Sum256(raw)

	return hex.EncodeToString(sum[:16])
}
