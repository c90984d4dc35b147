package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/uuid"
)

// Identity is who a server is.
type Identity struct {
	// Server is made on the first start and stays for the life of the directory. Whoever holds the directory's lock is
	// the only living bearer of it.
	Server string `json:"server"`
	// Cluster is the cluster whose data this server has served; empty before the first start has finished.
	Cluster string `json:"cluster,omitempty"`
}

// Identity reads who this server is, and makes it up on the first start.
func (d Dir) Identity() (Identity, error) {
	raw, err := os.ReadFile(d.identity())
	if errors.Is(err, fs.ErrNotExist) {
		id := Identity{Server: uuid.NewString()}
		return id, d.SetIdentity(id)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("read identity of server: %w", err)
	}

	var id Identity
	if err := json.Unmarshal(raw, &id); err != nil {
		return Identity{}, fmt.Errorf("read identity of server from %q: %w", d.identity(), err)
	}
	if id.Server == "" {
		return Identity{}, fmt.Errorf("read identity of server from %q: the field server is empty", d.identity())
	}

	return id, nil
}

// SetIdentity writes who this server is.
func (d Dir) SetIdentity(id Identity) error {
	raw, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity of server: %w", err)
	}

	return WriteFile(d.identity(), append(raw, '\n'))
}
