//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	imagename "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// stacksDir holds the Compose files whose conversion internal/compose holds against golden files.
const stacksDir = "../../internal/compose/testdata/stacks"

// fewStacks are run in the common run: files of secrets, jobs that others wait for, health checks in shells and without, read-only
// files, users, several replicas, a digest. All of them run when DOGKER_LONG is set.
var fewStacks = []string{"blog-classic", "bookmarks", "data-pipeline", "erp", "errors", "office", "proxy-nginx", "short-links"}

// crowd is a stack of a hundred tasks, which the others would wait for.
const crowd = "time-tracking"

// elsewhere is what is said of a stack that asks for what this swarm of one manager does not have, or nothing.
func (s stack) elsewhere() (says string) {
	// Who starts engines in a container cannot give their containers more open files than that has.
	var most syscall.Rlimit
	known := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most) == nil
	for _, tc := range s.containers {
		for _, u := range tc.Spec.Ulimits {
			if known && u.Name == "nofile" && uint64(u.Hard) > most.Max { //nolint:gosec // the schema has no negative ones
				return "rlimit"
			}
		}
		if p := tc.Spec.Placement; p != nil && slices.Contains(p.Constraints, "node.role == worker") {
			return "no suitable node"
		}
	}

	return ""
}

// refused are stacks of which the report says that a plan for tenants takes them only with changes, and the rule that is broken.
var refused = map[string]string{
	"registry": "refused by rule S2",
}

// readyBy is long, because the health checks of those that wait for each other come one after the other, half a minute apart.
const readyBy = 5 * time.Minute

// composeCell is what stacks share: a registry that has every image that any of them names, and the ports of the node.
type composeCell struct {
	*cell
	registry *imageRegistry
	image    *standinImage
	mu       sync.Mutex
	ports    map[int32]*sync.Mutex
}

// TestComposeStacks converts Compose files with the program, applies what comes out as a developer of a tenant, waits until all of
// it is Ready on a real swarm, and deletes it. What is converted is applied as it is, but that images are taken from the test's
// registry, where a stand-in for each has the same name.
func TestComposeStacks(t *testing.T) {
	t.Parallel()
	c := &composeCell{cell: newCell(t, lab.Options{}), image: buildStandin(t), ports: map[int32]*sync.Mutex{}}
	c.registry = (&tenant{cell: c.cell, t: t}).registry("")

	names := fewStacks
	if long() {
		names = allStacks(t)
	}
	t.Run("stacks", func(t *testing.T) {
		for _, name := range names {
			if name != crowd {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c.stack(t, name)
				})
			}
		}
	})
	if long() {
		t.Run(crowd, func(t *testing.T) { c.stack(t, crowd) })
	}
}

func allStacks(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(stacksDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, folder := range folders {
		names = append(names, filepath.Base(folder))
	}

	return names
}

// stack goes through the life of one.
func (c *composeCell) stack(t *testing.T, name string) {
	s := c.converted(t, name)
	t.Cleanup(c.reserve(s.ports())) // After the tenant is gone: what is done last is undone first.

	n := &tenant{cell: c.cell, t: t, name: "stack-" + name}
	n.declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "stacks"}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfileBaseline,
		// Stacks say what they may use, and seldom what to set aside; here it is for stand-ins.
		ContainerDefaults: v1alpha1.ContainerDefaults{
			Requests: v1alpha1.DefaultRequests{CPU: resource.MustParse("1m"), Memory: resource.MustParse("4Mi")},
			Limits:   v1alpha1.DefaultLimits{Memory: resource.MustParse("1Gi")},
		},
		Images: &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{v1alpha1.ImagePattern(c.registry.host)}},
	}})
	n.annotate(v1alpha1.AnnotationDeleteData, n.name)
	config := n.developer("ada")
	if rule, ok := refused[name]; ok {
		out, err := n.tryKubectl("--kubeconfig", config, "apply", "-f", n.manifest(s.yaml))
		if err == nil || !strings.Contains(err.Error(), rule) || !strings.Contains(s.report, rule) {
			t.Errorf("got %s, %v, and the report\n%s\nwant all to say %q", out, err, s.report, rule)
		}

		return
	}

	start := time.Now()
	n.kubectl("--kubeconfig", config, "apply", "-f", n.manifest(s.yaml))
	if says := s.elsewhere(); says != "" {
		await(t, goneBy, "it is said that there is no place for it", func() error { return n.anySays(says) })
	} else {
		await(t, readyBy, "all containers are Ready", func() error { return n.stackReady(len(s.containers)) })
		t.Logf("%d containers are Ready after %.1f s", len(s.containers), time.Since(start).Seconds())
	}

	n.kubectl("--kubeconfig", config, "delete", "--wait=false", "-f", n.manifest(s.yaml))
	await(t, goneBy, "its containers are gone", func() error {
		list, err := n.declaredContainers()
		if err == nil && len(list) > 0 {
			err = fmt.Errorf("there are still %d", len(list))
		}

		return err
	})
}

// stackReady is an error while a container is not as it was declared. One that is to end has ended well.
func (n *tenant) stackReady(count int) error {
	list, err := n.declaredContainers()
	if err != nil {
		return err
	}
	if len(list) != count {
		return fmt.Errorf("there are %d containers, want %d", len(list), count)
	}
	for _, tc := range list {
		ready := conditions.Get(&tc, conditions.Ready)
		if ready == nil || tc.Status.ObservedGeneration != tc.Generation {
			return fmt.Errorf("container %q is not looked at", tc.Name)
		}
		job := tc.Spec.RestartPolicy != nil && tc.Spec.RestartPolicy.Condition == v1alpha1.RestartOnFailure
		if ended := job && ready.Reason == v1alpha1.ReasonCompleted; ready.Status != metav1.ConditionTrue && !ended {
			return fmt.Errorf("container %q: %s: %s", tc.Name, ready.Reason, ready.Message)
		}
	}

	return nil
}

// anySays is an error unless Ready of a container has these words in its message.
func (n *tenant) anySays(words string) error {
	list, err := n.declaredContainers()
	if err != nil {
		return err
	}
	var heard []string
	for _, tc := range list {
		if c := conditions.Get(&tc, conditions.Ready); c != nil {
			heard = append(heard, c.Message)
		}
	}
	if !strings.Contains(strings.Join(heard, "\n"), words) {
		return fmt.Errorf("what is said is %q", heard)
	}

	return nil
}

func (n *tenant) declaredContainers() ([]v1alpha1.TenantContainer, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()
	var list v1alpha1.TenantContainerList
	err := n.api.List(ctx, &list, client.InNamespace(n.name))

	return list.Items, err
}

// reserve waits for ports of the nodes, of which there is one each, and returns what gives them back.
func (c *composeCell) reserve(ports []int32) (giveBack func()) {
	var held []*sync.Mutex
	for _, port := range ports {
		c.mu.Lock()
		one := c.ports[port]
		if one == nil {
			one = &sync.Mutex{}
			c.ports[port] = one
		}
		c.mu.Unlock()
		one.Lock()
		held = append(held, one)
	}

	return func() {
		for _, one := range held {
			one.Unlock()
		}
	}
}

// stack is what came of a Compose file.
type stack struct {
	yaml       string
	report     string
	containers []v1alpha1.TenantContainer
}

// ports are published ones, in order, so that no two stacks wait for each other.
func (s stack) ports() []int32 {
	var out []int32
	for _, tc := range s.containers {
		for _, p := range tc.Spec.Ports {
			if p.Publish != nil {
				out = append(out, p.Publish.Port)
			}
		}
	}
	slices.Sort(out)

	return slices.Compact(out)
}

// converted runs the program on the files of a stack, with the arguments and variables that are kept beside them, and gives every
// image that comes out a stand-in. What the report says has to be made by hand is made here.
func (c *composeCell) converted(t *testing.T, name string) stack {
	t.Helper()
	out, report := c.convert(t, filepath.Join(stacksDir, name))

	s := stack{report: report}
	var documents []string
	made := map[string]bool{}
	for document := range strings.SplitSeq(strings.TrimSpace(out), "\n---\n") {
		document += "\n"
		var o metav1.PartialObjectMetadata
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		made[o.Kind+" "+o.Name] = true
		if o.Kind == "TenantContainer" {
			var tc v1alpha1.TenantContainer
			if err := yaml.UnmarshalStrict([]byte(document), &tc); err != nil {
				t.Fatal(err)
			}
			had := "\n  image: " + string(tc.Spec.Image) + "\n"
			if strings.Count(document, had) != 1 {
				t.Fatalf("the image is not where it was looked for:\n%s", document)
			}
			document = strings.Replace(document, had, "\n  image: "+c.standInFor(t, string(tc.Spec.Image))+"\n", 1)
			s.containers = append(s.containers, tc)
		}
		documents = append(documents, document)
	}
	for _, tc := range s.containers {
		for _, f := range tc.Spec.Files {
			if ref := f.SecretKeyRef; ref != nil && !made["Secret "+string(ref.Name)] {
				documents = append(documents, byHand(t, string(ref.Name), string(ref.Key)))
				made["Secret "+string(ref.Name)] = true
			}
		}
	}
	s.yaml = strings.Join(documents, "---\n")

	return s
}

// convert runs the program in a world without variables of the machine's.
func (c *composeCell) convert(t *testing.T, folder string) (manifests, report string) {
	t.Helper()
	args := []string{"convert"}
	var environ []string
	content, err := os.ReadFile(filepath.Join(folder, "args"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(content)) {
		if strings.Contains(word, "=") {
			environ = append(environ, word)
		} else {
			args = append(args, word)
		}
	}
	manifests, report, err = runIn(folder, environ, args...)
	if err != nil {
		t.Fatalf("convert %s: %v\n%s", folder, err, report)
	}

	return manifests, report
}

// byHand is a Secret that a stack refers to and does not have.
func byHand(t *testing.T, name, key string) string {
	t.Helper()
	raw, err := yaml.Marshal(&corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: name},
		StringData: map[string]string{key: "made by hand"},
	})
	if err != nil {
		t.Fatal(err)
	}

	return string(raw)
}

// standInFor pushes the stand-in under the name and the tag of an image, and returns the reference. A digest is replaced by that of
// the stand-in.
func (c *composeCell) standInFor(t *testing.T, image string) string {
	t.Helper()
	tagged, digest, pinned := strings.Cut(image, "@")
	was, err := imagename.NewTag(tagged)
	if err != nil {
		t.Fatalf("%s, %s: %v", tagged, digest, err)
	}
	ref, err := imagename.NewTag(c.registry.host+"/"+was.RepositoryStr()+":"+was.TagStr(), imagename.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, c.image.image, remote.WithContext(t.Context())); err != nil {
		t.Fatalf("push %s: %v", ref, err)
	}
	if pinned {
		return ref.String() + "@" + c.image.digest
	}

	return ref.String()
}
