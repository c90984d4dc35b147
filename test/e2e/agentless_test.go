//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/dogker/dogker/internal/lab"
)

// withoutAgent takes the agent of a node for good: the node says so, what nobody else can do is refused with the reason, and
// logs come through a manager of the swarm.
func (d *console) withoutAgent(t *testing.T, platform *console, node *lab.Node, container string) {
	was := *d.n
	was.t = t
	d = &console{n: &was, kubeconfig: d.kubeconfig}
	pod := d.pod(container, 1)
	if err := d.says("", 0, ``, "exec", pod, "--", "/app", "log", "written before"); err != nil {
		t.Fatal(err)
	}

	takeAgent(t, node)
	await(t, atLast, "the node says that it has no agent", func() error {
		return platform.says("", 0, `^False .+$`, "get", "node", node.Name,
			"-o", `jsonpath={range .status.conditions[?(@.type=="AgentReady")]}{.status} {.message}{end}`)
	})
	refused := fmt.Sprintf("node %q has no agent that can be asked", node.Name)
	for _, err := range []error{
		d.says("", 1, refused, "exec", pod, "--", "/app", "echo", "in"),
		d.says("", 1, refused, "attach", pod),
		d.says("", 0, `^written before\n$`, "logs", pod, "--tail=1"),
		d.says("", 0, `^\d{4}-\d\d-\d\dT[0-9:.]+Z written before\n$`, "logs", pod, "--tail=1", "--timestamps"),
		d.says("", 0, `Running`, "get", "pod", pod),
	} {
		if err != nil {
			t.Error(err)
		}
	}

	// What is written while somebody follows is heard, and the end of the container is the end of it.
	said, end := d.follow("logs", "-f", pod)
	await(t, soon, "what was written before is followed", func() error {
		if !strings.Contains(said(), "written before\n") {
			return errors.New(said())
		}

		return nil
	})
	d.n.edit(container, replicas(0))
	if code := end(); code != 0 || !strings.Contains(said(), "exit 0: terminated") {
		t.Errorf("kubectl logs -f through a manager ended with code %d, want 0 at the end of the container: %s", code, said())
	}
}

// takeAgent takes the agent of a node and its image, so that no other comes in its place.
func takeAgent(t *testing.T, node *lab.Node) {
	t.Helper()

	got, err := node.Docker.ImageInspect(t.Context(), agentImage)
	if err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the image of the agent is gone", func() error {
		agents, err := node.Docker.ContainerList(t.Context(), container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.swarm.service.name="+agentsService)),
		})
		for _, c := range agents {
			err = errors.Join(err, node.Docker.ContainerRemove(t.Context(), c.ID, container.RemoveOptions{Force: true}))
		}
		if err != nil {
			return err
		}
		_, err = node.Docker.ImageRemove(t.Context(), got.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		if cerrdefs.IsNotFound(err) {
			err = nil
		}

		return err
	})
}
