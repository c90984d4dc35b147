package servicespec

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/docker/docker/api/types/swarm"
)

// Diff lists what must change in the live spec for it to be the wanted one. It is empty when a write would change
// nothing that means anything to Swarm. The declared state is exact: what somebody added by hand, a label too, is a
// difference.
//
// A live ForceUpdate greater than the wanted one is none: somebody restarted the tasks by hand, and taking the number
// back would restart them again.
func Diff(live, want swarm.ServiceSpec) Changes {
	live, want = Normalise(live), Normalise(want)
	want.TaskTemplate.ForceUpdate = max(want.TaskTemplate.ForceUpdate, live.TaskTemplate.ForceUpdate)
	if reflect.DeepEqual(live, want) {
		return nil
	}

	from, to := fieldsOf(live), fieldsOf(want)
	union := maps.Clone(from)
	maps.Copy(union, to)

	var changes Changes
	for path := range union {
		x, before := from[path]
		y, after := to[path]
		if before == after && x == y {
			continue
		}
		changes = append(changes, newChange(path, x, y, before, after))
	}
	if len(changes) == 0 {
		// Whatever differs has no words yet. It must not go unnoticed.
		changes = append(changes, Change{Field: "spec", Impact: ImpactTemplate, verb: "(changed)"})
	}
	slices.SortFunc(changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(y.Impact, x.Impact), cmp.Compare(rank(x), rank(y)), cmp.Compare(x.Field, y.Field))
	})

	return changes
}

// SpecHash identifies what a spec asks of Swarm. It takes no account of what Normalise takes none of.
func SpecHash(spec swarm.ServiceSpec) string {
	raw, err := json.Marshal(Normalise(spec))
	if err != nil {
		panic(fmt.Sprintf("encode service spec: %v", err)) // Docker's type has nothing that does not encode.
	}
	sum := sha256.Sum256(raw)

	return hex.EncodeToString(sum[:8])
}

// rank puts what people ask for first.
func rank(c Change) int {
	if c.Field == "image" {
		return 0
	}

	return 1
}
