package swarmobj

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// DigestKeySize is how many random bytes a DigestKey is made of.
const DigestKeySize = 32

// DigestKey makes digests of what must stay secret and whose digest is seen by more people than may see the thing itself:
// the names of Swarm secrets, the hash of a template, labels of a service. Without a key, whoever reads one could try
// passwords on it until one fits. All servers of a cluster have the same key, because another one gives other names.
//
// The zero value has no key and panics when it is used.
type DigestKey struct {
	// derive holds the key. It is a function, so that printing what a key is part of prints no key.
	derive func(info string) []byte
}

// NewDigestKey makes a key of random bytes.
func NewDigestKey(material []byte) (DigestKey, error) {
	if len(material) != DigestKeySize {
		return DigestKey{}, fmt.Errorf("make digest key: it has %d bytes and must have %d", len(material), DigestKeySize)
	}
	own := bytes.Clone(material)

	return DigestKey{derive: func(info string) []byte {
		key, err := hkdf.Key(sha256.New, own, nil, info, sha256.Size)
		if err != nil {
			panic(fmt.Sprintf("swarmobj: derive digest key: %v", err)) // Only a length that is not allowed fails.
		}

		return key
	}}, nil
}

// For derives the key for one use, of one owner. A digest that somebody can have made of content of his own choice says
// nothing about the content of others, nor about the same content in another use.
func (k DigestKey) For(use, owner string) []byte {
	if k.derive == nil {
		panic("swarmobj: a digest is asked for without a key")
	}

	return k.derive("dogker.io/" + use + "/v1\x00" + owner)
}

// ContentName is the name of the Swarm secret or config that holds data of the Secret or ConfigMap o: content-addressed,
// so that a change of content is a new object, as Swarm demands. Who does not have the key cannot tell from the name what
// the content is, not even by guessing.
func (k DigestKey) ContentName(o Owner, data []byte) string {
	mac := hmac.New(sha256.New, k.For("content-name", o.Tenant+"\x00"+o.Kind+"\x00"+o.Name))
	mac.Write(data)
	suffix := "_" + hex.EncodeToString(mac.Sum(nil))[:12]

	return fit(o.Tenant+"_"+o.Name, maxSecretName-len(suffix)) + suffix
}
