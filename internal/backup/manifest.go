package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// Format is the version of the format that this version writes. It reads no later one.
const Format = 1

// Names in a backup.
const (
	manifestName = "manifest.json"
	snapshotName = "etcd.snapshot"
	identityName = "identity.json"
)

// folders of the data directory that are backed up, with all files in them.
var folders = []string{"pki", "secrets"}

// maxKeyFile is how large a file other than the snapshot may be.
const maxKeyFile = 1 << 20

// Manifest is the last file in a backup, and says what must have come before.
type Manifest struct {
	Format int `json:"format"`
	// Cluster identifies the installation.
	Cluster string `json:"cluster"`
	// Dogker is the version that made the backup.
	Dogker string `json:"dogker,omitempty"`
	// Time is when the store was asked for its snapshot.
	Time time.Time `json:"time"`
	// Files are all others in the backup, in their order.
	Files []File `json:"files"`
}

// File is one file of a backup.
type File struct {
	// Name relative to the data directory, or that of the snapshot.
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// known refuses names that no backup has: whatever writes them, they would end up in a place of its choice.
func known(name string) error {
	dir, file := path.Split(name)
	plain := file != "" && file == path.Base(name) && !strings.HasPrefix(file, ".") && !strings.ContainsAny(file, "\\\x00")

	switch {
	case !plain:
	case dir == "" && slices.Contains([]string{snapshotName, identityName, manifestName}, file):
		return nil
	case slices.Contains(folders, strings.TrimSuffix(dir, "/")):
		return nil
	}

	return fmt.Errorf("it has a file %q, which is in no backup", name)
}

// writeManifest keeps the manifest beside what was unpacked, for a restore that goes on later.
func writeManifest(dir string, m Manifest) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}

	return datadir.WriteFile(filepath.Join(dir, manifestName), raw)
}

func readManifest(dir string) (Manifest, error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}

	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}

	return m, nil
}

// check holds what was read against what the manifest says.
func (m Manifest) check(read []File) error {
	if m.Format < 1 || m.Format > Format {
		return fmt.Errorf("it has format %d, and this version of dogker reads format %d: use the version that made it", m.Format, Format)
	}
	if !slices.Equal(m.Files, read) {
		return errors.New("its files are not those that its manifest names")
	}
	for _, name := range []string{snapshotName, identityName} {
		if !slices.ContainsFunc(read, func(f File) bool { return f.Name == name }) {
			return fmt.Errorf("it has no %s", name)
		}
	}
	if m.Cluster == "" {
		return errors.New("its manifest names no cluster")
	}

	return nil
}
