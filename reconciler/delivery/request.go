package delivery

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// Request says what a namespace is to be.
type Request struct {
	// Sync names whose objects these are. They carry it in two labels.
	Sync types.NamespacedName
	// ServiceAccount of the sync's namespace that everything is done as.
	ServiceAccount string
	// Objects as they were built.
	Objects []source.Object
	// Recorded is the inventory of the visit before.
	Recorded []inventory.Entry
	// Prune deletes what is recorded and not built. AllowEmpty lets it delete everything.
	Prune, AllowEmpty bool
	// Force makes anew what cannot be changed, for all objects. One object asks for it by its annotation.
	Force bool
	// Ignore names fields that somebody else decides about, once the object is there.
	Ignore []IgnoreRule
	// AnyNamespace lets objects be outside of the sync's namespace, and in none. It is for the platform's own syncs; what the
	// ServiceAccount may do bounds them then.
	AnyNamespace bool
}

// IgnoreRule names fields of some objects.
type IgnoreRule struct {
	// Kind and Name of the objects; empty for all.
	Kind, Name string
	// Paths are JSON pointers, such as /spec/replicas.
	Paths []string
}

// Validate refuses what the caller should have refused.
func (r Request) Validate() error {
	for field, value := range map[string]string{"metadata.namespace": r.Sync.Namespace, "metadata.name": r.Sync.Name} {
		// They are values of labels.
		if errs := validation.IsDNS1123Label(value); len(errs) > 0 {
			return fmt.Errorf("%s: Invalid value: %q: %s", field, value, strings.Join(errs, "; "))
		}
	}

	for i, rule := range r.Ignore {
		for j, path := range rule.Paths {
			if !inventory.Ignorable(path) {
				return fmt.Errorf("spec.ignoreFields[%d].paths[%d]: Invalid value: %q: must be %s", i, j, path, inventory.IgnorableRule)
			}
		}
	}

	return nil
}
