package monitoring

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/controllers/agents"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// system is Dogker's own namespace.
const system = "dogker-system"

// agentsStory: agents are wanted, another image is, none are for a while, and then somebody changes the service.
var agentsStory = story{
	start: startAgents,
	scenario: converge.Scenario{Name: "agents", Steps: []converge.Step{
		{Name: "wanted", Do: func(r *converge.Run) {
			r.Store.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}})
			wantAgents("registry.test/dogker:1")(r)
		}, Until: agentsRun("registry.test/dogker:1")},
		{Name: "upgrade", Do: wantAgents("registry.test/dogker:2"), Until: agentsRun("registry.test/dogker:2")},
		{Name: "not-wanted", Do: wantAgents(""), Until: agentsRun("")},
		{Name: "wanted-again", Do: wantAgents("registry.test/dogker:2"), Until: agentsRun("registry.test/dogker:2")},
		{Name: "changed", Do: func(r *converge.Run) {
			c := r.World.(*world).cluster
			c.mu.Lock()
			defer c.mu.Unlock()
			c.set(func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Image = "registry.test/stranger" })
		}, Until: agentsRun("registry.test/dogker:2")},
	}},
}

// wantAgents starts the server with another flag.
func wantAgents(image string) func(*converge.Run) {
	return func(r *converge.Run) {
		c := r.World.(*world).cluster
		c.mu.Lock()
		c.image = image
		c.mu.Unlock()
		r.Restart()
	}
}

func agentsRun(image string) until {
	return func(r *converge.Run) error {
		got := r.World.(*world).look()
		switch {
		case image == "" && got.Service == nil:
			return nil
		case image == "" || got.Service == nil || got.Service.Spec.TaskTemplate.ContainerSpec.Image != image:
			return fmt.Errorf("the service is %+v, want agents of %q", got.Service, image)
		default:
			return nil
		}
	}
}

func startAgents(p *converge.Process) {
	c := p.World.(*world).cluster
	c.mu.Lock()
	image := c.image
	c.mu.Unlock()
	digests, err := swarmobj.NewDigestKey(make([]byte, swarmobj.DigestKeySize))
	must(err)
	loop := agents.New(p.Live, connection{p, c}, silentNodes{}, agents.Options{
		Namespace: system, Image: image, Port: 7946, Socket: "/var/run/docker.sock",
		OwnNode: func() (string, bool) { return "own", true },
		Bundle:  func(context.Context) ([]byte, error) { return []byte("bundle"), nil },
		Digests: digests,
	}, slog.New(slog.DiscardHandler), nil)
	p.Reconcile(idle)
	p.Go(func(ctx context.Context) { _ = loop.Start(ctx) })
}

// reconcileNothing is a loop that has nothing to do.
type reconcileNothing struct{}

func (reconcileNothing) Reconcile(context.Context, reconcile.Request) (reconcile.Result, error) {
	return reconcile.Result{}, nil
}

// silentNodes records no events of nodes.
type silentNodes struct{}

func (silentNodes) Eventf(runtime.Object, string, string, string, ...any) {}

// cluster is the part of a swarm that agents need.
type cluster struct {
	mu      sync.Mutex
	image   string // That is wanted.
	service *swarm.Service
	secrets map[string]swarmobj.Content
	wrong   []string
}

func newCluster() *cluster { return &cluster{secrets: map[string]swarmobj.Content{}} }

func (c *cluster) look() swarmobj.World {
	c.mu.Lock()
	defer c.mu.Unlock()

	out := swarmobj.World{Secrets: maps.Clone(c.secrets)}
	if c.service != nil {
		copied := *c.service
		out.Service = &copied
	}

	return out
}

// set changes the spec of the service, which is another version then.
func (c *cluster) set(how func(*swarm.ServiceSpec)) {
	next := *c.service
	container := *next.Spec.TaskTemplate.ContainerSpec
	next.Spec.TaskTemplate.ContainerSpec = &container
	how(&next.Spec)
	next.Version.Index++
	c.service = &next
}

func (c *cluster) lines() []string {
	w := c.look()

	return []string{fmt.Sprintf("agents: service %t, secrets %v", w.Service != nil, slices.Sorted(maps.Keys(w.Secrets)))}
}

func (c *cluster) broken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()

	return slices.Clone(c.wrong)
}

// connection is the way of a process to the engine.
type connection struct {
	p *converge.Process
	c *cluster
}

var _ agents.Swarm = connection{}

func (n connection) do(ctx context.Context, op string, write bool, act func() error) error {
	return across(ctx, n.p, converge.Call{Seam: "Engine", Op: op, Target: "agents", Write: write}, func() error {
		n.c.mu.Lock()
		defer n.c.mu.Unlock()

		return act()
	})
}

func (n connection) Look(context.Context, swarmobj.Owner) (swarmobj.World, error) {
	return n.c.look(), nil
}

func (n connection) LocalImage(ctx context.Context, _ string) (swarmobj.LocalImage, error) {
	return swarmobj.LocalImage{}, n.do(ctx, "ImageInspect", false, func() error { return swarmobj.ErrNotFound })
}

func (n connection) CreateService(ctx context.Context, spec swarm.ServiceSpec, _ string) (string, error) {
	return "service", n.do(ctx, "ServiceCreate", true, func() error {
		if n.c.service != nil {
			return swarmobj.ErrExists
		}
		n.c.service = &swarm.Service{ID: "service", Spec: spec}

		return nil
	})
}

func (n connection) UpdateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, _ string) error {
	return n.do(ctx, "ServiceUpdate", true, func() error {
		switch {
		case n.c.service == nil:
			return swarmobj.ErrNotFound
		case n.c.service.Version != seen.Version:
			return swarmobj.ErrStale
		}
		n.c.set(func(s *swarm.ServiceSpec) { *s = spec })

		return nil
	})
}

func (n connection) RemoveService(ctx context.Context, id string, _ swarmobj.Owner) error {
	return n.do(ctx, "ServiceRemove", true, func() error {
		if n.c.service == nil || n.c.service.ID != id {
			return swarmobj.ErrNotFound
		}
		n.c.service = nil

		return nil
	})
}

func (n connection) CreateSecret(ctx context.Context, spec swarm.SecretSpec) (string, error) {
	return "id-" + spec.Name, n.do(ctx, "SecretCreate", true, func() error {
		if _, there := n.c.secrets[spec.Name]; there {
			return swarmobj.ErrExists
		}
		n.c.secrets[spec.Name] = swarmobj.Content{ID: "id-" + spec.Name, Name: spec.Name}

		return nil
	})
}
