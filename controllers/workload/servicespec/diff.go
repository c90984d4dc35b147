package servicespec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Diff lists what must change in the live spec for it to be the wanted one. It is empty when a write would change
// nothing that means anything to Swarm. The declared state is exact: what somebody added by hand, a label too, is a
// difference.
//
// A live ForceUpdate greater than the wanted one is none: somebody restarted the tasks by hand, and taking the number
// back would restart them again.
func Diff(live, want swarm.ServiceSpec) Changes {
	want.TaskTemplate.ForceUpdate = max(want.TaskTemplate.ForceUpdate, live.TaskTemplate.ForceUpdate)
	if alike(live, want) {
		return nil
	}

	live, want = Normalise(live), Normalise(want)
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

// alike is true for two specs that Normalise would make the same, when that can be seen without copying them: the one
// is what was sent, the other the engine's answer, and nobody has changed anything. A resync asks for every service.
func alike(live, want swarm.ServiceSpec) bool {
	x, y := live.TaskTemplate.ContainerSpec, want.TaskTemplate.ContainerSpec
	if x == nil || y == nil || !sameLabels(live.Labels, want.Labels) {
		return false
	}

	cx, cy := *x, *y
	if cx.Isolation.IsDefault() && cy.Isolation.IsDefault() {
		cx.Isolation, cy.Isolation = "", ""
	}
	live.Labels, want.Labels = nil, nil
	live.TaskTemplate.ContainerSpec, want.TaskTemplate.ContainerSpec = &cx, &cy

	return same(reflect.ValueOf(live), reflect.ValueOf(want))
}

// same is true for values that are deeply equal, where nothing and an empty list or map are one. There are no cycles.
func same(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.Pointer:
		if x.IsNil() || y.IsNil() {
			return x.IsNil() == y.IsNil()
		}

		return x.Pointer() == y.Pointer() || same(x.Elem(), y.Elem())
	case reflect.Struct:
		for i := range x.NumField() {
			if !same(x.Field(i), y.Field(i)) {
				return false
			}
		}

		return true
	case reflect.Slice:
		for i := 0; i < x.Len() && x.Len() == y.Len(); i++ {
			if !same(x.Index(i), y.Index(i)) {
				return false
			}
		}

		return x.Len() == y.Len()
	case reflect.Map:
		for key, value := range x.Seq2() {
			if other := y.MapIndex(key); !other.IsValid() || !same(value, other) {
				return false
			}
		}

		return x.Len() == y.Len()
	default:
		return x.Equal(y)
	}
}

// sameLabels compares labels without our bookkeeping.
func sameLabels(x, y map[string]string) bool {
	return isSubset(x, y) && isSubset(y, x)
}

func isSubset(x, y map[string]string) bool {
	for key, value := range x {
		if other, ok := y[key]; !isBookkeeping(key) && (!ok || other != value) {
			return false
		}
	}

	return true
}

// isBookkeeping is true for labels that are written along with a change and never are one.
func isBookkeeping(label string) bool {
	return label == v1alpha1.SwarmLabelGeneration || label == v1alpha1.SwarmLabelSpecHash
}

// rank puts what people ask for first.
func rank(c Change) int {
	if c.Field == "image" {
		return 0
	}

	return 1
}
