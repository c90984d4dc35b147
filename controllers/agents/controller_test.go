package agents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// cluster is a swarm and the events of an API, in memory.
type cluster struct {
	world  swarmobj.World
	image  swarmobj.LocalImage
	writes []string
	events []string
	stale  bool
}

func (c *cluster) Look(context.Context, swarmobj.Owner) (swarmobj.World, error) { return c.world, nil }

func (c *cluster) LocalImage(context.Context, string) (swarmobj.LocalImage, error) {
	if c.image.ID == "" {
		return c.image, swarmobj.ErrNotFound
	}

	return c.image, nil
}

func (c *cluster) CreateService(_ context.Context, spec swarm.ServiceSpec, _ string) (string, error) {
	c.writes = append(c.writes, "create "+spec.Name)
	c.show(spec)

	return "service", nil
}

func (c *cluster) UpdateService(_ context.Context, _ swarm.Service, spec swarm.ServiceSpec, _ string) error {
	if c.stale {
		c.stale = false
		return swarmobj.ErrStale
	}
	c.writes = append(c.writes, "update "+spec.TaskTemplate.ContainerSpec.Image)
	c.show(spec)

	return nil
}

// show fills in what engines fill in.
func (c *cluster) show(spec swarm.ServiceSpec) {
	spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: "id-of-host"}}
	spec.TaskTemplate.Placement.Platforms = []swarm.Platform{{OS: "linux"}}
	container := *spec.TaskTemplate.ContainerSpec
	container.DNSConfig = &swarm.DNSConfig{}
	spec.TaskTemplate.ContainerSpec = &container
	c.world.Service = &swarm.Service{ID: "service", Spec: spec}
}

func (c *cluster) RemoveService(context.Context, string, swarmobj.Owner) error {
	c.writes = append(c.writes, "remove")
	c.world.Service = nil

	return nil
}

func (c *cluster) CreateSecret(_ context.Context, spec swarm.SecretSpec) (string, error) {
	c.writes = append(c.writes, fmt.Sprintf("secret of %d bytes", len(spec.Data)))
	c.world.Secrets[spec.Name] = swarmobj.Content{ID: "id-" + spec.Name, Name: spec.Name}

	return "id-" + spec.Name, nil
}

func (c *cluster) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	c.events = append(c.events, strings.Join([]string{object.(*corev1.Node).Name, kind, reason, fmt.Sprintf(format, args...)}, " "))
}

func (c *cluster) take() []string {
	writes := c.writes
	c.writes = nil

	return writes
}

func member(name string) swarm.Node {
	n := swarm.Node{ID: "id-" + name}
	n.Description.Hostname, n.Description.Platform.OS = name, "linux"
	n.Status.State, n.Spec.Availability = swarm.NodeStateReady, swarm.NodeAvailabilityActive

	return n
}

func newCluster() *cluster {
	return &cluster{world: swarmobj.World{
		Secrets: map[string]swarmobj.Content{}, Nodes: []swarm.Node{member("one"), member("two"), member("three")},
	}}
}

// loop is a controller on a cluster, whose options may be changed.
func loop(t *testing.T, c *cluster) *Controller {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "dogker-system", UID: "cluster"}}
	digests, err := swarmobj.NewDigestKey(make([]byte, swarmobj.DigestKeySize))
	if err != nil {
		t.Fatal(err)
	}

	return New(fake.NewClientBuilder().WithScheme(scheme).WithObjects(ns).Build(), c, c, Options{
		Namespace: "dogker-system", Image: "dogker.internal/agent:1", Port: 6444, Socket: "/var/run/docker.sock",
		OwnNode: func() (string, bool) { return "id-one", true },
		Bundle:  func(context.Context) ([]byte, error) { return []byte("bundle"), nil },
		Digests: digests,
	}, slog.New(slog.DiscardHandler), nil)
}

func sweep(t *testing.T, l *Controller) {
	t.Helper()

	if err := l.Sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
}

// TestLifeOfTheService goes through what operators do, and wants that nothing is written without a difference.
func TestLifeOfTheService(t *testing.T) {
	c := newCluster()
	l := loop(t, c)

	steps := []struct {
		reason string
		change func()
		want   []string
	}{
		{"The first look makes the secret and the service.", func() {}, []string{"secret of 6 bytes", "create dogker-system_agent"}},
		{"What the engine fills in is no difference.", func() {}, nil},
		{"An image that was loaded is named by its ID.", func() { c.image.ID = "sha256:1" }, []string{"update sha256:1"}},
		{"Another one by the same name is another ID.", func() { c.image.ID = "sha256:2" }, []string{"update sha256:2"}},
		{"Another flag is an upgrade.", func() { l.o.Image, c.image.ID = "example.com/dogker:2", "" }, []string{"update example.com/dogker:2"}},
		{"An image of a registry is pinned.", func() {
			c.image = swarmobj.LocalImage{ID: "sha256:3", Digests: []string{"example.com/dogker@sha256:" + strings.Repeat("4", 64)}}
		}, []string{"update example.com/dogker:2@sha256:" + strings.Repeat("4", 64)}},
		{"What somebody changed by hand is put back.", func() {
			changed := c.world.Service.Spec
			container := *changed.TaskTemplate.ContainerSpec
			container.Env, container.CapabilityDrop = append(slices.Clone(container.Env), "X=1"), nil
			changed.TaskTemplate.ContainerSpec = &container
			c.world.Service.Spec = changed
		}, []string{"update example.com/dogker:2@sha256:" + strings.Repeat("4", 64)}},
		{"Another authority is another secret.", func() {
			l.o.Bundle = func(context.Context) ([]byte, error) { return []byte("another"), nil }
		}, []string{"secret of 7 bytes", "update example.com/dogker:2@sha256:" + strings.Repeat("4", 64)}},
		{"While it is not known which node is the server's, nothing is written.", func() {
			l.o.Port, l.o.OwnNode = 7000, func() (string, bool) { return "", false }
		}, nil},
		{"What was sent and not read back cannot be compared.", func() {
			l.o.OwnNode, c.world.Uncertain = func() (string, bool) { return "", true }, true
		}, nil},
		{"Then it is.", func() { c.world.Uncertain = false }, []string{"update example.com/dogker:2@sha256:" + strings.Repeat("4", 64)}},
		{"Without an image there are no agents.", func() { l.o.Image = "" }, []string{"remove"}},
		{"And there is nothing left to do.", func() {}, nil},
	}

	for i, s := range steps {
		s.change()
		sweep(t, l)
		if diff := cmp.Diff(s.want, c.take()); diff != "" {
			t.Fatalf("step %d: %s (-want +got):\n%s", i, s.reason, diff)
		}
		sweep(t, l)
		if again := c.take(); again != nil {
			t.Fatalf("step %d: a second look wrote %v", i, again)
		}
	}
}

func TestForeignServiceIsLeftAlone(t *testing.T) {
	c := newCluster()
	c.world.Squatter = &swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "dogker-system_agent"}}}

	if err := loop(t, c).Sweep(t.Context(), time.Now()); err == nil || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("got %v, want an error that says whose it is not", err)
	}
	if writes := c.take(); writes != nil {
		t.Errorf("it wrote %v", writes)
	}
}

func TestStaleWriteIsTriedAgain(t *testing.T) {
	c := newCluster()
	l := loop(t, c)
	sweep(t, l)
	c.take()
	l.o.Port, c.stale = 7000, true

	if err := l.Sweep(t.Context(), time.Now()); !errors.Is(err, swarmobj.ErrStale) {
		t.Fatalf("got %v, want that somebody else was faster", err)
	}
	sweep(t, l)
	if len(c.take()) != 1 {
		t.Error("the next look did not write")
	}
}

// TestRender wants of the service what makes the socket in it bearable.
func TestRender(t *testing.T) {
	spec := render(wish{
		owner: swarmobj.Agents("dogker-system", "uid"), image: "image", written: "written",
		secret: swarmobj.Content{ID: "id", Name: "name"}, port: 7000, socket: "/run/{{.Node.Hostname}}.sock", except: "own",
	})
	c := spec.TaskTemplate.ContainerSpec

	if !c.ReadOnly || !slices.Equal(c.CapabilityDrop, []string{"ALL"}) || c.CapabilityAdd != nil || len(c.Mounts) != 1 || len(c.Secrets) != 1 {
		t.Errorf("got %+v, want a root that cannot be written, no capabilities, and the socket and a secret alone", c)
	}
	if l := spec.TaskTemplate.Resources.Limits; l.MemoryBytes == 0 || l.NanoCPUs == 0 || l.Pids == 0 {
		t.Errorf("limits: got %+v, want all", l)
	}
	if spec.TaskTemplate.LogDriver.Options["max-size"] == "" {
		t.Error("its log grows without bound")
	}
	if diff := cmp.Diff([]string{"node.platform.os==linux", "node.id!=own"}, spec.TaskTemplate.Placement.Constraints); diff != "" {
		t.Errorf("constraints (-want +got):\n%s", diff)
	}
	owner, ours := swarmobj.OwnerOf(spec.Labels)
	if want := swarmobj.Agents("dogker-system", "uid"); !ours || owner != want {
		t.Errorf("owner: got %+v, want %+v", owner, want)
	}
	if spec.UpdateConfig.Order != swarm.UpdateOrderStopFirst || spec.Mode.Global == nil {
		t.Errorf("got mode %+v and update %+v, want one on each node, and the old one to go first", spec.Mode, spec.UpdateConfig)
	}
}

func task(node string, state swarm.TaskState, err string, created time.Time) swarmobj.Task {
	return swarmobj.Task{NodeID: "id-" + node, State: state, Desired: swarm.TaskStateRunning, Err: err, Created: created}
}

// TestNodesAreTold: what fails is said once, in the engine's words, after it had its time.
func TestNodesAreTold(t *testing.T) {
	c := newCluster()
	l := loop(t, c)
	sweep(t, l)
	drained := member("four")
	drained.Spec.Availability = swarm.NodeAvailabilityDrain
	c.world.Nodes = append(c.world.Nodes, drained)
	start := time.Now()
	c.world.Tasks = []swarmobj.Task{
		task("two", swarm.TaskStateRunning, "", start), task("three", swarm.TaskStateRejected, "No such image", start.Add(-time.Second)),
		task("three", swarm.TaskStatePreparing, "No such image: sha256:1", start),
	}
	at := func(d time.Duration) []string {
		t.Helper()
		if err := l.Sweep(t.Context(), start.Add(d)); err != nil {
			t.Fatal(err)
		}
		events := c.events
		c.events = nil

		return events
	}

	if got := at(0); got != nil {
		t.Errorf("at first: %v", got)
	}
	if diff := cmp.Diff([]string{"three Warning AgentFailing The agent does not run: No such image: sha256:1"}, at(patience)); diff != "" {
		t.Errorf("after a while (-want +got):\n%s", diff)
	}
	if got := at(2 * patience); got != nil {
		t.Errorf("told again: %v", got)
	}
	c.world.Tasks[2].State = swarm.TaskStateRunning
	if diff := cmp.Diff([]string{"three Normal AgentRunning The agent runs"}, at(3*patience)); diff != "" {
		t.Errorf("when it runs (-want +got):\n%s", diff)
	}
}
