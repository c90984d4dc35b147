package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
)

// AgentImage is what agents of benchmarks run: the program that is measured.
const AgentImage = "dogker.internal/agent:bench"

// LoadAgentImage gives the engine the image of agents, and returns the flags by which a server runs them.
func (e *Engine) LoadAgentImage(ctx context.Context, program, dir string) ([]string, error) {
	file := filepath.Join(dir, "agent.tar")
	if out, err := exec.CommandContext(ctx, program, "agent", "image", "--tag", AgentImage, "--output", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("write image of agents: %w: %s", err, out)
	}
	image, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	resp, err := e.Docker.ImageLoad(ctx, image) // It closes the file.
	if err != nil {
		return nil, fmt.Errorf("load image of agents: %w", err)
	}
	_, err = io.Copy(io.Discard, resp.Body)

	return []string{"--agent-image", AgentImage, "--agent-engine-socket", strings.TrimPrefix(e.Host, "unix://")}, errors.Join(err, resp.Body.Close())
}

// AgentContainer is the ID of the container of the agent on the engine.
func (e *Engine) AgentContainer(ctx context.Context) (string, error) {
	list, err := e.Docker.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("ancestor", AgentImage))})
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%d agents run", len(list))
	}

	return list[0].ID, nil
}

// Agent is its process.
func (e *Engine) Agent(ctx context.Context) (Process, error) {
	id, err := e.AgentContainer(ctx)
	if err != nil {
		return 0, err
	}
	c, err := e.Docker.ContainerInspect(ctx, id)
	if err != nil {
		return 0, err
	}

	return Process(c.State.Pid), nil
}

// Forward gives an address on this machine by which a port of the engine's node is reached, until the context ends.
func (e *Engine) Forward(ctx context.Context, port string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { l.Close() })

	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			go e.carry(ctx, here, port)
		}
	}()

	return l.Addr().String(), nil
}

func (e *Engine) carry(ctx context.Context, here net.Conn, port string) {
	defer here.Close()
	there, err := e.lab.Nodes[0].Dial(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return
	}
	defer there.Close()
	context.AfterFunc(ctx, func() { there.Close() })

	go func() {
		_, _ = io.Copy(there, here)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
}
