//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	imagename "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// signer is a key pair as cosign has them.
type signer struct {
	private     *ecdsa.PrivateKey
	public      v1alpha1.PublicKey
	fingerprint string
}

func newSigner(t *testing.T) signer {
	t.Helper()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})

	return signer{private, v1alpha1.PublicKey(text), fmt.Sprintf("sha256:%x", sha256.Sum256(der))}
}

// sign stores a signature of the image with that digest beside it, as `cosign sign --key` does.
func (n *tenant) sign(r *imageRegistry, digest string, by signer) {
	n.t.Helper()

	payload := fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":%q},"image":{"docker-manifest-digest":%q},`+
		`"type":"cosign container image signature"},"optional":null}`, r.host+"/acme/app", digest)
	sum := sha256.Sum256(payload)
	signature, err := ecdsa.SignASN1(rand.Reader, by.private, sum[:])
	if err != nil {
		n.t.Fatal(err)
	}
	image, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer:       static.NewLayer(payload, "application/vnd.dev.cosign.simplesigning.v1+json"),
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	ref, err := imagename.ParseReference(r.ref(strings.Replace(digest, ":", "-", 1)+".sig"), imagename.Insecure)
	if err != nil {
		n.t.Fatal(err)
	}
	auth := authn.FromConfig(authn.AuthConfig{Username: "puller", Password: r.password})
	if err := remote.Write(ref, image, remote.WithAuth(auth), remote.WithContext(n.t.Context())); err != nil {
		n.t.Fatalf("store signature %s: %v", ref, err)
	}
}

// TestOnlySignedImagesRun: a plan that asks for signatures lets nothing else begin, tells who has signed what runs, and
// takes nothing down when its keys change or the registry goes away.
func TestOnlySignedImagesRun(t *testing.T) {
	t.Parallel()
	n := &tenant{cell: sharedCell(t), t: t, name: "signed"}
	first, second := newSigner(t), newSigner(t)
	r := n.registry("")
	one, two := n.push(r, "v1", "1"), n.push(r, "v2", "2")

	plan := baseline("signed", r)
	plan.Spec.Images.Signatures = []v1alpha1.SignatureRule{{Name: "release", PublicKeys: []v1alpha1.PublicKey{first.public}}}
	n.declare(plan)

	n.create(app("web", "", from(r.ref("1"))))
	n.wantNotTrusted("web", "has no signature")
	if err := n.noService("web"); err != nil {
		t.Errorf("nothing has signed it: %v", err)
	}
	n.sign(r, one, second)
	n.edit("web", env("TRY", "2"))
	n.wantNotTrusted("web", "no signature by one of the keys")

	n.sign(r, one, first)
	n.edit("web", env("TRY", "3"))
	n.ready("web")
	n.wantSigner("web", one, first)

	was := n.settled("web")
	n.trustOnly(plan, second)
	n.edit("web", replicas(2))
	n.ready("web")
	n.wantSigner("web", one, first)
	n.edit("web", env("TRY", "4"))
	n.wantNotTrusted("web", "no signature by one of the keys")
	if now := n.service("web"); now.ID != was.ID || now.Spec.Labels[v1alpha1.SwarmLabelRevision] != was.Spec.Labels[v1alpha1.SwarmLabelRevision] {
		t.Errorf("a key that was taken out has changed what runs: %v", now.Spec.Labels)
	}

	n.sign(r, two, second)
	n.edit("web", from(r.ref("2")))
	n.ready("web")
	n.wantSigner("web", two, second)

	was = n.settled("web")
	r.down.Store(true)
	stays(t, instant, "without the registry what runs goes on", func() error { return n.unmoved(was) })
	n.edit("web", env("TRY", "5"))
	n.wantNotTrusted("web", "does not answer")
	if err := n.unmoved(was); err != nil {
		t.Errorf("what nobody can verify is not rolled out: %v", err)
	}
}

// wantNotTrusted waits until a container says that its image is not trusted, by which rule, and why.
func (n *tenant) wantNotTrusted(name, why string) {
	n.t.Helper()

	await(n.t, soon, fmt.Sprintf("%q says why its image is not trusted", name), func() error {
		tc, err := n.read(name)
		if err != nil {
			return err
		}
		if err := says(tc, conditions.Ready, "False", v1alpha1.ReasonImageNotTrusted); err != nil {
			return err
		}
		if got := conditions.Get(tc, conditions.Ready).Message; !strings.Contains(got, why) || !strings.Contains(got, `"release"`) {
			return fmt.Errorf("it says %q, want %q and the rule", got, why)
		}

		return nil
	})
}

func (n *tenant) wantSigner(name, digest string, by signer) {
	n.t.Helper()

	image := n.get(name).Status.Image
	if image.Proof == nil || image.Proof.Signature == nil {
		n.t.Fatalf("status of %q tells of no signature: %+v", name, image)
	}
	if s := image.Proof.Signature; s.Rule != "release" || s.Key != by.fingerprint || s.Digest != digest || s.VerifiedTime.IsZero() {
		n.t.Errorf("signature of %q: got %+v, want one of %s by %s", name, *s, digest, by.fingerprint)
	}
}

// trustOnly leaves one key in the plan.
func (n *tenant) trustOnly(plan *v1alpha1.Plan, key signer) {
	n.t.Helper()

	if err := n.api.Get(n.t.Context(), client.ObjectKeyFromObject(plan), plan); err != nil {
		n.t.Fatal(err)
	}
	before := plan.DeepCopy()
	plan.Spec.Images.Signatures[0].PublicKeys = []v1alpha1.PublicKey{key.public}
	if err := n.api.Patch(n.t.Context(), plan, client.MergeFrom(before)); err != nil {
		n.t.Fatal(err)
	}
}
