package agents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/swarm"
)

// hashOf a spec tells whether another version of Dogker, or other flags, would have made another one: it sees what is no
// longer wanted, where differences sees only what is.
func hashOf(spec swarm.ServiceSpec) string {
	sum := sha256.Sum256(encode(spec))

	return hex.EncodeToString(sum[:])[:16]
}

// differences lists what is wanted and not so. The engine fills in what was not said, each version something else, so only
// what is said is compared. Networks are named by ID once they have been stored.
func differences(want, have swarm.ServiceSpec) []string {
	want.TaskTemplate.ForceUpdate = have.TaskTemplate.ForceUpdate

	var diff []string
	compare("", decode(want), decode(have), &diff)

	return diff
}

// unnamed are paths whose values the engine replaces.
var unnamed = map[string]bool{".TaskTemplate.Networks[0].Target": true}

func compare(path string, want, have any, diff *[]string) {
	if unnamed[path] || want == nil {
		return
	}

	switch want := want.(type) {
	case map[string]any:
		have, _ := have.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			compare(path+"."+key, want[key], have[key], diff)
		}
	case []any:
		have, _ := have.([]any)
		if len(have) != len(want) {
			*diff = append(*diff, fmt.Sprintf("%s has %d entries, want %d", path[1:], len(have), len(want)))
			return
		}
		for i := range want {
			compare(fmt.Sprintf("%s[%d]", path, i), want[i], have[i], diff)
		}
	default:
		if want != have {
			*diff = append(*diff, fmt.Sprintf("%s is %v, want %v", path[1:], have, want))
		}
	}
}

func encode(spec swarm.ServiceSpec) []byte {
	data, err := json.Marshal(spec)
	if err != nil {
		panic(err) // It is made of strings and numbers.
	}

	return data
}

// decode is a spec as nested maps. Numbers stay what they were, up to 2^53, which is more than any in it.
func decode(spec swarm.ServiceSpec) any {
	var tree any
	if err := json.Unmarshal(encode(spec), &tree); err != nil {
		panic(err)
	}

	return tree
}
