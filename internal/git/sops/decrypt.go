package sops

import (
	"bytes"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"go.yaml.in/yaml/v3"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

// macOnlyEncrypted begins the hash where only encrypted values are in it, so that the two kinds of MAC cannot be mistaken.
var macOnlyEncrypted = []byte{
	0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
	0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
}

// Documents decrypts all documents of a file in place, and takes SOPS' own part out of them. Nodes keep their lines.
func Documents(docs []document.Document, keys []age.Identity) error {
	if len(docs) == 0 || !Encrypted(docs[0]) {
		return notMixed(docs)
	}

	// All documents of a file are encrypted at once: the metadata of the first counts for all, and one MAC covers all.
	m, err := read(docs[0])
	if err != nil {
		return err
	}

	if len(keys) == 0 {
		return failed(docs[0], nil, "it is encrypted, and there is no age key")
	}

	key, err := m.dataKey(keys)
	if err != nil {
		return failed(docs[0], nil, "it is encrypted, and "+err.Error())
	}

	w := walker{m: m, key: key, mac: sha512.New()}
	if m.MACOnlyEncrypted {
		w.mac.Write(macOnlyEncrypted)
	}

	for _, d := range docs {
		drop(d.Node)

		if err := w.walk(d, d.Node, nil); err != nil {
			return err
		}
	}

	return w.verify(docs[0])
}

// notMixed refuses encrypted documents behind others, which SOPS does not make, and values that nothing is there to open.
func notMixed(docs []document.Document) error {
	for _, d := range docs {
		if Encrypted(d) {
			return failed(d, nil, "it is encrypted, and the file's first document is not")
		}

		if n := sealed(d.Node); n != nil {
			return failed(d, n, orphaned)
		}
	}

	return nil
}

// orphaned is said of what only SOPS' metadata could open.
const orphaned = "it has encrypted values, and not what SOPS knows about them"

// sealed is the first encrypted value, or nil.
func sealed(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && value.MatchString(n.Value) {
		return n
	}

	for _, child := range n.Content {
		if found := sealed(child); found != nil {
			return found
		}
	}

	return nil
}

// drop takes SOPS' part out of a mapping.
func drop(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}

	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == field {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)

			return
		}
	}
}

// comment is the tag of items of lists that are none, until they are taken out.
const comment = "!sops/comment"

func isComment(n *yaml.Node) bool { return n.Tag == comment }

// walker decrypts values in the order in which they were encrypted, and adds them up to the MAC.
type walker struct {
	m   *metadata
	key []byte
	mac hash.Hash
}

func (w *walker) walk(d document.Document, n *yaml.Node, path []string) error {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if err := w.walk(d, n.Content[i+1], append(path[:len(path):len(path)], n.Content[i].Value)); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, child := range n.Content {
			if err := w.walk(d, child, path); err != nil {
				return err
			}
		}

		n.Content = slices.DeleteFunc(n.Content, isComment)
	case yaml.AliasNode:
		return failed(d, n, "it is encrypted, and has aliases, which SOPS does not encrypt")
	case yaml.ScalarNode:
		return w.scalar(d, n, path)
	}

	return nil
}

func (w *walker) scalar(d document.Document, n *yaml.Node, path []string) error {
	if n.ShortTag() == "!!null" {
		return nil
	}

	encrypted := w.m.encrypted(path)

	var (
		plain []byte
		err   error
	)

	if encrypted {
		if n.ShortTag() != "!!str" {
			return failed(d, n, fmt.Sprintf("the value of %.200q is not encrypted", strings.Join(path, ".")))
		}

		if plain, err = w.open(n, strings.Join(path, ":")+":"); err != nil {
			return failed(d, n, fmt.Sprintf("the value of %.200q cannot be decrypted: it was changed, or moved", strings.Join(path, ".")))
		}
	} else if plain, err = canonical(n); err != nil {
		return failed(d, n, fmt.Sprintf("the value of %.200q cannot be checked", strings.Join(path, ".")))
	}

	if encrypted || !w.m.MACOnlyEncrypted {
		w.mac.Write(plain)
	}

	return nil
}

// open replaces an encrypted value and returns the bytes that it adds to the MAC.
func (w *walker) open(n *yaml.Node, path string) ([]byte, error) {
	if n.Value == "" {
		return nil, nil
	}

	plain, kind, err := decrypt(n.Value, w.key, path)
	if err != nil {
		return nil, err
	}

	switch kind {
	case "str", "bytes":
		n.Tag = "!!str"
	case "int", "float", "bool":
		n.Tag = "!!" + kind
	case "time":
		n.Tag = "!!timestamp"
	case "comment":
		// SOPS writes comments between the items of a list as items.
		n.Tag, n.Value, n.Style = comment, "", 0

		return nil, nil
	default:
		return nil, errFormat
	}

	n.Value, n.Style = string(plain), 0

	switch kind {
	case "str", "bytes":
		// In quotes it stays a string, whatever is done to it later.
		n.Style = yaml.DoubleQuotedStyle
	case "bool":
		n.Value = strings.ToLower(n.Value)
	}

	return plain, nil
}

// verify compares what was added up with what the file says.
func (w *walker) verify(d document.Document) error {
	want, _, err := decrypt(w.m.MAC, w.key, w.m.modified.Format(time.RFC3339))
	got := fmt.Sprintf("%X", w.mac.Sum(nil))

	if err != nil || subtle.ConstantTimeCompare(want, []byte(got)) != 1 {
		return failed(d, nil, "it was changed after it was encrypted")
	}

	return nil
}

// marker is in everything that SOPS has encrypted, in every format, and values are that and more.
var (
	marker = []byte("ENC[AES256_GCM,data:")
	values = regexp.MustCompile(`ENC\[AES256_GCM,data:[^,]+,iv:[^,]+,tag:[^,]+,type:[a-z]+\]`)
)

// File decrypts the content of a file that is used as a whole: YAML, JSON, and other files in the envelope that SOPS puts them
// into. What is not encrypted is returned as it is.
func File(name string, data []byte, keys []age.Identity) ([]byte, error) {
	if !bytes.Contains(data, marker) {
		return data, nil
	}

	docs, err := document.Parse(name, data)
	if err != nil || len(docs) == 0 || !Encrypted(docs[0]) {
		// A text about encrypted values is a text. One with SOPS' MAC is a format that is not opened here, and one with whole
		// values is broken.
		if bytes.Contains(data, []byte("sops_mac=ENC[")) || bytes.Contains(data, []byte("[sops]")) {
			return nil, &source.Error{
				Reason: source.ReasonDecryptionFailed, File: name, Message: "is encrypted by SOPS as dotenv or INI, of which neither is supported: use YAML, JSON or binary",
			}
		}
		if values.Match(data) {
			return nil, &source.Error{Reason: source.ReasonDecryptionFailed, File: name, Message: orphaned}
		}

		return data, nil
	}

	envelope := len(docs) == 1 && len(docs[0].Node.Content) == 4 && document.Field(docs[0].Node, "data") != nil &&
		bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))

	if err := Documents(docs, keys); err != nil {
		return nil, err
	}

	if envelope {
		return []byte(document.Field(docs[0].Node, "data").Value), nil
	}

	var text bytes.Buffer

	for _, d := range docs {
		doc, err := document.Text(d.Node)
		if err != nil {
			return nil, failed(d, nil, "it cannot be written again")
		}

		text.WriteString("---\n")
		text.Write(doc)
	}

	return text.Bytes(), nil
}
