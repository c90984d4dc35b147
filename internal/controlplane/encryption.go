package controlplane

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// ensureEncryption makes the key that encrypts Secrets at rest, on the first start. An operator who rotates keys edits
// the file by Kubernetes' own procedure; it is never touched again here.
//
// The provider is secretbox: it authenticates what it encrypts, and its random nonces are long enough that a key needs
// no rotation by count, as those of aesgcm do. There is no identity provider beside it, so that a Secret that was put
// into the store in plain text is an error and not a Secret.
func ensureEncryption(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read encryption configuration: %w", err)
	}

	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("generate encryption key: %w", err)
	}
	cfg := apiserverv1.EncryptionConfiguration{
		TypeMeta: metav1.TypeMeta{APIVersion: apiserverv1.SchemeGroupVersion.String(), Kind: "EncryptionConfiguration"},
		Resources: []apiserverv1.ResourceConfiguration{{
			Resources: []string{"secrets"},
			Providers: []apiserverv1.ProviderConfiguration{{
				Secretbox: &apiserverv1.SecretboxConfiguration{
					Keys: []apiserverv1.Key{{Name: "first", Secret: base64.StdEncoding.EncodeToString(key)}},
				},
			}},
		}},
	}
	raw, err := yaml.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("encode encryption configuration: %w", err)
	}

	return datadir.WriteFile(path, raw)
}
