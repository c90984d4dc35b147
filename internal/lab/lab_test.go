//go:build e2e

package lab

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// hello is a service that answers HTTP on port 8080 of every node.
func hello(version string) swarm.ServiceSpec {
	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "hello"},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: Image(version)},
		},
		Mode: swarm.ServiceMode{Global: &swarm.GlobalService{}},
		EndpointSpec: &swarm.EndpointSpec{
			Mode: swarm.ResolutionModeDNSRR,
			Ports: []swarm.PortConfig{{
				TargetPort: 8080, PublishedPort: 8080, PublishMode: swarm.PortConfigPublishModeHost,
			}},
		},
	}
}

func TestSingleNodeServesHTTP(t *testing.T) {
	l := Start(t, Options{})
	n := l.Nodes[0]

	if _, err := n.Docker.ServiceCreate(t.Context(), hello("v2"), swarm.ServiceCreateOptions{}); err != nil {
		t.Fatal(err)
	}

	body := eventually(t, n, "version=v2")
	if !strings.Contains(body, "hostname=") {
		t.Errorf("body: got %q, want a hostname", body)
	}
}

// eventually asks the node's port 8080 until the answer holds want.
func eventually(t *testing.T, n *Node, want string) string {
	t.Helper()

	var body string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		resp, err := n.HTTPClient().Get("http://127.0.0.1:8080/")
		if err != nil {
			body = err.Error()
			continue
		}

		content, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if body = string(content); resp.StatusCode == http.StatusOK && strings.Contains(body, want) {
			return body
		}
	}
	t.Fatalf("node %q answers %q, want %q", n.Name, body, want)

	return ""
}

func TestKilledEngineStartsAgain(t *testing.T) {
	n := Start(t, Options{}).Nodes[0]

	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Docker.Ping(t.Context()); err == nil {
		t.Error("a killed engine answers")
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := n.Docker.Info(t.Context()); err != nil || info.Name != "node1" {
		t.Errorf("info: got name %q, error %v, want node1", info.Name, err)
	}
}

func TestPoweredDownNodeStartsAgain(t *testing.T) {
	n := Start(t, Options{}).Nodes[0]
	if _, err := n.Docker.ServiceCreate(t.Context(), hello("v1"), swarm.ServiceCreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, n, "version=v1")

	sockets := map[string]bool{}
	shimSockets(cgroupProcesses(n.engineCgroup()), sockets)
	if len(sockets) == 0 {
		t.Error("a container runs and its shim has no socket: this test does not see what it is to watch")
	}
	if err := n.PowerCut(); err != nil {
		t.Fatal(err)
	}
	for socket := range sockets {
		if _, err := os.Stat(socket); err == nil {
			t.Errorf("left behind: %s", socket)
		}
	}
	if resp, err := n.HTTPClient().Get("http://127.0.0.1:8080/"); err == nil {
		resp.Body.Close()
		t.Error("a container of a node without power answers")
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, n, "version=v1")
}

func TestThreeNodesSeeACutCable(t *testing.T) {
	l := Start(t, Options{Nodes: 3})
	if err := l.Nodes[2].Cut(); err != nil {
		t.Fatal(err)
	}
	waitState(t, l, "node3", swarm.NodeStateDown)

	if err := l.Nodes[2].Heal(); err != nil {
		t.Fatal(err)
	}
	waitState(t, l, "node3", swarm.NodeStateReady)
}

func waitState(t *testing.T, l *Lab, name string, want swarm.NodeState) {
	t.Helper()

	var got swarm.NodeState
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		nodes, err := l.Nodes[0].Docker.NodeList(t.Context(), swarm.NodeListOptions{})
		if err != nil {
			continue
		}
		for _, n := range nodes {
			if n.Description.Hostname == name {
				got = n.Status.State
			}
		}
		if got == want {
			return
		}
	}
	t.Fatalf("node %q is %q, want %q", name, got, want)
}

// killedOwner makes this test binary the owner of a lab that never takes it down.
const killedOwner = "DOGKER_LAB_KILLED_OWNER"

func TestOwnerKilledLeavesNothing(t *testing.T) {
	if os.Getenv(killedOwner) != "" {
		l, err := Up(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(l.ID + "\n")
		select {}
	}

	cmd := exec.Command(os.Args[0], "-test.run=^TestOwnerKilledLeavesNothing$")
	cmd.Env = append(os.Environ(), killedOwner+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(string(line[:n]))

	if len(cgroupProcesses(id)) < 2 {
		t.Fatalf("lab %q runs %v, want an engine and its helpers", id, cgroupProcesses(id))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := leftovers(id)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left after the owner was killed: %v", left)
		}
	}
}

// leftovers lists what there still is of a lab.
func leftovers(id string) []string {
	left := partsIn(netnsDir, id)
	left = append(left, partsIn(baseDir(), id)...)
	for _, root := range hierarchies() {
		left = append(left, partsIn(root, id)...)
	}

	return left
}
