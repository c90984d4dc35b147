package archive

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"filippo.io/age"

	"github.com/dogker/dogker/internal/agekey"
)

// macInfo separates the key of manifests from all else that may ever be derived of an identity.
const macInfo = "dogker volume archive manifest 1"

// Key makes archives and opens them. It is never printed.
type Key struct {
	identities []age.Identity
	recipients []age.Recipient
	macs       [][]byte
}

// NewKey makes a key, as text to be kept secret.
func NewKey() (string, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}

	return identity.String() + "\n", nil
}

// ParseKey reads age identities, one a line (AGE-SECRET-KEY-1…). The first one makes archives, and all of them open some, so
// that a key is replaced by putting another before it. Others are recipients who can open what is made as well, such as a key
// that is kept off line.
func ParseKey(text string, others ...age.Recipient) (*Key, error) {
	identities, err := agekey.Identities(text)
	if err != nil {
		return nil, err
	}

	k := &Key{identities: identities}
	for _, i := range identities {
		secret, is := i.(fmt.Stringer)
		if !is {
			return nil, errors.New("read key: an identity has no secret of its own")
		}
		mac, err := hkdf.Key(sha256.New, []byte(secret.String()), nil, macInfo, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		k.macs = append(k.macs, mac)
	}

	switch first := identities[0].(type) {
	case *age.X25519Identity:
		k.recipients = []age.Recipient{first.Recipient()}
	case *age.HybridIdentity:
		k.recipients = []age.Recipient{first.Recipient()}
	default:
		return nil, errors.New("read key: the first identity cannot make archives: want AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1…")
	}
	k.recipients = append(k.recipients, others...)

	return k, nil
}

// String never tells the key.
func (k *Key) String() string { return "archive key" }

// GoString never tells the key.
func (k *Key) GoString() string { return k.String() }

func (k *Key) sign(message []byte) []byte { return mac(k.macs[0], message) }

func (k *Key) signed(message, sum []byte) bool {
	return slices.ContainsFunc(k.macs, func(key []byte) bool { return hmac.Equal(mac(key, message), sum) })
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)

	return h.Sum(nil)
}

// Recipient is who archives are made for, as age writes it: what is encrypted for it, the key opens.
func (k *Key) Recipient() string {
	if s, is := k.recipients[0].(fmt.Stringer); is {
		return s.String()
	}

	return ""
}
