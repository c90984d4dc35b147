package sops

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"go.yaml.in/yaml/v3"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

// field is where SOPS keeps what it needs to know.
const field = "sops"

// unencryptedSuffix is the end of keys whose values stay readable, where a file says nothing else.
const unencryptedSuffix = "_unencrypted"

// maxRegex bounds expressions that a repository brings along.
const maxRegex = 1000

// metadata is what SOPS says about a file.
type metadata struct {
	Age []struct {
		Enc string `yaml:"enc"`
	} `yaml:"age"`
	KeyGroups               []any  `yaml:"key_groups"`
	LastModified            string `yaml:"lastmodified"`
	MAC                     string `yaml:"mac"`
	UnencryptedSuffix       string `yaml:"unencrypted_suffix"`
	EncryptedSuffix         string `yaml:"encrypted_suffix"`
	UnencryptedRegex        string `yaml:"unencrypted_regex"`
	EncryptedRegex          string `yaml:"encrypted_regex"`
	UnencryptedCommentRegex string `yaml:"unencrypted_comment_regex"`
	EncryptedCommentRegex   string `yaml:"encrypted_comment_regex"`
	MACOnlyEncrypted        bool   `yaml:"mac_only_encrypted"`
	Version                 string `yaml:"version"`

	modified                 time.Time
	unencryptedRe, encryptRe *regexp.Regexp
}

// Encrypted tells whether a document is one that SOPS has encrypted.
func Encrypted(d document.Document) bool {
	about := document.Field(d.Node, field)

	return document.Field(about, "mac") != nil || document.Field(about, "lastmodified") != nil
}

// read takes the metadata out of a document.
func read(d document.Document) (*metadata, error) {
	var m metadata

	node := document.Field(d.Node, field)
	if err := node.Decode(&m); err != nil {
		return nil, failed(d, node, "what SOPS says about it cannot be read")
	}

	switch {
	case len(m.KeyGroups) > 0:
		return nil, failed(d, node, "it is encrypted for groups of keys, which are not supported")
	case m.UnencryptedCommentRegex != "" || m.EncryptedCommentRegex != "":
		return nil, failed(d, node, "what is encrypted in it depends on comments, which is not supported")
	case len(m.Age) == 0:
		return nil, failed(d, node, "it is not encrypted for age, and only age is supported")
	case len(m.Age) > 100:
		return nil, failed(d, node, "it is encrypted for more than 100 keys")
	}

	var err error
	if m.modified, err = time.Parse(time.RFC3339, m.LastModified); err != nil {
		return nil, failed(d, node, "lastmodified of it is no time")
	}

	if m.UnencryptedSuffix == "" && m.EncryptedSuffix == "" && m.UnencryptedRegex == "" && m.EncryptedRegex == "" {
		m.UnencryptedSuffix = unencryptedSuffix
	}

	for text, re := range map[string]**regexp.Regexp{m.UnencryptedRegex: &m.unencryptedRe, m.EncryptedRegex: &m.encryptRe} {
		if text == "" {
			continue
		}

		if *re, err = regexp.Compile(text); err != nil || len(text) > maxRegex {
			return nil, failed(d, node, "a regular expression of it cannot be used")
		}
	}

	return &m, nil
}

// failed is an error of a document that cannot be decrypted.
func failed(d document.Document, at *yaml.Node, message string) error {
	e := d.Errorf(at, "", "%s", message)
	e.Reason = source.ReasonDecryptionFailed

	return e
}

// encrypted tells whether the value under these keys is. The rules are SOPS', in their order.
func (m *metadata) encrypted(path []string) bool {
	has := func(match func(string) bool) bool {
		for _, key := range path {
			if match(key) {
				return true
			}
		}

		return false
	}
	suffix := func(s string) func(string) bool { return func(key string) bool { return strings.HasSuffix(key, s) } }

	encrypted := m.UnencryptedSuffix == "" || !has(suffix(m.UnencryptedSuffix))
	if m.EncryptedSuffix != "" {
		encrypted = has(suffix(m.EncryptedSuffix))
	}

	if m.unencryptedRe != nil && has(m.unencryptedRe.MatchString) {
		encrypted = false
	}

	if m.encryptRe != nil {
		encrypted = has(m.encryptRe.MatchString)
	}

	return encrypted
}

// errNoKey means that none of the keys opens the file.
var errNoKey = errors.New("none of the age keys opens it")

// dataKey is the key that values are encrypted with. It is in the file once for each recipient.
func (m *metadata) dataKey(keys []age.Identity) ([]byte, error) {
	for _, recipient := range m.Age {
		r, err := age.Decrypt(armor.NewReader(strings.NewReader(recipient.Enc)), keys...)
		if err != nil {
			continue
		}

		key, err := io.ReadAll(io.LimitReader(r, 64))
		if err == nil && len(key) == 32 {
			return key, nil
		}
	}

	return nil, errNoKey
}

// ParseKeys reads age identities in the format of key files. The error says which of them is none, and nothing of it.
func ParseKeys(keys []source.Secret) ([]age.Identity, error) {
	var identities []age.Identity

	for i, key := range keys {
		parsed, err := age.ParseIdentities(bytes.NewReader([]byte(key.Reveal())))
		if err != nil {
			return nil, &source.Error{
				Reason: source.ReasonDecryptionFailed, Field: fmt.Sprintf("ageKeys[%d]", i), Message: "is no file of age identities",
			}
		}

		identities = append(identities, parsed...)
	}

	return identities, nil
}
