//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/conditions"
)

// shelf is a registry on this machine.
type shelf struct {
	t    *testing.T
	host string
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)

	return &shelf{t: t, host: strings.TrimPrefix(s.URL, "http://")}
}

// image is one that there was not before.
func (s *shelf) image() v1.Image {
	s.t.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		s.t.Fatal(err)
	}

	return image
}

// push gives an image a tag, and returns its digest.
func (s *shelf) push(tag string, image v1.Image) string {
	s.t.Helper()
	ref, err := name.NewTag(s.host + "/app:" + tag)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		s.t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}

	return digest.String()
}

// imagePolicy is an ImagePolicy of a place.
type imagePolicy struct {
	*syncPlace
	name string
}

var imagePolicies = gitopsv1.GroupVersion.WithResource("imagepolicies")

// follow makes a policy with the spec, in YAML.
func (p *syncPlace) follow(name, spec string) (*imagePolicy, error) {
	p.t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte("spec: "+spec), &u.Object); err != nil {
		p.t.Fatal(err)
	}
	u.SetAPIVersion(gitopsv1.GroupVersion.String())
	u.SetKind("ImagePolicy")
	u.SetNamespace(p.namespace)
	u.SetName(name)
	_, err := p.dynamic(p.t).Resource(imagePolicies).Namespace(p.namespace).Create(p.t.Context(), u, metav1.CreateOptions{})

	return &imagePolicy{syncPlace: p, name: name}, err
}

// looked asks for a look, and waits until it has ended for the reason.
func (i *imagePolicy) looked(reason string) *gitopsv1.ImagePolicy {
	i.t.Helper()
	// What a registry has answered is believed for two seconds, whoever asks.
	time.Sleep(2100 * time.Millisecond)
	api := i.dynamic(i.t).Resource(imagePolicies).Namespace(i.namespace)
	token := strconv.FormatInt(asked.Add(1), 10)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{gitopsv1.AnnotationRequestedAt: token}}})
	if err != nil {
		i.t.Fatal(err)
	}
	if _, err := api.Patch(i.t.Context(), i.name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		i.t.Fatal(err)
	}

	var last string
	for deadline := time.Now().Add(2 * soon); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		u, err := api.Get(i.t.Context(), i.name, metav1.GetOptions{})
		if err != nil {
			i.t.Fatal(err)
		}
		var p gitopsv1.ImagePolicy
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &p); err != nil {
			i.t.Fatal(err)
		}
		ready := conditions.Get(&p, conditions.Ready)
		if ready == nil || p.Status.LastHandledReconcileAt != token {
			continue
		}
		if ready.Reason == reason {
			return &p
		}
		last = fmt.Sprintf("%s %s: %s", ready.Status, ready.Reason, ready.Message)
	}
	i.t.Fatalf("the ImagePolicy does not come to %s: %s", reason, last)

	return nil
}

func (p *syncPlace) container(name, image string) {
	p.t.Helper()
	if _, err := p.dynamic(p.t).Resource(containers).Namespace(p.namespace).Create(p.t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "TenantContainer", "metadata": map[string]any{"name": name}, "spec": map[string]any{"image": image},
	}}, metav1.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// runs is the image of a container, and its generation, which counts changes of the spec.
func (p *syncPlace) runs(name string) (string, int64) {
	p.t.Helper()
	u, err := p.dynamic(p.t).Resource(containers).Namespace(p.namespace).Get(p.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	image, _, _ := unstructured.NestedString(u.Object, "spec", "image")

	return image, u.GetGeneration()
}

// TestImagePolicy follows images from a registry to containers and to a repository.
func TestImagePolicy(t *testing.T) {
	s := newSyncServer(t)
	for name, test := range map[string]func(*syncPlace, *shelf){
		"Containers": imagesToContainers,
		"Digest":     imagesByDigest,
		"Git":        imagesToGit,
		"Kept":       imagesThatGitKeeps,
		"Refused":    imagePoliciesRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(s.place(t), newShelf(t))
		})
	}
}

// imagesToContainers: a new tag is a new image, once, and by our field manager.
func imagesToContainers(p *syncPlace, r *shelf) {
	r.push("1.0.0", r.image())
	p.container("web", r.host+"/app:1.0.0")
	i, err := p.follow("web", fmt.Sprintf("{image: '%s/app', interval: 24h, policy: {semver: {range: 1.x}}, update: {containers: {names: [web]}}}", r.host))
	if err != nil {
		p.t.Fatal(err)
	}
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	_, before := p.runs("web")

	digest := r.push("1.1.0", r.image())
	r.push("2.0.0", r.image())
	got := i.looked(gitopsv1.ReasonReconciliationSucceeded)
	image, after := p.runs("web")
	if image != r.host+"/app:1.1.0" || after != before+1 || got.Status.LatestImage != r.host+"/app:1.1.0@"+digest || got.Status.Tags != 3 {
		p.t.Errorf("the container has %q, generation %d after %d; %+v", image, after, before, got.Status)
	}

	u, err := p.dynamic(p.t).Resource(containers).Namespace(p.namespace).Get(p.t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	owner := ""
	for _, f := range u.GetManagedFields() {
		if f.FieldsV1 != nil && strings.Contains(string(f.FieldsV1.GetRawBytes()), `"f:image"`) {
			owner = f.Manager
		}
	}
	if owner != gitopsv1.FieldManagerImages {
		p.t.Errorf("the image is the field of %q", owner)
	}

	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	if _, again := p.runs("web"); again != after {
		p.t.Errorf("nothing is new, and the container is changed: generation %d after %d", again, after)
	}
}

// imagesByDigest: a tag that is moved is followed, and one that is pushed again with the same content is not.
func imagesByDigest(p *syncPlace, r *shelf) {
	same := r.image()
	first := r.push("main", same)
	p.container("web", r.host+"/app:main@"+first)
	i, err := p.follow("web", fmt.Sprintf("{image: '%s/app', policy: {digest: {tag: main}}, update: {containers: {selector: {}}}}", r.host))
	if err != nil {
		p.t.Fatal(err)
	}
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	r.push("main", same)
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	if image, generation := p.runs("web"); generation != 1 {
		p.t.Errorf("nothing is new, and the container has %q", image)
	}

	second := r.push("main", r.image())
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	if image, generation := p.runs("web"); image != r.host+"/app:main@"+second || generation != 2 {
		p.t.Errorf("the container has %q, generation %d", image, generation)
	}
}

// imagesToGit: a new tag is one commit, which a GitSync applies; with nothing new there is none.
func imagesToGit(p *syncPlace, r *shelf) {
	r.push("1.0.0", r.image())
	file := func(tag string) string {
		return fmt.Sprintf("# What runs\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata:\n    image: '%s/app:%s'   # {\"$imagepolicy\": \"%s:app\"}\n", r.host, tag, p.namespace)
	}
	g := p.sync("app", gittest.Files{"deploy/app.yaml": file("1.0.0"), "README.md": "Hello\n"}, func(s *gitopsv1.GitSync) { s.Spec.Path = "deploy" })
	g.repo.Writable()
	first := g.repo.Head()
	g.applied(first)

	i, err := p.follow("app", fmt.Sprintf("{image: '%s/app', policy: {semver: {range: 1.x}}, update: {git: {gitSyncName: app, author: {name: Bot, email: bot@example.test}}}}", r.host))
	if err != nil {
		p.t.Fatal(err)
	}
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	if head := g.repo.Git("rev-parse", "main"); head != first {
		p.t.Errorf("nothing is new, and there is commit %s", head)
	}

	r.push("1.1.0", r.image())
	got := i.looked(gitopsv1.ReasonReconciliationSucceeded)
	head := g.repo.Git("rev-parse", "main")
	if got.Status.LastPushCommit != head || g.repo.Git("rev-parse", "main^") != first || g.repo.Git("show", "main:deploy/app.yaml")+"\n" != file("1.1.0") {
		p.t.Errorf("after a new tag: %+v\n%s", got.Status, g.repo.Git("log", "-p", "main"))
	}

	g.ask()
	g.applied(head)
	if data := p.data("app"); data["image"] != r.host+"/app:1.1.0" {
		p.t.Errorf("the commit is not applied: %v", data)
	}

	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	if now := g.repo.Git("rev-parse", "main"); now != head {
		p.t.Errorf("nothing is new, and there is commit %s", now)
	}
}

// imagesThatGitKeeps: a container that a GitSync keeps is left alone until the GitSync leaves its image to others.
func imagesThatGitKeeps(p *syncPlace, r *shelf) {
	r.push("1.0.0", r.image())
	r.push("1.1.0", r.image())
	g := p.sync("app", gittest.Files{"web.yaml": fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: {image: '%s/app:1.0.0'}\n", r.host)}, nil)
	g.applied(g.repo.Head())

	i, err := p.follow("web", fmt.Sprintf("{image: '%s/app', policy: {semver: {range: 1.x}}, update: {containers: {names: [web]}}}", r.host))
	if err != nil {
		p.t.Fatal(err)
	}
	got := i.looked(gitopsv1.ReasonManagedByGit)
	if image, _ := p.runs("web"); !strings.HasSuffix(image, ":1.0.0") || !conditions.IsTrue(got, conditions.Stalled) {
		p.t.Errorf("the container has %q: %v", image, got.Status.Conditions)
	}

	g.change(map[string]any{"ignoreFields": []map[string]any{{"kind": "TenantContainer", "paths": []string{"/spec/image"}}}})
	g.settled(gitopsv1.ReasonReconciliationSucceeded)
	i.looked(gitopsv1.ReasonReconciliationSucceeded)
	g.ask()
	g.settled(gitopsv1.ReasonReconciliationSucceeded)
	if image, _ := p.runs("web"); !strings.HasSuffix(image, ":1.1.0") {
		p.t.Errorf("the container has %q", image)
	}
}

// imagePoliciesRefused: what cannot work is said at once, by field.
func imagePoliciesRefused(p *syncPlace, _ *shelf) {
	for spec, says := range map[string]string{
		"{image: 'nginx:1', policy: {semver: {range: 1.x}}}":                                                                                   "spec.image",
		"{image: nginx, policy: {}}":                                                                                                           "must have exactly one of semver, alphabetical, numerical and digest",
		"{image: nginx, policy: {semver: {range: 1.x}, digest: {tag: a}}}":                                                                     "must have exactly one of semver, alphabetical, numerical and digest",
		"{image: nginx, policy: {semver: {range: newest}}}":                                                                                    "spec.policy.semver.range",
		"{image: nginx, policy: {digest: {tag: a}}, filterTags: {pattern: a}}":                                                                 "spec.filterTags",
		"{image: nginx, interval: 30s, policy: {digest: {tag: a}}}":                                                                            "must be from 1m to 24h",
		"{image: nginx, policy: {digest: {tag: a}}, update: {}}":                                                                               "must have exactly one of containers and git",
		"{image: nginx, policy: {digest: {tag: a}}, update: {containers: {}}}":                                                                 "must have names, selector or both",
		"{image: nginx, policy: {digest: {tag: a}}, update: {git: {author: {name: a, email: a@b.c}}}}":                                         "must have exactly one of gitSyncName and url",
		"{image: nginx, policy: {digest: {tag: a}}, update: {git: {url: 'https://git.example/a', author: {name: 'a<b', email: a@b.c}}}}":       "spec.update.git.author.name",
		"{image: nginx, policy: {digest: {tag: a}}, update: {git: {url: 'https://x:hunter2@git.example/a', author: {name: a, email: a@b.c}}}}": "spec.update.git.url",
	} {
		_, err := p.follow("bad", spec)
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			p.t.Errorf("%s\ngot %v, want %q", spec, err, says)
		}
	}
}
