package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

const (
	// maxSecretFile is how large a file of secrets may be, in bytes.
	maxSecretFile = 4 << 10
	// maxSecrets are the one in use and, while it is changed, the one before or after it.
	maxSecrets = 2
	// minSecret is how short a secret may be: less can be guessed by whoever has seen one signature.
	minSecret = 16
	// encodedPrefix marks a secret that is written in base64, as Standard Webhooks has it.
	encodedPrefix = "whsec_"
)

// ReadSecrets reads the secrets of --notice-webhook-secret-file. Errors repeat nothing of the file.
func ReadSecrets(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %w", err)
	}
	if len(text) > maxSecretFile {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %q has more than %d bytes", path, maxSecretFile)
	}
	secrets, err := ParseSecrets(string(text))
	if err != nil {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %q: %w", path, err)
	}

	return secrets, nil
}

// ParseSecrets reads secrets: one a line, empty lines and those that begin with # left out, in base64 after whsec_. Each signs
// what is sent, so that a secret can be changed without a notice that is not accepted. Errors repeat nothing of them.
func ParseSecrets(text string) ([][]byte, error) {
	var secrets [][]byte
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		secret := []byte(line)
		if encoded, found := strings.CutPrefix(line, encodedPrefix); found {
			var err error
			if secret, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				return nil, fmt.Errorf("the secret in line %d must be base64 after %s", n, encodedPrefix)
			}
		}
		if len(secret) < minSecret {
			return nil, fmt.Errorf("the secret in line %d must have at least %d characters", n, minSecret)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) < 1 || len(secrets) > maxSecrets {
		return nil, fmt.Errorf("there are %d secrets, and must be 1 to %d", len(secrets), maxSecrets)
	}

	return secrets, nil
}

// checkURL tells what is wrong with a URL, without repeating it: its path or its query may be a secret.
func checkURL(address string, plain bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("must be a URL, such as https://hooks.example.com/dogker")
	case u.Scheme != "https" && (!plain || u.Scheme != "http") || u.Hostname() == "" || u.Fragment != "":
		kinds := "an https"
		if plain {
			kinds = "an https or http"
		}
		return fmt.Errorf("must be %s URL with a host and without a fragment, such as https://hooks.example.com/dogker", kinds)
	case u.User != nil:
		return errors.New("must not hold credentials; what is sent can be signed")
	}

	return nil
}
