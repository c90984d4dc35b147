package sops

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// canonical is what a readable value adds to the MAC.
func canonical(n *yaml.Node) ([]byte, error) {
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}

	switch v := v.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	case int:
		return []byte(strconv.Itoa(v)), nil
	case float64:
		return []byte(strconv.FormatFloat(v, 'f', -1, 64)), nil
	case bool:
		if v {
			return []byte("True"), nil
		}

		return []byte("False"), nil
	case time.Time:
		return v.MarshalText()
	default:
		return nil, errFormat
	}
}

// errFormat means that something is not in SOPS' format.
var errFormat = errors.New("it is not in SOPS' format")

// value is how SOPS writes an encrypted value.
var value = regexp.MustCompile(`^ENC\[AES256_GCM,data:([^,]+),iv:([^,]+),tag:([^,]+),type:([a-z]+)\]$`)

// decrypt opens one value, which is good only in the place that it was encrypted for.
func decrypt(text string, key []byte, place string) (plain []byte, kind string, err error) {
	parts := value.FindStringSubmatch(text)
	if parts == nil {
		return nil, "", errFormat
	}

	var decoded [3][]byte
	for i := range decoded {
		if decoded[i], err = base64.StdEncoding.DecodeString(parts[i+1]); err != nil {
			return nil, "", errFormat
		}
	}

	data, iv, tag := decoded[0], decoded[1], decoded[2]
	if len(iv) == 0 || len(iv) > 64 || len(tag) != 16 {
		return nil, "", errFormat
	}

	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, "", err
	}

	gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, "", err
	}

	plain, err = gcm.Open(nil, iv, append(data, tag...), []byte(place))

	return plain, parts[4], err
}
