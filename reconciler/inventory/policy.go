package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// Prefixes of labels and annotations by which objects say how they are synced. Where both speak, ours counts.
const (
	Prefix     = "gitops.dogker.io/"
	FluxPrefix = "kustomize.toolkit.fluxcd.io/"
)

// Names of labels and annotations, after the prefix.
const (
	// KeyPrune is Disabled on what stays when the repository has it no more.
	KeyPrune = "prune"
	// KeyReconcile is Disabled on what is left alone, whatever the repository says.
	KeyReconcile = "reconcile"
	// KeyForce is Enabled on what may be made anew when it cannot be changed.
	KeyForce = "force"
	// KeySSA has a Mode.
	KeySSA = "ssa"
	// KeyName and KeyNamespace name the sync that an object belongs to. They are labels, and never read from a repository.
	KeyName      = "name"
	KeyNamespace = "namespace"
)

// Mode says how what the repository has and what the API has become one.
type Mode string

// The modes, as Flux has them.
const (
	// ModeOverride puts back what the repository declares, and takes away what people have added with kubectl. It is what
	// holds where an object says nothing.
	ModeOverride Mode = "Override"
	// ModeMerge puts back what the repository declares, and leaves all that it does not mention.
	ModeMerge Mode = "Merge"
	// ModeIfNotPresent creates, and never changes.
	ModeIfNotPresent Mode = "IfNotPresent"
	// ModeIgnore does nothing at all.
	ModeIgnore Mode = "Ignore"
)

var modes = []Mode{ModeOverride, ModeMerge, ModeIfNotPresent, ModeIgnore}

// IgnorableRule says what Ignorable accepts.
const IgnorableRule = "a JSON pointer to a field that does not say which object it is, such as /spec/replicas"

// Ignorable is whether the field at a JSON pointer can be left to somebody else: any but those by which an object is known.
func Ignorable(pointer string) bool {
	if !strings.HasPrefix(pointer, "/") || pointer == "/" {
		return false
	}

	return !slices.ContainsFunc([]string{"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"}, func(identity string) bool {
		// What such a field is in cannot go without it.
		return strings.HasPrefix(pointer+"/", identity+"/") || strings.HasPrefix(identity, pointer+"/")
	})
}

// Policy is how one object wants to be synced.
type Policy struct {
	Mode Mode
	// KeepForever means that pruning leaves it.
	KeepForever bool
	// Force means that it may be deleted and created again when a change needs that.
	Force bool
}

// Skip is whether the object is left alone.
func (p Policy) Skip() bool { return p.Mode == ModeIgnore }

// PolicyOf reads what an object says about itself. An error names the key, its value, and what is allowed; the Policy is the
// more careful reading then.
func PolicyOf(labels, annotations map[string]string) (Policy, error) {
	r := reader{labels: labels, annotations: annotations}
	p := Policy{Mode: ModeOverride}

	if s, key := r.get(KeySSA); key != "" {
		if at := slices.IndexFunc(modes, func(m Mode) bool { return strings.EqualFold(string(m), s) }); at >= 0 {
			p.Mode = modes[at]
		} else {
			p.Mode = ModeIgnore
			r.refuse(key, s, "Override, Merge, IfNotPresent or Ignore")
		}
	}

	if r.is(KeyReconcile, "disabled", "enabled") {
		p.Mode = ModeIgnore
	}

	p.KeepForever = r.is(KeyPrune, "disabled", "enabled")
	p.Force = r.is(KeyForce, "enabled", "disabled")

	return p, r.err
}

// reader finds keys under either prefix, in annotations and labels.
type reader struct {
	labels, annotations map[string]string
	err                 error
}

// get is the value of a key, and where it was found; empty for a key that is not there.
func (r *reader) get(name string) (value, path string) {
	for _, prefix := range []string{Prefix, FluxPrefix} {
		if v, ok := r.annotations[prefix+name]; ok {
			return v, "metadata.annotations[" + prefix + name + "]"
		}

		if v, ok := r.labels[prefix+name]; ok {
			return v, "metadata.labels[" + prefix + name + "]"
		}
	}

	return "", ""
}

// is tells whether a switch stands at its unusual end.
func (r *reader) is(name, unusual, usual string) bool {
	value, path := r.get(name)

	switch {
	case path == "", strings.EqualFold(value, usual):
		return false
	case strings.EqualFold(value, unusual):
		return true
	}

	r.refuse(path, value, unusual+" or "+usual)

	// What is not understood must not take more away than what is.
	return unusual == "disabled"
}

func (r *reader) refuse(path, value, allowed string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: Invalid value: %q: must be %s", path, value, allowed)
	}
}
