package registry

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// signer is a key pair as cosign has them.
type signer struct {
	private crypto.Signer
	public  string
}

func newSigner(t *testing.T, private crypto.Signer, err error) signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}

	return signer{private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}

// sign signs a payload as cosign does.
func (s signer) sign(t *testing.T, payload string) string {
	t.Helper()
	sum, options := sha256.Sum256([]byte(payload)), crypto.SignerOpts(crypto.SHA256)
	message := sum[:]
	if _, plain := s.private.(ed25519.PrivateKey); plain {
		message, options = []byte(payload), crypto.Hash(0)
	}
	signature, err := s.private.Sign(rand.Reader, message, options)
	if err != nil {
		t.Fatal(err)
	}

	return base64.StdEncoding.EncodeToString(signature)
}

// payloadOf is what is signed of an image.
func payloadOf(digest string) string {
	return fmt.Sprintf(`{"critical":{"identity":{"docker-reference":"team/app"},"image":{"docker-manifest-digest":%q},"type":%q},"optional":null}`, digest, payloadType)
}

// attach puts payloads with their signatures beside the image with that digest.
func attach(t *testing.T, host, digest string, pairs ...[2]string) {
	t.Helper()
	var image v1.Image = empty.Image
	for _, p := range pairs {
		var err error
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:       static.NewLayer([]byte(p[0]), "application/vnd.dev.cosign.simplesigning.v1+json"),
			Annotations: map[string]string{signatureKey: p[1]},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(mustTag(t, host+"/team/app:"+strings.Replace(digest, ":", "-", 1)+".sig"), image); err != nil {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ours := newSigner(t, ec, err)
	ec2, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	stranger := newSigner(t, ec2, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	withRSA := newSigner(t, rsaKey, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	withEd := newSigner(t, edKey, err)
	other := "sha256:" + strings.Repeat("ab", 32)

	cases := map[string]struct {
		reason string
		pairs  func(digest string) [][2]string
		keys   []string
		want   error
	}{
		"Signed":      {reason: "One of the keys has signed it.", pairs: by(t, ours), keys: []string{stranger.public, ours.public}},
		"SignedTwice": {reason: "A signature that is not ours takes nothing from the one that is.", pairs: by(t, stranger, ours), keys: []string{ours.public}},
		"RSA":         {reason: "Keys of other kinds count as well.", pairs: by(t, withRSA), keys: []string{withRSA.public}},
		"Ed25519":     {reason: "Keys of other kinds count as well.", pairs: by(t, withEd), keys: []string{withEd.public}},
		"Stranger":    {reason: "Everybody can sign.", pairs: by(t, stranger), keys: []string{ours.public}, want: swarmobj.ErrRefused},
		"NotSigned":   {reason: "No signature is no signature.", keys: []string{ours.public}, want: swarmobj.ErrNotFound},
		"OtherImage":  {reason: "A signature of another image proves nothing about this one.", pairs: func(string) [][2]string { return [][2]string{{payloadOf(other), ours.sign(t, payloadOf(other))}} }, keys: []string{ours.public}, want: swarmobj.ErrRefused},
		"Altered":     {reason: "What was altered was not signed.", pairs: func(d string) [][2]string { return [][2]string{{payloadOf(d), ours.sign(t, payloadOf(other))}} }, keys: []string{ours.public}, want: swarmobj.ErrRefused},
		"OtherPurpose": {reason: "A signature for something else that happens to name the digest is no consent.", pairs: func(d string) [][2]string {
			p := strings.Replace(payloadOf(d), payloadType, "receipt", 1)
			return [][2]string{{p, ours.sign(t, p)}}
		}, keys: []string{ours.public}, want: swarmobj.ErrRefused},
		"BadKey": {reason: "A key that cannot be read trusts nobody.", pairs: by(t, ours), keys: []string{ours.public, "-----BEGIN PUBLIC KEY-----\nnonsense"}, want: swarmobj.ErrRefused},
		"NoKeys": {reason: "No keys trust nobody.", pairs: by(t, ours), want: swarmobj.ErrRefused},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			host := serve(t, s.handler)
			if tc.pairs != nil {
				attach(t, host, s.app, tc.pairs(s.app)...)
			}

			key, err := newClient(t, Config{}).Verify(t.Context(), host+"/team/app:1@"+s.app, nil, tc.keys)
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
			if want := fingerprintOf(tc.keys, tc.want); key != want {
				t.Errorf("%s\nsigned by %q, want %q", tc.reason, key, want)
			}
		})
	}

	t.Run("Private", func(t *testing.T) {
		s := newShelf(t)
		attach(t, serve(t, s.handler), s.app, by(t, ours)(s.app)...)
		host := serve(t, basicAuth("right", s.handler))
		secrets := [][]byte{login(host, "right")}
		c := newClient(t, Config{})
		if _, err := c.Verify(t.Context(), host+"/team/app@"+s.app, secrets, []string{ours.public}); err != nil {
			t.Errorf("with credentials: %v", err)
		}
		if _, err := c.Verify(t.Context(), host+"/team/app@"+s.app, nil, []string{ours.public}); !errors.Is(err, swarmobj.ErrRefused) {
			t.Errorf("without credentials: %v", err)
		}
	})
	t.Run("NoDigest", func(t *testing.T) {
		if _, err := newClient(t, Config{}).Verify(t.Context(), "registry.example/team/app:1", nil, []string{ours.public}); !errors.Is(err, swarmobj.ErrRefused) {
			t.Errorf("a tag that can move was verified: %v", err)
		}
	})
	t.Run("Away", func(t *testing.T) {
		if _, err := newClient(t, Config{}).Verify(t.Context(), "127.0.0.1:1/team/app@"+other, nil, []string{ours.public}); !errors.Is(err, swarmobj.ErrUnavailable) {
			t.Errorf("a registry that is away: %v", err)
		}
	})
}

// fingerprintOf is that of the last of the keys, which is the one that counts in every case, or nothing.
func fingerprintOf(keys []string, failed error) string {
	if failed != nil {
		return ""
	}
	block, _ := pem.Decode([]byte(keys[len(keys)-1]))

	return fmt.Sprintf("sha256:%x", sha256.Sum256(block.Bytes))
}

// by are signatures of the image by each signer.
func by(t *testing.T, signers ...signer) func(string) [][2]string {
	return func(digest string) [][2]string {
		var out [][2]string
		for _, s := range signers {
			out = append(out, [2]string{payloadOf(digest), s.sign(t, payloadOf(digest))})
		}

		return out
	}
}
