//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-containerregistry/pkg/authn"
	imagename "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// imageRegistry is a registry on the loopback interface, both where the server runs and where the engines do.
type imageRegistry struct {
	host string // as in image references
	// down makes it hang up on everybody; noBlobs makes it tell what there is and not give it.
	down, noBlobs atomic.Bool
	// password makes it ask for one; the user is called puller.
	password string
}

func (n *tenant) registry(password string) *imageRegistry {
	n.t.Helper()

	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	listeners := []net.Listener{outside}
	for _, node := range n.lab.Nodes {
		inside, err := node.Listen(n.t.Context(), "tcp", outside.Addr().String())
		if err != nil {
			n.t.Fatal(err)
		}
		listeners = append(listeners, inside)
	}

	r := &imageRegistry{host: outside.Addr().String(), password: password}
	quiet := log.New(io.Discard, "", 0)
	server := &http.Server{Handler: r.guard(registry.New(registry.Logger(quiet))), ErrorLog: quiet}
	for _, l := range listeners {
		go func() { _ = server.Serve(l) }()
	}
	n.t.Cleanup(func() { server.Close() })

	return r
}

func (r *imageRegistry) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		switch {
		case r.down.Load():
			panic(http.ErrAbortHandler)
		case r.password != "" && (user != "puller" || password != r.password):
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.noBlobs.Load() && strings.Contains(req.URL.Path, "/blobs/"):
			http.Error(w, "gone", http.StatusNotFound)
		default:
			next.ServeHTTP(w, req)
		}
	})
}

func (r *imageRegistry) ref(tag string) string { return r.host + "/acme/app:" + tag }

// push puts a version of the lab's image under a tag, and returns its digest.
func (n *tenant) push(r *imageRegistry, version, tag string) string {
	n.t.Helper()

	ref, err := imagename.ParseReference(r.ref(tag), imagename.Insecure)
	if err != nil {
		n.t.Fatal(err)
	}
	img := n.export(version)
	auth := authn.FromConfig(authn.AuthConfig{Username: "puller", Password: r.password})
	if err := remote.Write(ref, img, remote.WithAuth(auth), remote.WithContext(n.t.Context())); err != nil {
		n.t.Fatalf("push %s: %v", ref, err)
	}
	digest, err := img.Digest()
	if err != nil {
		n.t.Fatal(err)
	}

	return digest.String()
}

// export takes an image out of the engine, and makes another one of it that the engine has never seen: it would have
// nothing to pull otherwise.
func (n *tenant) export(version string) v1.Image {
	n.t.Helper()

	saved, err := n.docker().ImageSave(n.t.Context(), []string{lab.Image(version)})
	if err != nil {
		n.t.Fatal(err)
	}
	defer saved.Close()

	file := filepath.Join(n.t.TempDir(), "image.tar")
	f, err := os.Create(file)
	if err != nil {
		n.t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, saved); err != nil {
		n.t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		n.t.Fatal(err)
	}
	config.Config.Labels = map[string]string{"made-for": n.name}
	if img, err = mutate.Config(img, config.Config); err != nil {
		n.t.Fatal(err)
	}

	return img
}

// from makes a container take its image from a registry, when it needs one.
func from(ref string) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Image, tc.Spec.ImagePullPolicy = v1alpha1.Image(ref), v1alpha1.PullIfNotPresent
	}
}

func (n *tenant) wantImage(name, want string) {
	n.t.Helper()

	if got := n.service(name).Spec.TaskTemplate.ContainerSpec.Image; got != want {
		n.t.Errorf("image of %q: got %s, want %s", name, got, want)
	}
}

// TestTagIsPinned resolves a tag once, and nothing that happens to the tag later reaches what runs.
func TestTagIsPinned(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	r := n.registry("")
	first := r.ref("1") + "@" + n.push(r, "v1", "1")

	tc := n.run(app("web", "", from(r.ref("1"))))
	n.wantImage("web", first)
	if got, want := *tc.Status.Image, (v1alpha1.ImageStatus{Requested: r.ref("1"), Resolved: first, Pinned: true}); got != want {
		t.Errorf("status.image: got %+v, want %+v", got, want)
	}

	second := r.ref("1") + "@" + n.push(r, "v2", "1")
	was := n.settled("web")
	n.edit("web", annotation("anything", "else"))
	stays(t, 3*time.Second, "the tag has moved", func() error { return n.unmoved(was) })

	n.edit("web", env("A", "1"))
	n.ready("web")
	n.wantImage("web", first)

	n.edit("web", env("A", "2"), func(tc *v1alpha1.TenantContainer) { tc.Spec.ImagePullPolicy = v1alpha1.PullAlways })
	n.ready("web")
	n.wantImage("web", second)
}

// TestRegistryDown takes the registry away. What runs goes on and can be scaled and changed; only what nobody has ever
// seen has to wait.
func TestRegistryDown(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	r := n.registry("")
	first := r.ref("1") + "@" + n.push(r, "v1", "1")
	second := r.ref("2") + "@" + n.push(r, "v2", "2")
	n.run(app("web", "", from(r.ref("1"))))
	r.down.Store(true)

	n.edit("web", replicas(2))
	n.ready("web")
	n.edit("web", env("A", "1"))
	n.ready("web")
	n.wantImage("web", first)

	was := n.settled("web")
	n.edit("web", from(r.ref("2")))
	tc := n.unready(soon, "web", v1alpha1.ReasonImageUnavailable)
	if c := conditions.Get(tc, conditions.Ready); !strings.Contains(c.Message, r.ref("2")) {
		t.Errorf("message: got %q, want the image in it", c.Message)
	}
	stays(t, 5*time.Second, "nothing is written", func() error { return n.unmoved(was) })

	r.down.Store(false)
	n.ready("web")
	n.wantImage("web", second)
}

// TestImageThatOnlyTheEngineHas runs without any registry, as on a laptop.
func TestImageThatOnlyTheEngineHas(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	r := n.registry("")
	r.down.Store(true)
	if err := n.docker().ImageTag(t.Context(), lab.Image("v1"), r.ref("local")); err != nil {
		t.Fatal(err)
	}

	n.run(app("fallback", "", from(r.ref("local"))))
	n.wantImage("fallback", n.imageID("v1"))
	n.condition(soon, "fallback", v1alpha1.ConditionImagePinned, metav1.ConditionFalse, v1alpha1.ReasonRegistryUnavailable)

	n.run(app("never", "v1"))
	n.condition(soon, "never", v1alpha1.ConditionImagePinned, metav1.ConditionFalse, v1alpha1.ReasonPullNever)

	n.create(app("always", "", from(r.ref("local")), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.ImagePullPolicy = v1alpha1.PullAlways
	}))
	n.unready(soon, "always", v1alpha1.ReasonImageUnavailable)
	if err := n.noService("always"); err != nil {
		t.Errorf("with imagePullPolicy Always and no registry: %v", err)
	}
}

// TestPrivateRegistry needs a password, which is wrong at first.
func TestPrivateRegistry(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	r := n.registry("open sesame")
	pinned := r.ref("1") + "@" + n.push(r, "v1", "1")

	credentials := func(password string) []byte {
		auth := base64.StdEncoding.EncodeToString([]byte("puller:" + password))
		return fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, r.host, auth)
	}
	pull := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pull"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: credentials("wrong")},
	}
	n.create(pull)
	n.create(app("web", "", from(r.ref("1")), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.ImagePullSecrets = []v1alpha1.LocalObjectReference{{Name: "pull"}}
	}))
	tc := n.unready(soon, "web", v1alpha1.ReasonImageUnavailable)
	if c := conditions.Get(tc, conditions.Ready); !strings.Contains(c.Message, "imagePullSecrets") {
		t.Errorf("message: got %q, want it to say where to look", c.Message)
	}

	n.replace(pull, func() { pull.Data[corev1.DockerConfigJsonKey] = credentials(r.password) })
	n.ready("web")
	n.wantImage("web", pinned)
	if text := fmt.Sprint(n.service("web").Spec); strings.Contains(text, r.password) {
		t.Error("the password can be read in Swarm's service")
	}
}

// TestImageThatCannotBePulled resolves and is not to be had: only the engine finds out, and its words reach the tenant.
func TestImageThatCannotBePulled(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	r := n.registry("")
	n.push(r, "v1", "1")
	n.push(r, "v3", "3")
	near := n.neighbour()
	n.run(app("web", "", from(r.ref("1")), replicas(2)))
	service := n.settled("web")

	r.noBlobs.Store(true)
	p := near.probe("web")
	n.edit("web", from(r.ref("3")))
	n.wantCause("web", v1alpha1.ReasonImageUnavailable, "No such image", func(task swarm.Task) bool {
		return task.Status.State == swarm.TaskStateRejected
	})
	n.wantRolledBack("web", v1alpha1.ReasonImageUnavailable)
	was := n.settled("web")
	stays(t, 10*time.Second, "the failed spec is left alone", func() error { return n.unmoved(was) })
	p.finish(n)
	if got := n.meter.updates(service.ID); got != 1 {
		t.Errorf("our updates of the service: got %d, want 1", got)
	}
}
