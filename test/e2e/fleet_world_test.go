//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/authority"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// agentImage is what the agents of tests run: the dogker under test.
const agentImage = "dogker.internal/agent:e2e"

// withAgents gives the engines of a lab the image of agents, and returns the arguments by which a server runs them.
func withAgents(t *testing.T, l *lab.Lab) []string {
	t.Helper()

	file := filepath.Join(t.TempDir(), "agent.tar")
	if out, err := exec.Command(binary, "agent", "image", "--tag", agentImage, "--output", file).CombinedOutput(); err != nil {
		t.Fatalf("write image of agents: %v: %s", err, out)
	}
	for _, node := range l.Nodes {
		image, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := node.Docker.ImageLoad(t.Context(), image) // It closes the file.
		if err != nil {
			t.Fatalf("load image of agents on %s: %v", node.Name, err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}

	// Engines of a lab have sockets of their own.
	socket := strings.Replace(strings.TrimPrefix(l.Nodes[0].Host, "unix://"), l.Nodes[0].Name, "{{.Node.Hostname}}", 1)

	return []string{"--agent-image", agentImage, "--agent-engine-socket", socket}
}

// watched is a fleet in the process of the test, beside the server's, on the same agents.
type watched struct {
	*fleet.Fleet
	swarm *swarm.Engine
	store *telemetry.Store
	lab   *lab.Lab
}

func newWatched(t *testing.T, c *cell) *watched {
	t.Helper()

	engine := c.lab.Nodes[0].Docker
	w := &watched{swarm: swarm.New(engine, swarm.Options{}), lab: c.lab}
	w.store = telemetry.NewStore(w.swarm.Subject, nil)
	identity := readIdentity(t, c)
	w.Fleet = fleet.New(fleet.Options{
		Swarm: w.swarm, Engine: engine, Store: w.store, AgentOn: w.agentOn, Version: "e2e",
		Connect: func(ctx context.Context, a pki.Candidate) (*agent.Client, agent.About, error) {
			// Nothing of a lab is visible to the machine's own network.
			address, err := forward(t, c.lab.Nodes[0], a.Address)
			if err != nil {
				return nil, agent.About{}, err
			}
			a.Address = address

			return identity.Connect(ctx, a)
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})

	ctx, cancel := context.WithCancel(context.Background())
	swarmDone, fleetDone := make(chan struct{}), make(chan struct{})
	go func() { defer close(swarmDone); _ = w.swarm.Run(ctx) }()
	go func() { defer close(fleetDone); _ = w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-swarmDone; <-fleetDone })

	return w
}

// readIdentity takes the authority of agents from where servers have it.
func readIdentity(t *testing.T, c *cell) *pki.Identity {
	t.Helper()

	identity := pki.NewIdentity()
	await(t, soon, "there is an authority of agents", func() error {
		var s corev1.Secret
		if err := c.api.Get(t.Context(), client.ObjectKey{Namespace: "dogker-system", Name: authority.Name}, &s); err != nil {
			return err
		}
		a, err := pki.ParseAuthority(s.Data)
		if err == nil {
			identity.Use(a)
		}

		return err
	})

	return identity
}

// forward gives an address on this machine by which one in the network of a node is reached.
func forward(t *testing.T, from *lab.Node, to string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer here.Close()
				there, err := from.Dial(context.Background(), "tcp", to)
				if err != nil {
					return
				}
				defer there.Close()
				go func() { _, _ = io.Copy(there, here); there.Close() }()
				_, _ = io.Copy(here, there)
			}()
		}
	}()

	return l.Addr().String(), nil
}

func (w *watched) agentOn(node string) (string, bool) {
	for _, o := range w.swarm.Owners() {
		if o.Kind != swarmobj.KindAgents {
			continue
		}
		for _, s := range w.swarm.ServicesOf(o) {
			for _, task := range s.Tasks {
				if task.NodeID == node && task.Running() {
					return task.Container, true
				}
			}
		}
	}

	return "", false
}

// usable waits until all nodes can be used.
func (w *watched) usable(t *testing.T) {
	t.Helper()

	took := await(t, atLast, "all nodes can be used", func() error {
		states := w.States()
		if len(states) != len(w.lab.Nodes) {
			return fmt.Errorf("there are %d nodes", len(states))
		}
		for _, s := range states {
			if s.Problem != "" {
				return fmt.Errorf("node %s: %s", s.Node, s.Problem)
			}
		}

		return nil
	})
	t.Logf("all nodes could be used after %v", took)
}

// subject is a container of a test, and how to reach it.
type subject struct {
	telemetry.Subject
	place fleet.Place
	node  string // Its name.
	http  *http.Client
}

// places are the containers of a workload, once each has been sampled.
func (w *watched) places(t *testing.T, name string, count int) []subject {
	t.Helper()

	var out []subject
	await(t, soon, fmt.Sprintf("%d tasks of %q are sampled", count, name), func() error {
		out = nil
		for _, s := range w.store.Subjects(swarmobj.Owner{}) {
			if latest, ok := w.store.Latest(s.Task); ok && s.Owner.Name == name {
				out = append(out, w.subject(s, latest.Container))
			}
		}

		return wantf(len(out), count, "tasks")
	})

	return out
}

func (w *watched) subject(s telemetry.Subject, id string) subject {
	out := subject{Subject: s, place: fleet.Place{Node: s.Node, Task: s.Task, Container: id}}
	for _, n := range w.swarm.Nodes() {
		if n.ID == s.Node {
			out.node = n.Description.Hostname
		}
	}
	out.http = &http.Client{Timeout: instant, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if s.Node != w.swarm.OwnNode() {
			return w.Dial(ctx, out.place, 8080)
		}
		// This process is not in the network of its node, as a server is. The address is what matters.
		address, err := agent.ContainerAddress(ctx, w.lab.Nodes[0].Docker, id)
		if err != nil {
			return nil, err
		}

		return w.lab.Nodes[0].Dial(ctx, "tcp", net.JoinHostPort(address.String(), "8080"))
	}}}

	return out
}

// ask asks the app in the container.
func (s subject) ask(t *testing.T, method, path string) string {
	t.Helper()

	req, err := http.NewRequestWithContext(t.Context(), method, "http://app"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s on %s: %v", method, path, s.node, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s on %s: %s, %v: %.200s", method, path, s.node, resp.Status, err, body)
	}

	return string(body)
}

// fresh is the next sample of a task.
func (w *watched) fresh(t *testing.T, task string) telemetry.Sample {
	t.Helper()

	began := time.Now()
	var s telemetry.Sample
	await(t, 3*telemetry.Interval, "there is another sample", func() error {
		var ok bool
		if s, ok = w.store.Latest(task); !ok || s.At.Before(began) {
			return fmt.Errorf("the latest is of %v", s.At)
		}

		return nil
	})

	return s
}

// killAgent ends the process of the agent of a node, as the kernel would.
func killAgent(ctx context.Context, n *lab.Node) error {
	agents, err := n.Docker.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("ancestor", agentImage))})
	if err != nil {
		return err
	}
	if len(agents) != 1 {
		return fmt.Errorf("%d agents run on %s", len(agents), n.Name)
	}

	return n.Docker.ContainerKill(ctx, agents[0].ID, "KILL")
}
