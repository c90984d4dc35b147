package servicespec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Swarm's own limits: contents must be smaller than that, and not empty. Engines before 25 take 500 KiB for a config
// too; there the engine refuses what lies between.
const (
	maxSecretBytes = 500 << 10
	maxConfigBytes = 1000 << 10
)

// defaultFileMode lets everybody in the container read.
const defaultFileMode = 0o444

// FileContent is one file with its content, before it lies in Swarm.
type FileContent struct {
	// Path in the container.
	Path string
	// Kind, Name and Key of what it came from.
	Kind Kind
	Name string
	Key  string
	// Data is the content.
	Data []byte
	// Mode, UID and GID of the file.
	Mode     uint32
	UID, GID int64
}

// Resolved is the file once its content lies in the Swarm object.
func (f FileContent) Resolved(swarmID, swarmName string) ResolvedFile {
	return ResolvedFile{
		Path: f.Path, Kind: f.Kind,
		SwarmID: swarmID, SwarmName: swarmName,
		Mode: f.Mode, UID: f.UID, GID: f.GID,
	}
}

// Files are the files of a template, sorted by path; optional ones that have no content are left out. The errors are
// MissingErrors and ContentErrors, joined.
func Files(t *v1alpha1.TenantContainerSpec, lookup Lookup) ([]FileContent, error) {
	r := &resolver{lookup: lookup}

	var files []FileContent
	for i := range t.Files {
		f := &t.Files[i]
		c, ok := r.key(fmt.Sprintf("spec.files[%s]", f.Path), f.SecretKeyRef, f.ConfigMapKeyRef)
		if !ok || !r.storable(c) {
			continue
		}

		file := RecordedFile(f)
		file.Data = c.data
		files = append(files, file)
	}

	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(x, y FileContent) int { return cmp.Compare(x.Path, y.Path) })

	return files, nil
}

// RecordedFile is a file of a template without its content, for templates whose content still lies in Swarm.
func RecordedFile(f *v1alpha1.File) FileContent {
	out := FileContent{
		Path: string(f.Path),
		Mode: uint32(orDefault(f.Mode, defaultFileMode)),
		UID:  orDefault(f.UID, 0),
		GID:  orDefault(f.GID, 0),
	}
	if ref := f.SecretKeyRef; ref != nil {
		out.Kind, out.Name, out.Key = KindSecret, string(ref.Name), string(ref.Key)
	} else if ref := f.ConfigMapKeyRef; ref != nil {
		out.Kind, out.Name, out.Key = KindConfigMap, string(ref.Name), string(ref.Key)
	}

	return out
}

// storable is true when Swarm can keep the content.
func (r *resolver) storable(c content) bool {
	limit := maxSecretBytes
	if c.kind == KindConfigMap {
		limit = maxConfigBytes
	}
	if len(c.data) > 0 && len(c.data) < limit {
		return true
	}

	problem := fmt.Sprintf("has %d bytes: Swarm keeps at least 1 and less than %d", len(c.data), limit)
	r.problems = append(r.problems, &ContentError{Field: c.field, Kind: c.kind, Name: c.name, Key: c.key, Problem: problem})

	return false
}
