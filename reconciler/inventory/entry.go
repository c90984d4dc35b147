package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ID is what an object is known by, over all its versions.
type ID struct {
	// Namespace is empty for what belongs to the whole cluster.
	Namespace string
	Name      string
	// Group is empty for Kubernetes' core.
	Group string
	Kind  string
}

const (
	separator = "_"
	// colon is how a colon is written, which names of roles may have and which cannot stand in an ID.
	colon = "__"
)

// String is the ID as it is recorded: NAMESPACE_NAME_GROUP_KIND.
func (i ID) String() string {
	return strings.Join([]string{i.Namespace, strings.ReplaceAll(i.Name, ":", colon), i.Group, i.Kind}, separator)
}

// Subject is the ID as people write it: TenantContainer/web, Role.rbac.authorization.k8s.io/reader.
func (i ID) Subject() string {
	kind := i.Kind
	// Ours are the rule in a repository; their group would only be in the way.
	if i.Group != "" && i.Group != "dogker.io" {
		kind += "." + i.Group
	}

	return kind + "/" + i.Name
}

// Compare orders IDs by namespace, group, kind and name.
func (i ID) Compare(other ID) int {
	return cmp.Or(
		cmp.Compare(i.Namespace, other.Namespace), cmp.Compare(i.Group, other.Group),
		cmp.Compare(i.Kind, other.Kind), cmp.Compare(i.Name, other.Name),
	)
}

// Validate refuses an ID that would be read back as another one.
func (i ID) Validate() error {
	switch {
	case i.Name == "":
		return fmt.Errorf("ID of a %q: the name must not be empty", i.Kind)
	case i.Kind == "":
		return fmt.Errorf("ID of %q: the kind must not be empty", i.Name)
	}

	// Names of some kinds may have an underscore, but two of them, or one at an end, are read as something else.
	if back, err := ParseID(i.String()); err != nil || back != i {
		return fmt.Errorf("ID of %s: %q has underscores or colons where an ID cannot have them", i.Kind, i.Subject())
	}

	return nil
}

// ParseID reads what String wrote. The name is what is left when the other three are taken off, because it alone may have
// an underscore.
func ParseID(s string) (ID, error) {
	malformed := fmt.Errorf("inventory ID %q must be NAMESPACE_NAME_GROUP_KIND", s)

	namespace, rest, ok := strings.Cut(s, separator)
	if !ok {
		return ID{}, malformed
	}

	at := strings.LastIndex(rest, separator)
	if at < 0 {
		return ID{}, malformed
	}

	rest, kind := rest[:at], rest[at+1:]

	at = strings.LastIndex(rest, separator)
	if at < 0 {
		return ID{}, malformed
	}

	name, group := rest[:at], rest[at+1:]
	if name == "" || kind == "" {
		return ID{}, malformed
	}

	return ID{Namespace: namespace, Name: strings.ReplaceAll(name, colon, ":"), Group: group, Kind: kind}, nil
}

// Entry is one object in a record, in the form of Flux' status.inventory.entries.
type Entry struct {
	// ID as ID.String has it.
	ID string `json:"id"`
	// Version of the API in which the object was applied.
	Version string `json:"v"`
	// Held is true for what would have been deleted if Decide had not taken the build for an accident.
	Held bool `json:"held,omitempty"`
}

// Object is an entry that has been read.
type Object struct {
	ID

	Version string
	Held    bool
}

// Entry is the object as it is recorded.
func (o Object) Entry() Entry { return Entry{ID: o.ID.String(), Version: o.Version, Held: o.Held} }

// Read makes objects of entries, sorted and each once. An entry that cannot be read is an error: guessing which object was
// meant could delete another one.
func Read(entries []Entry) ([]Object, error) {
	out := make([]Object, 0, len(entries))

	for i, e := range entries {
		id, err := ParseID(e.ID)
		if err != nil {
			return nil, fmt.Errorf("read inventory entry %d: %w", i, err)
		}

		out = append(out, Object{ID: id, Version: e.Version, Held: e.Held})
	}

	return normal(out), nil
}

// Write makes entries of objects, sorted and each once, so that the same objects are the same bytes.
func Write(objects []Object) []Entry {
	sorted := normal(slices.Clone(objects))
	out := make([]Entry, 0, len(sorted))

	for _, o := range sorted {
		out = append(out, o.Entry())
	}

	return out
}

// normal sorts in place, and keeps the first of those with the same ID.
func normal(objects []Object) []Object {
	slices.SortStableFunc(objects, func(a, b Object) int { return a.ID.Compare(b.ID) })

	return slices.CompactFunc(objects, func(a, b Object) bool { return a.ID == b.ID })
}
