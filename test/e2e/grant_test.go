//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestImagesBelongToTheirTenant: a private image that a node holds because one tenant has pulled it is of no use to
// another, neither by digest nor while the registry is away; and its own tenant keeps it through an outage and a restart.
func TestImagesBelongToTheirTenant(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	owner, thief := &tenant{cell: c, t: t, name: "owner"}, &tenant{cell: c, t: t, name: "thief"}
	r := owner.registry("open sesame")
	byTag, byDigest := r.ref("1"), r.host+"/acme/app@"+owner.push(r, "v1", "1")
	for _, n := range []*tenant{owner, thief} {
		n.declare(baseline("shared", r))
		n.annotate(v1alpha1.AnnotationDeleteData, n.name) // Its Secret goes with it.
	}
	owner.create(r.credentials("pull"))

	tc := owner.run(app("web", "", from(byTag), pulling("pull")))
	if tc.Status.Image.Proof == nil || tc.Status.Image.Proof.GrantedTime == nil {
		t.Errorf("status does not tell that the registry has given the image: %+v", tc.Status.Image)
	}

	thief.create(app("by-digest", "", from(byDigest)))
	thief.wantNoImage("by-digest", "refuses")

	r.down.Store(true)
	thief.create(app("by-tag", "", from(byTag)))
	thief.wantNoImage("by-tag", "does not answer")

	was := owner.settled("web")
	owner.restart(true)
	stays(t, instant, "an outage and a restart change nothing that runs", func() error { return owner.unmoved(was) })
	owner.edit("web", env("A", "1"))
	owner.ready("web")
	owner.run(app("other", "", from(byDigest), pulling("pull")))
	owner.run(app("tagged", "", from(byTag), pulling("pull")))
	owner.wantImage("tagged", byTag+byDigest[strings.IndexByte(byDigest, '@'):])

	r.down.Store(false)
	thief.create(r.credentials("pull"))
	thief.edit("by-tag", pulling("pull"))
	thief.ready("by-tag")
}

// wantNoImage waits until a container says that it has no image, in those words and in none about what nodes hold, and
// wants no service.
func (n *tenant) wantNoImage(name, words string) {
	n.t.Helper()

	tc := n.unready(soon, name, v1alpha1.ReasonImageUnavailable)
	if got := conditions.Get(tc, conditions.Ready).Message; !strings.Contains(got, words) || strings.Contains(got, "holds") {
		n.t.Errorf("%q says %q, want %q", name, got, words)
	}
	if err := n.noService(name); err != nil {
		n.t.Errorf("%q has no image: %v", name, err)
	}
}

// credentials are a Secret by which the registry lets one in.
func (r *imageRegistry) credentials(name string) *corev1.Secret {
	auth := base64.StdEncoding.EncodeToString([]byte("puller:" + r.password))

	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, r.host, auth)},
	}
}

// pulling gives a container the credentials of a Secret.
func pulling(secret string) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.ImagePullSecrets = []v1alpha1.LocalObjectReference{{Name: v1alpha1.ObjectName(secret)}}
	}
}
