package registry

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// signatureKey is the annotation in which cosign keeps the signature of a payload, and payloadType what the payload
	// says it is.
	signatureKey = "dev.cosignproject.cosign/signature"
	payloadType  = "cosign container image signature"
	// maxSignatures and maxPayloadBytes bound what is read on behalf of a tenant.
	maxSignatures   = 64
	maxPayloadBytes = 64 << 10
)

// signed is one payload with its signature, as the registry has them.
type signed struct {
	payload   []byte
	signature []byte
}

// Verify returns which of the keys has signed the image of ref, which must have a digest, as sha256: and the digest of the
// key; it fails when none has. Signatures are those that cosign stores beside an image, under the tag sha256-<digest>.sig.
// Only what the keys say is believed: no certificate and no transparency log is asked.
func (c *Client) Verify(ctx context.Context, ref string, pullSecrets [][]byte, keys []string) (key string, err error) {
	if key, err = c.verify(ctx, ref, pullSecrets, keys); err != nil {
		return "", fmt.Errorf("verify image %q: %w", ref, err)
	}

	return key, nil
}

func (c *Client) verify(ctx context.Context, ref string, pullSecrets [][]byte, keys []string) (string, error) {
	named, creds, err := parse(ref, pullSecrets)
	if err != nil {
		return "", err
	}
	digested, ok := named.(reference.Digested)
	if !ok {
		return "", refused("it has no digest")
	}
	public, err := parseKeys(keys)
	if err != nil {
		return "", refused("%v", err)
	}

	digest := digested.Digest()
	tagged, err := reference.WithTag(reference.TrimNamed(named), strings.Replace(digest.String(), ":", "-", 1)+".sig")
	if err != nil {
		return "", refused("%v", err)
	}
	t := target{ref: tagged, host: canonicalHost(reference.Domain(named))}

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := c.signatures(ctx, t, creds)
	if err != nil {
		return "", err
	}
	for _, s := range found {
		if key := s.signer(public); key != "" && s.speaksOf(digest.String()) {
			return key, nil
		}
	}

	return "", refused("none of its %d signatures is by one of the keys", len(found))
}

// signatures tries the credentials in order and then without, as a question for a digest does.
func (c *Client) signatures(ctx context.Context, t target, creds []credential) ([]signed, error) {
	var errs []error
	for _, cr := range creds {
		found, err := c.fetch(ctx, t, cr.authenticator(), true)
		if err == nil || errors.Is(err, swarmobj.ErrUnavailable) {
			return found, err
		}
		errs = append(errs, err)
	}

	found, err := c.fetch(ctx, t, authn.Anonymous, false)
	if err == nil || errors.Is(err, swarmobj.ErrUnavailable) {
		return found, err
	}

	return nil, decided(append(errs, err))
}

// fetch reads the image that holds the signatures: each of its layers is a payload. What is wrong with one of them makes
// it no signature, and leaves the others what they are.
func (c *Client) fetch(ctx context.Context, t target, auth authn.Authenticator, withSecret bool) ([]signed, error) {
	if err := c.breaker.check(t.host); err != nil {
		return nil, err
	}
	x := &exchange{base: c.transport(t.host), plain: c.plain(t.host), count: c.requests}
	var opts []name.Option
	if x.plain {
		opts = append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(t.host, opts...)
	if err != nil {
		return nil, refused("%q is no host of a registry", t.host)
	}

	image, err := remote.Image(t.in(reg),
		remote.WithContext(ctx), remote.WithAuth(auth), remote.WithTransport(x), remote.WithUserAgent(c.userAgent),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryStatusCodes())
	if err != nil {
		return nil, x.judge(t, withSecret).err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, refused("registry %q has no readable manifest of signatures", t.host)
	}
	if len(manifest.Layers) > maxSignatures {
		return nil, refused("it has %d signatures; at most %d are looked at", len(manifest.Layers), maxSignatures)
	}

	var out []signed
	for _, layer := range manifest.Layers {
		signature, err := base64.StdEncoding.DecodeString(layer.Annotations[signatureKey])
		if err != nil || len(signature) == 0 || layer.Size > maxPayloadBytes {
			continue
		}
		payload, err := read(image, layer.Digest)
		if err != nil {
			return nil, x.judge(t, withSecret).err
		}
		out = append(out, signed{payload: payload, signature: signature})
	}

	return out, nil
}

// read reads a payload; the library holds it against its digest.
func read(image v1.Image, digest v1.Hash) ([]byte, error) {
	layer, err := image.LayerByDigest(digest)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer body.Close()

	return io.ReadAll(io.LimitReader(body, maxPayloadBytes))
}

// speaksOf is true when the payload is about the image with that digest: a signature of another image, copied here, is
// none.
func (s signed) speaksOf(digest string) bool {
	var payload struct {
		Critical struct {
			Type  string `json:"type"`
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}

	return json.Unmarshal(s.payload, &payload) == nil && payload.Critical.Type == payloadType && payload.Critical.Image.Digest == digest
}

// signer is the fingerprint of the key that has made the signature; nothing when none of them has.
func (s signed) signer(keys []publicKey) string {
	sum := sha256.Sum256(s.payload)
	for _, key := range keys {
		valid := false
		switch k := key.PublicKey.(type) {
		case *ecdsa.PublicKey:
			valid = ecdsa.VerifyASN1(k, sum[:], s.signature)
		case *rsa.PublicKey:
			valid = rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], s.signature) == nil
		case ed25519.PublicKey:
			valid = ed25519.Verify(k, s.payload, s.signature)
		}
		if valid {
			return key.fingerprint
		}
	}

	return ""
}

// publicKey is a key, and the name by which people know it: the digest of its DER, as
// `openssl pkey -pubin -in cosign.pub -outform DER | sha256sum` prints it.
type publicKey struct {
	crypto.PublicKey

	fingerprint string
}

func parseKeys(keys []string) ([]publicKey, error) {
	var out []publicKey
	for i, text := range keys {
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
			return nil, fmt.Errorf("key %d is no public key in PEM", i)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("key %d is no public key", i)
		}
		out = append(out, publicKey{key, fmt.Sprintf("sha256:%x", sha256.Sum256(block.Bytes))})
	}

	return out, nil
}
