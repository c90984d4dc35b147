package agents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// interval between two looks, when nothing is known to have changed.
const interval = 15 * time.Second

// Options say what is wanted. Without an image no agents are wanted.
type Options struct {
	// Namespace is Dogker's own.
	Namespace string
	// Image that the agents run, as the operator wrote it. Its /dogker is Dogker.
	Image string
	// Port that they listen on, and Socket of the engines, which may hold Swarm's placeholders, such as
	// {{.Node.Hostname}}.
	Port   int
	Socket string
	// OwnNode is the ID of the node that needs no agent, because this server asks its engine itself; empty when all
	// nodes need one. It is false while that is not known yet.
	//
	// It must be empty as soon as there may be other servers. Each of them would have to be left its own node only by
	// itself, and there is one service for all: so all nodes get an agent, and a server leaves alone that of its own.
	OwnNode func() (id string, known bool)
	// Bundle is what agents are given to know servers by. It is secret.
	Bundle func(ctx context.Context) ([]byte, error)
	// Digests makes the names of secrets.
	Digests swarmobj.DigestKey
}

// Controller is a Runnable of a manager, for the leader only.
type Controller struct {
	o        Options
	live     client.Reader
	swarm    Swarm
	recorder Recorder
	log      *slog.Logger
	metrics  metrics
	wake     chan struct{}
	uid      string
	nodes    nodes
	// held is why nothing is written, which is told once.
	held string
}

// New returns a controller. live asks the API server itself.
func New(live client.Reader, s Swarm, r Recorder, o Options, log *slog.Logger, reg prometheus.Registerer) *Controller {
	return &Controller{
		o: o, live: live, swarm: s, recorder: r, metrics: newMetrics(reg),
		log:   log.With(logkey.Controller, "agents"),
		wake:  make(chan struct{}, 1),
		nodes: nodes{},
	}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Controller) NeedLeaderElection() bool { return true }

// Hint tells that something of an owner has changed in Swarm. It does not block.
func (c *Controller) Hint(o swarmobj.Owner) {
	if o.Kind != swarmobj.KindAgents {
		return
	}

	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Start looks at once, after each hint and every interval, until the context ends.
func (c *Controller) Start(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()

	for {
		if err := c.Sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.hold(ctx, err)
		}

		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.wake:
		}
	}
}

// hold tells why nothing can be done, once for each reason. Somebody else's write is no reason: there is a next look.
func (c *Controller) hold(ctx context.Context, err error) {
	if errors.Is(err, swarmobj.ErrStale) || errors.Is(err, swarmobj.ErrExists) {
		return
	}
	if text := err.Error(); text != c.held {
		c.held = text
		c.log.WarnContext(ctx, "Agents cannot be kept", logkey.Err, err)
	}
	c.metrics.held.Set(1)
}

// Sweep looks once. It is exported for tests, which have a clock of their own.
func (c *Controller) Sweep(ctx context.Context, now time.Time) error {
	owner, err := c.owner(ctx)
	if err != nil {
		return err
	}
	world, err := c.swarm.Look(ctx, owner)
	if err != nil {
		return fmt.Errorf("look at agents: %w", err)
	}

	own, known := c.o.OwnNode()
	if !known {
		return nil
	}
	if c.o.Image == "" {
		err = c.remove(ctx, owner, world)
	} else {
		err = c.keep(ctx, owner, world, own)
	}
	if err != nil {
		return err
	}

	c.held = ""
	c.metrics.held.Set(0)
	c.report(world, own, now)

	return nil
}

func (c *Controller) owner(ctx context.Context) (swarmobj.Owner, error) {
	if c.uid == "" {
		var ns corev1.Namespace
		if err := c.live.Get(ctx, client.ObjectKey{Name: c.o.Namespace}, &ns); err != nil {
			return swarmobj.Owner{}, fmt.Errorf("read namespace %q: %w", c.o.Namespace, err)
		}
		c.uid = string(ns.UID)
	}

	return swarmobj.Agents(c.o.Namespace, c.uid), nil
}

func (c *Controller) remove(ctx context.Context, owner swarmobj.Owner, world swarmobj.World) error {
	if world.Service == nil {
		return nil
	}
	c.log.InfoContext(ctx, "Removing agents, because no image is given for them any more", logkey.Service, world.Service.ID)
	c.metrics.writes.WithLabelValues("remove").Inc()

	return c.swarm.RemoveService(ctx, world.Service.ID, owner)
}

// keep makes the service what it is to be.
func (c *Controller) keep(ctx context.Context, owner swarmobj.Owner, world swarmobj.World, own string) error {
	if world.Squatter != nil {
		return fmt.Errorf("the service %q is not ours: remove it, if the Dogker that made it is no more", world.Squatter.Spec.Name)
	}
	// What was sent and has not been read back cannot be compared.
	if world.Uncertain {
		return nil
	}

	secret, err := c.secret(ctx, owner, world)
	if err != nil {
		return err
	}
	image, err := c.image(ctx)
	if err != nil {
		return err
	}
	want := render(wish{owner: owner, image: image, secret: secret, port: c.o.Port, socket: c.o.Socket, except: own, written: c.o.Image})

	return c.apply(ctx, world.Service, want)
}

func (c *Controller) apply(ctx context.Context, have *swarm.Service, want swarm.ServiceSpec) error {
	if have == nil {
		c.log.InfoContext(ctx, "Creating agents", "image", want.TaskTemplate.ContainerSpec.Image)
		c.metrics.writes.WithLabelValues("create").Inc()
		_, err := c.swarm.CreateService(ctx, want, "")

		return err
	}

	diff := differences(want, have.Spec)
	if len(diff) == 0 {
		return nil
	}
	c.log.InfoContext(ctx, "Updating agents", logkey.Service, have.ID, logkey.Diff, strings.Join(diff, "; "))
	c.metrics.writes.WithLabelValues("update").Inc()
	want.TaskTemplate.ForceUpdate = have.Spec.TaskTemplate.ForceUpdate

	return c.swarm.UpdateService(ctx, *have, want, "")
}

// secret is the Swarm secret that holds the bundle. Its name is a digest of what it holds, so that another authority is
// another secret, and another secret restarts the agents.
func (c *Controller) secret(ctx context.Context, owner swarmobj.Owner, world swarmobj.World) (swarmobj.Content, error) {
	bundle, err := c.o.Bundle(ctx)
	if err != nil {
		return swarmobj.Content{}, err
	}

	name := c.o.Digests.ContentName(owner, bundle)
	if have, ok := world.Secrets[name]; ok {
		return have, nil
	}
	c.log.InfoContext(ctx, "Creating secret of agents", "secret", name)
	id, err := c.swarm.CreateSecret(ctx, swarm.SecretSpec{Annotations: swarm.Annotations{Name: name, Labels: owner.Labels()}, Data: bundle})

	return swarmobj.Content{ID: id, Name: name}, err
}
