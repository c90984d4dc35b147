package gitsync

import (
	"fmt"
	"strings"
)

// Revision is a commit and the name by which it was found, as Flux writes it: main@sha1:<hash>, or sha1:<hash> where no name
// led to it.
type Revision struct {
	// Name of the branch or tag; empty for none.
	Name string
	// Algorithm of the hash: sha1, sha256.
	Algorithm string
	Hash      string
}

// shortHash is as many digits of a hash as people read.
const shortHash = 8

// ParseRevision reads what a build calls its revision.
func ParseRevision(s string) (Revision, error) {
	name, sum := "", s
	// A branch may have an @; a hash has none.
	if at := strings.LastIndex(s, "@"); at >= 0 {
		name, sum = s[:at], s[at+1:]
		if name == "" {
			return Revision{}, fmt.Errorf("revision %q must not begin with @", s)
		}
	}

	algorithm, hash, ok := strings.Cut(sum, ":")
	if !ok || algorithm == "" || !hexadecimal(hash) {
		return Revision{}, fmt.Errorf("revision %q must be NAME@ALGORITHM:HASH or ALGORITHM:HASH", s)
	}

	return Revision{Name: name, Algorithm: algorithm, Hash: hash}, nil
}

func hexadecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

// String is the whole revision.
func (r Revision) String() string { return r.text(r.Hash) }

// Short is the revision with as much of its hash as people read: main@sha1:1f2e3d4c.
func (r Revision) Short() string { return r.text(r.Hash[:min(len(r.Hash), shortHash)]) }

func (r Revision) text(hash string) string {
	text := r.Algorithm + ":" + hash
	if r.Name != "" {
		text = r.Name + "@" + text
	}

	return text
}
