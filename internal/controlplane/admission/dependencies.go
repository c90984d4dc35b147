package admission

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// maxWalk is how many objects one walk may visit. It bounds what a single write can cost.
const maxWalk = 500

var getOptions = metav1.GetOptions{}

// dependencies are the names in spec.dependsOn. What has another shape is refused by the schema.
func dependencies(u *unstructured.Unstructured) []string {
	entries, _, _ := unstructured.NestedSlice(u.Object, "spec", "dependsOn")

	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if m, ok := e.(map[string]any); ok {
			if name, ok := m["name"].(string); ok {
				names = append(names, name)
			}
		}
	}

	return names
}

// newDependencies says whether there is anything to walk that was not walked before. old is nil on create.
func newDependencies(now, old *unstructured.Unstructured) bool {
	names := dependencies(now)

	return len(names) > 0 && (old == nil || !slices.Equal(names, dependencies(old)))
}

// cycleOf is the shortest way from an object along dependsOn back to it, among those of its kind and namespace; nil for none.
func cycleOf(ctx context.Context, others dynamic.ResourceInterface, now *unstructured.Unstructured) ([]string, error) {
	return findCycle(now.GetName(), dependencies(now), func(name string) ([]string, error) {
		other, err := others.Get(ctx, name, getOptions)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s %q: %w", now.GetKind(), name, err)
		}

		return dependencies(other), nil
	})
}

// findCycle walks from the object along dependsOn, breadth first, and returns the shortest way back to it, or nil.
// lookUp returns the dependencies of an object, none for one that does not exist. Two writes at the same moment can still
// close a cycle between them; the controller of the kind reports that one.
func findCycle(start string, direct []string, lookUp func(name string) ([]string, error)) ([]string, error) {
	cameFrom := map[string]string{}
	var queue []string
	visit := func(from string, names []string) bool {
		for _, n := range names {
			if n == start {
				cameFrom[start] = from
				return true
			}
			if _, seen := cameFrom[n]; !seen {
				cameFrom[n] = from
				queue = append(queue, n)
			}
		}
		return false
	}

	for found := visit(start, direct); ; {
		if found {
			return trace(start, cameFrom), nil
		}
		if len(queue) == 0 {
			return nil, nil
		}
		if len(cameFrom) > maxWalk {
			return nil, fmt.Errorf("follow spec.dependsOn of %q: more than %d objects", start, maxWalk)
		}

		next := queue[0]
		queue = queue[1:]
		names, err := lookUp(next)
		if err != nil {
			return nil, err
		}
		found = visit(next, names)
	}
}

// trace walks back from the end of a cycle to its beginning.
func trace(start string, cameFrom map[string]string) []string {
	path := []string{start}
	for at := cameFrom[start]; at != start; at = cameFrom[at] {
		path = append(path, at)
	}
	path = append(path, start)
	slices.Reverse(path)

	return path
}

func arrows(path []string) string { return strings.Join(path, " → ") }
