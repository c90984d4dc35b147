package book

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Checkpoint stands for entries that were exported to a file and pruned. It is tied into the chain by an entry that has
// its hash.
type Checkpoint struct {
	Tenant string `json:"tenant"`
	// Head is what all entries up to its Seq amount to; of the rest of a head it has nothing.
	Head Head `json:"head"`
	// Period of the last Usage entry among them. Records up to there are in the file, too.
	Period Period `json:"period"`
	// File, its SHA-256 and how many bytes and entries it has.
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Entries int64  `json:"entries"`
	// Previous is the SHA-256 of the file before, empty for the first.
	Previous string `json:"previous,omitempty"`
}

// Encode writes the checkpoint as it is stored.
func (c Checkpoint) Encode() []byte {
	data, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("a checkpoint is made of strings and integers and cannot fail to encode: %v", err))
	}

	return data
}

// DecodeCheckpoint reads a checkpoint.
func DecodeCheckpoint(data []byte) (Checkpoint, error) {
	var c Checkpoint
	if err := decode(data, &c); err != nil {
		return Checkpoint{}, fmt.Errorf("decode checkpoint: %w", err)
	}
	if !bytes.Equal(c.Encode(), data) {
		return Checkpoint{}, fmt.Errorf("decode checkpoint: it is not written as this program writes it: %w", ErrBroken)
	}

	return c, nil
}

// Digest is what the Checkpoint entry says of the checkpoint.
func (c Checkpoint) Digest() string { return hashOf("checkpoint", c) }

// Archive puts a checkpoint in the place of the entries it stands for. Only a leader may.
type Archive struct {
	Checkpoint Checkpoint
}

// Key implements Op.
func (a Archive) Key() string { return fmt.Sprintf("checkpoint:%d", a.Checkpoint.Head.Seq) }

func (Archive) fenced() bool { return true }

func (a Archive) validate() error {
	c := a.Checkpoint
	if c.Head.Seq < 1 || c.Entries < 1 || len(c.SHA256) != 64 {
		return invalid("checkpoint", fmt.Sprintf("%+v", c), "must be of at least one entry, with the hash of the file")
	}

	return checkText("checkpoint.file", c.File, maxReasonBytes, true)
}

func (a Archive) apply(d *draft) error {
	h, c := d.State.Head, a.Checkpoint
	if c.Tenant != h.Tenant || c.Head.Tenant != h.Tenant || c.Head.Seq > h.Seq {
		return invalid("checkpoint", fmt.Sprintf("entry %d of %q", c.Head.Seq, c.Tenant), fmt.Sprintf("must be at most entry %d of %q", h.Seq, h.Tenant))
	}
	d.checkpoint = &c

	return d.append(Entry{Type: TypeCheckpoint, Key: a.Key(), Record: c.Digest()})
}
