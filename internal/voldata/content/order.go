package content

import (
	"archive/tar"
	"strings"
)

// order holds names against the order of a walk. It remembers the directories that are open, and in each the last name.
type order struct {
	open []level
}

type level struct{ name, last string }

// take admits the next entry, or says why it is not where it belongs.
func (o *order) take(e *entry) error {
	if e.path == "" {
		if len(o.open) > 0 {
			return e.refuse("the volume itself comes twice")
		}
		o.open = []level{{}}

		return nil
	}
	if len(o.open) == 0 {
		return e.refuse("the volume itself must come first")
	}

	parts := strings.Split(e.path, "/")
	dirs, name := parts[:len(parts)-1], parts[len(parts)-1]
	if len(dirs) >= len(o.open) {
		return e.refuse("its directory is not right before it")
	}
	for i, dir := range dirs {
		if o.open[i+1].name != dir {
			return e.refuse("its directory is not right before it")
		}
	}

	o.open = o.open[:len(dirs)+1]
	at := &o.open[len(dirs)]
	if at.last >= name {
		return e.refuse("it comes after %s, against the order of names", printable(at.last))
	}
	at.last = name

	if e.kind == tar.TypeLink && compare(e.link, e.path) >= 0 {
		return e.refuse("it is a hard link to %s, which does not come before it", printable(e.link))
	}
	if e.kind == tar.TypeDir {
		o.open = append(o.open, level{name: name})
	}

	return nil
}

// compare orders paths as a walk does: part by part.
func compare(a, b string) int {
	// A slash separates before any byte of a name counts, and no name holds a zero byte.
	return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
}
