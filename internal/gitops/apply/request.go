package apply

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// FieldManager is who owns what is applied.
const FieldManager = "dogker-gitsync"

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

// validate refuses what the caller should have refused.
func (r Request) validate() error {
	for field, value := range map[string]string{"metadata.namespace": r.Sync.Namespace, "metadata.name": r.Sync.Name} {
		// They are values of labels.
		if errs := validation.IsDNS1123Label(value); len(errs) > 0 {
			return fmt.Errorf("%s: Invalid value: %q: %s", field, value, strings.Join(errs, "; "))
		}
	}

	for i, rule := range r.Ignore {
		for j, path := range rule.Paths {
			if !strings.HasPrefix(path, "/") || path == "/" || strings.HasPrefix(path+"/", "/metadata/name/") ||
				strings.HasPrefix(path+"/", "/apiVersion/") || strings.HasPrefix(path+"/", "/kind/") {
				return fmt.Errorf("spec.ignore[%d].paths[%d]: Invalid value: %q: must be a JSON pointer to a field other than the name, such as /spec/replicas", i, j, path)
			}
		}
	}

	return nil
}

// Options are the same for all requests.
type Options struct {
	// Concurrency is how many requests of one visit are under way at most. 0 is 8.
	Concurrency int
	// Recheck is after how long an object is asked about that nobody seems to have touched. 0 is an hour.
	Recheck time.Duration
	// Poll is how often it is looked at whether objects are Ready, or gone. 0 is a second.
	Poll time.Duration
}

func (o Options) orDefault() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}

	if o.Recheck <= 0 {
		o.Recheck = time.Hour
	}

	if o.Poll <= 0 {
		o.Poll = time.Second
	}

	return o
}
