package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// Built is what a request came to.
type Built struct {
	// Revision names the commit the way Flux does: main@sha1:<hash>, v1.2.0@sha1:<hash>, sha1:<hash> for a commit that was
	// asked for without a branch.
	Revision string `json:"revision"`
	// Commit is the one that was built. When Unchanged is true only its hash is known.
	Commit Commit `json:"commit"`
	// Unchanged is true when the reference still leads to Request.Known. There are no objects then, and no digest.
	Unchanged bool `json:"unchanged,omitempty"`
	// Verified is true when signatures were demanded and are good; Signer is the key of the one that was checked last.
	Verified bool   `json:"verified,omitempty"`
	Signer   string `json:"signer,omitempty"`
	// Objects are in the order in which they were built. It may be empty: what to make of that is the caller's decision.
	Objects []Object `json:"objects,omitempty"`
	// Digest is that of the objects: sha256:<hex>. Two builds with the same digest mean the same, whatever else was
	// committed between them. It covers decrypted values, and so must not be shown to those who may not see them.
	Digest string `json:"digest,omitempty"`
}

// Commit is what people know a commit by.
type Commit struct {
	// Hash is the full hash, in hexadecimal.
	Hash string `json:"hash"`
	// Author is the name of the author, Subject the first line of the message. The repository's owner chooses both: they are
	// shortened, and hold no control characters.
	Author  string `json:"author,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Time is when it was committed.
	Time time.Time `json:"time,omitzero"`
}

// Object is one object that was built.
type Object struct {
	// File is where it comes from, relative to the root of the repository, and Line where it begins there. A kustomization
	// that does not say where an object comes from is named itself, with line 0.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// JSON is the object. It has apiVersion, kind and metadata.name, and is no List.
	JSON json.RawMessage `json:"json"`
}

// DigestOf is what belongs into Built.Digest. Where objects come from is not part of it.
func DigestOf(objects []Object) string {
	h := sha256.New()

	for _, o := range objects {
		// The length in front keeps two objects from being taken for one.
		_, _ = io.WriteString(h, strconv.Itoa(len(o.JSON))+":")
		_, _ = h.Write(o.JSON)
	}

	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
