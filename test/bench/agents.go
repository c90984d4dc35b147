package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/authority"
	"github.com/dogker/dogker/internal/agent/pki"
	nodes "github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/telemetry"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	engineEvents = "the engine's own events"

	agentCPU    = "CPU of the agent, of one core"
	agentMemory = "resident memory of the agent"
	eventToHint = "end of a container to hint"
	// limited is the number of containers that the goals of the agent are about.
	limited = 100
	// inOneNetwork are tasks in one namespace, whose network has addresses for about 250.
	inOneNetwork = 100
)

var agents = benchmark{
	name:  "agents",
	title: "Agents of nodes",
	about: "Containers that idle, on one engine, in numbers that grow, and the agent of its node, which samples them every 15 s; a fleet in the " +
		"process of the benchmark takes in what it tells, as each server does. For each number: CPU and memory of the agent while nothing happens " +
		"(30 s in profile quick, 5 minutes in full, after 30 s of rest). Then containers are killed, one after the other: the time is from when the " +
		"engine says that it ended until the read cache of the server is told by way of the agent, and until who listens to the engine itself hears it. " +
		"The network between them is the machine's own. Not measured here: cAdvisor's own manifest for Kubernetes (deploy/kubernetes/base, v0.30.2) " +
		"requests 15 % of a core and 200 MiB for it, and allows 30 %.",
	goals: []measure.Goal{
		{Figure: containersOf(limited, agentCPU), AtMost: 1},
		{Figure: containersOf(limited, agentMemory), AtMost: 60},
		{Figure: eventToHint, AtMost: 0.1},
	},
	run: func(ctx context.Context, s *session) error {
		w, err := s.watched(ctx)
		if err != nil {
			return err
		}
		for _, n := range s.sampled {
			if err := w.footprint(ctx, n); err != nil {
				return fmt.Errorf("%d containers: %w", n, err)
			}
		}

		return w.events(ctx)
	},
}

func containersOf(n int, what string) string { return fmt.Sprintf("%d containers: %s", n, what) }

// watched is an engine whose node has an agent, and a fleet that asks it.
type watched struct {
	*session

	engine     *rig.Engine
	server     *rig.Server
	namespaces []string

	store *telemetry.Store
	// heard are events with the time at which the fleet passed them on.
	heard chan heard
	have  int
}

type heard struct {
	events.Message
	at time.Time
}

// watched starts a server whose store others may share: then every node has an agent, its own as well.
func (s *session) watched(ctx context.Context) (*watched, error) {
	e, err := s.engine(ctx)
	if err != nil {
		return nil, err
	}
	etcd, err := s.etcd()
	if err != nil {
		return nil, err
	}
	flags, err := e.LoadAgentImage(ctx, s.program, s.dir)
	if err != nil {
		return nil, err
	}
	server, err := s.server(ctx, e.Host, append(flags, "--etcd-endpoints", etcd.Endpoint())...)
	if err != nil {
		return nil, err
	}
	w := &watched{session: s, engine: e, server: server, heard: make(chan heard, 1000)}
	for n := 0; n*inOneNetwork < slices.Max(s.sampled); n++ {
		w.namespaces = append(w.namespaces, fmt.Sprintf("tenant%02d", n))
	}
	if err := server.CreateNamespaces(ctx, w.namespaces); err != nil {
		return nil, err
	}

	return w, w.connect(ctx)
}

// connect runs a fleet that takes the engine's node for another one than its own.
func (w *watched) connect(ctx context.Context) error {
	identity := pki.NewIdentity()
	if err := awaitTrue(ctx, func() bool {
		var secret corev1.Secret
		if w.server.Client.Get(ctx, client.ObjectKey{Namespace: "dogker-system", Name: authority.Name}, &secret) != nil {
			return false
		}
		a, err := pki.ParseAuthority(secret.Data)

		return err == nil && identity.Use(a)
	}); err != nil {
		return fmt.Errorf("read authority of agents: %w", err)
	}
	address, err := w.engine.Forward(ctx, strconv.Itoa(agent.Port))
	if err != nil {
		return err
	}

	cache := swarm.New(w.engine.Docker, swarm.Options{})
	w.store = telemetry.NewStore(cache.Subject, nil)
	f := nodes.New(nodes.Options{
		Swarm: elsewhere{cache, w.heard}, Engine: w.engine.Docker, Store: w.store, Version: "bench",
		AgentOn: func(string) (string, bool) {
			id, err := w.engine.AgentContainer(ctx)

			return id, err == nil
		},
		Connect: func(ctx context.Context, c pki.Candidate) (*agent.Client, agent.About, error) {
			c.Address = address

			return identity.Connect(ctx, c)
		},
	})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{}, 2)
	go func() { _ = cache.Run(ctx); done <- struct{}{} }()
	go func() { _ = f.Run(ctx); done <- struct{}{} }()
	w.stops = append(w.stops, func() error { cancel(); <-done; <-done; return nil })

	if err := awaitTrue(ctx, func() bool {
		states := f.States()

		return len(states) == 1 && states[0].Problem == ""
	}); err != nil {
		return fmt.Errorf("reach the agent: %w: %+v", err, f.States())
	}

	return nil
}

// elsewhere is a swarm of which no node is our own.
type elsewhere struct {
	*swarm.Engine
	heard chan heard
}

func (elsewhere) OwnNode() string { return "" }

func (e elsewhere) Heard(node string, m events.Message) {
	e.Engine.Heard(node, m)
	select {
	case e.heard <- heard{m, time.Now()}:
	default:
	}
}

// footprint measures the agent with n containers.
func (w *watched) footprint(ctx context.Context, n int) error {
	for w.have < n {
		namespace, add := w.namespaces[w.have/inOneNetwork], min(n-w.have, inOneNetwork-w.have%inOneNetwork)
		if err := w.server.Client.Create(ctx, rig.Container(namespace, fmt.Sprintf("idle%04d", w.have), int32(add))); err != nil { //nolint:gosec // A hundred at most.
			return err
		}
		w.have += add
	}
	// The agent samples itself, too.
	if err := awaitTrue(ctx, func() bool { return w.store.Stats().Tasks > n }); err != nil {
		return fmt.Errorf("await samples: %w: there are those of %d tasks", err, w.store.Stats().Tasks)
	}
	if err := sleep(ctx, settling); err != nil {
		return err
	}

	p, err := w.engine.Agent(ctx)
	if err != nil {
		return err
	}
	before, err := p.CPU()
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := sleep(ctx, w.idle); err != nil {
		return err
	}
	elapsed := time.Since(begin)
	after, err := p.CPU()
	if err != nil {
		return err
	}
	memory, err := p.RSS()
	if err != nil {
		return err
	}
	w.report.Add(measure.Ours, containersOf(n, agentCPU), measure.Percent, 100*(after-before)/elapsed.Seconds())
	w.report.Add(measure.Ours, containersOf(n, agentMemory), measure.MB, memory)
	w.say("%d containers: %s of a core, %s", n, measure.Percent.Format(100*(after-before)/elapsed.Seconds()), measure.MB.Format(memory))

	return nil
}

// events kills containers, and takes the time until the fleet has heard of it, and until somebody has who listens to the
// engine.
func (w *watched) events(ctx context.Context) error {
	list, err := w.engine.Docker.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("name", w.namespaces[0]+"_"))})
	if err != nil {
		return err
	}
	direct, stop := w.listen(ctx)
	defer stop()

	for _, c := range list[:min(len(list), w.samples)] {
		if err := w.engine.Docker.ContainerKill(ctx, c.ID, "KILL"); err != nil {
			return err
		}
		for _, by := range []struct {
			arm   string
			heard <-chan heard
		}{{engineEvents, direct}, {measure.Ours, w.heard}} {
			took, err := died(ctx, by.heard, c.ID)
			if err != nil {
				return fmt.Errorf("%s: %w", by.arm, err)
			}
			w.report.Add(by.arm, eventToHint, measure.Seconds, took.Seconds())
			w.say("%s, %s: %s", eventToHint, by.arm, measure.Seconds.Format(took.Seconds()))
		}
	}

	return nil
}

// listen hears the engine's events without anything between.
func (w *watched) listen(ctx context.Context) (<-chan heard, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	messages, failed := w.engine.Docker.Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)))})
	out := make(chan heard, cap(w.heard))

	go func() {
		for {
			select {
			case <-failed:
				return
			case m := <-messages:
				select {
				case out <- heard{m, time.Now()}:
				default:
				}
			}
		}
	}()

	return out, cancel
}

// died is how long after the end of a container that was heard.
func died(ctx context.Context, from <-chan heard, id string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	for {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("hear of the end of a container: %w", ctx.Err())
		case h := <-from:
			if h.Actor.ID == id && h.Action == events.ActionDie {
				return h.at.Sub(time.Unix(0, h.TimeNano)), nil
			}
		}
	}
}

// awaitTrue asks until the answer is yes, for some minutes at most: containers start one after the other.
func awaitTrue(ctx context.Context, ok func() bool) error {
	const patience = 10 * time.Minute

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !ok() {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}

	return nil
}
