//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/authority"
	"github.com/dogker/dogker/internal/agent/door"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// agentsService is the service by which agents run.
const agentsService = "dogker-system_agent"

// TestAgents: the server runs agents on all nodes but its own, and nobody else passes for one, nor gets through one.
func TestAgents(t *testing.T) {
	t.Parallel()
	c := prepareCell(t, lab.Options{Nodes: 3, Managers: 1, Versions: []string{"v1"}})
	c.server.args, c.server.within = withAgents(t, c.lab), c.lab.Nodes[0]
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	identity := readIdentity(t, c)
	on := map[string]string{}
	for _, node := range c.lab.Nodes[1:] {
		on[node.Name] = c.agentRuns(t, node, "")
	}
	if left, err := agentContainers(c.lab.Nodes[0]); err != nil || len(left) > 0 {
		t.Errorf("the server's own node runs %v, %v, want no agent", left, err)
	}

	second := c.lab.Nodes[1]
	at := c.candidate(t, second, on[second.Name])
	t.Run("Stranger", func(t *testing.T) { c.pretend(t, identity, at) })
	t.Run("Door", func(t *testing.T) { c.tryDoor(t, identity, at) })
	t.Run("Killed", func(t *testing.T) { c.killAgent(t, identity, at, second) })
	t.Run("Quiet", func(t *testing.T) { c.agentsAreQuiet(t) })
}

// agentRuns waits for an agent on a node, in another container than the one before, and returns its container's ID.
func (c *cell) agentRuns(t *testing.T, node *lab.Node, before string) string {
	t.Helper()

	var id string
	await(t, atLast, "an agent runs on "+node.Name, func() error {
		found, err := agentContainers(node)
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0] == before {
			return fmt.Errorf("agents: %v", found)
		}
		id = found[0]

		return nil
	})

	return id
}

func agentContainers(node *lab.Node) ([]string, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	list, err := node.Docker.ContainerList(ctx, container.ListOptions{
		Filters: filters.NewArgs(filters.Arg("label", "com.docker.swarm.service.name="+agentsService)),
	})
	var ids []string
	for _, found := range list {
		ids = append(ids, found.ID)
	}

	return ids, err
}

// candidate is the agent of a node, at an address that this process can reach.
func (c *cell) candidate(t *testing.T, node *lab.Node, id string) pki.Candidate {
	t.Helper()

	info, err := node.Docker.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address, err := forward(t, c.lab.Nodes[0], fmt.Sprintf("%s:%d", node.Address, agent.Port))
	if err != nil {
		t.Fatal(err)
	}

	return pki.Candidate{Node: info.Swarm.NodeID, Address: address, Container: id}
}

// pretend stands where the agent of a node is looked for, first with all that any node is given, and then as an agent of
// another swarm.
func (c *cell) pretend(t *testing.T, identity *pki.Identity, at pki.Candidate) {
	bundle, _ := identity.Bundle()
	other, err := pki.NewAuthority(c.secretOfAgents(t).CreationTimestamp.Time)
	if err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		bundle []byte
		says   string
	}{
		"ByTheBootstrapKey": {bundle, "not the container that Swarm runs on that node"},
		"OfAnotherSwarm":    {other.Bundle(), "unknown authority"},
	} {
		stranger, err := pki.NewNode(tc.bundle, at.Node, strings.Repeat("f", 64))
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		d := door.New(door.Options{Node: stranger, Ring: agent.NewRing(), Log: slog.New(slog.DiscardHandler)})
		go func() { _ = d.Serve(ctx, l) }()

		// It asks for what Swarm says of the real one, as a server does.
		_, _, err = identity.Connect(t.Context(), pki.Candidate{Node: at.Node, Address: l.Addr().String(), Container: at.Container})
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want %q", name, err, tc.says)
		}
		cancel()
	}
}

func (c *cell) secretOfAgents(t *testing.T) *corev1.Secret {
	t.Helper()

	var s corev1.Secret
	if err := c.api.Get(t.Context(), client.ObjectKey{Namespace: "dogker-system", Name: authority.Name}, &s); err != nil {
		t.Fatal(err)
	}

	return &s
}

// tryDoor asks a real engine through a real agent for what it may not give, and without showing who it is.
func (c *cell) tryDoor(t *testing.T, identity *pki.Identity, at pki.Candidate) {
	conn := c.reach(t, identity, at)
	defer conn.Close()
	docker, err := conn.Docker()
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()

	_, create := docker.ContainerCreate(t.Context(), &container.Config{Image: lab.Image("v1")}, &container.HostConfig{Privileged: true}, nil, nil, "")
	_, exec := docker.ContainerExecCreate(t.Context(), at.Container, container.ExecOptions{Cmd: []string{"/dogker"}})
	_, secrets := docker.SecretList(t.Context(), swarm.SecretListOptions{})
	for what, got := range map[string]struct {
		err  error
		says string
	}{
		"a privileged container": {create, "field HostConfig.Mounts: must be one volume"},
		"to start a container":   {docker.ContainerStart(t.Context(), at.Container, container.StartOptions{}), "not among what agents let through"},
		"a command in the agent": {exec, "of the agent itself"},
		"the swarm's secrets":    {secrets, "not among what agents let through"},
	} {
		if got.err == nil || !strings.Contains(got.err.Error(), got.says) {
			t.Errorf("%s: got %v, want a refusal with %q", what, got.err, got.says)
		}
	}
	if list, err := docker.ContainerList(t.Context(), container.ListOptions{}); err != nil || len(list) != 1 {
		t.Errorf("containers of tasks: got %d, %v, want the agent's own", len(list), err)
	}

	anonymous := identity.ClientConfig(at.Node)
	anonymous.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	nobody := agent.NewClient(at.Address, func() *tls.Config { return anonymous })
	defer nobody.Close()
	if about, err := nobody.About(t.Context()); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("without a certificate: got %+v, %v, want no answer", about, err)
	}
}

// killAgent wants another agent in place of one that was killed, with another key, known by its own container.
func (c *cell) killAgent(t *testing.T, identity *pki.Identity, at pki.Candidate, node *lab.Node) {
	before := c.keyOf(t, identity, at)
	if err := node.Docker.ContainerKill(t.Context(), at.Container, "KILL"); err != nil {
		t.Fatal(err)
	}
	killed := at.Container
	at.Container = c.agentRuns(t, node, killed)

	c.reach(t, identity, at).Close()
	if after := c.keyOf(t, identity, at); after.Equal(before) {
		t.Error("the next agent has the key of the one before")
	}
}

// reach connects to the agent in that container once it listens, and enrols it if the server has not done so.
func (c *cell) reach(t *testing.T, identity *pki.Identity, at pki.Candidate) *agent.Client {
	t.Helper()

	var conn *agent.Client
	await(t, atLast, "the agent can be reached", func() (err error) {
		var about agent.About
		if conn, about, err = identity.Connect(t.Context(), at); err != nil {
			return err
		}
		if err = wantf(about.Container, at.Container, "container of the agent"); err != nil {
			conn.Close()
		}

		return err
	})

	return conn
}

// keyOf is the key that an agent shows.
func (c *cell) keyOf(t *testing.T, identity *pki.Identity, at pki.Candidate) *ecdsa.PublicKey {
	t.Helper()

	conn, err := tls.Dial("tcp", at.Address, identity.ClientConfig(at.Node))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	return conn.ConnectionState().PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
}

// agentsAreQuiet: after all of that, the service was written to once.
func (c *cell) agentsAreQuiet(t *testing.T) {
	s, _, err := c.docker().ServiceInspectWithRaw(t.Context(), agentsService, swarm.ServiceInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.PreviousSpec != nil {
		t.Errorf("the service of the agents was updated, and nothing was changed")
	}
}
