package gather

import (
	"context"
	"path"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/audit"
)

// running is a container of this node and the service that it is a task of, if it is one.
type running struct {
	container                audit.Container
	name, service, serviceID string
}

// containers inspects every container that runs on the node of the engine, whosever it is.
func (g *gatherer) containers(ctx context.Context) error {
	list, err := ask(ctx, "its containers", func(ctx context.Context) ([]container.Summary, error) {
		return g.docker.ContainerList(ctx, container.ListOptions{})
	})
	if err != nil {
		return err
	}

	for _, item := range list {
		got, err := ask(ctx, "a container", func(ctx context.Context) (container.InspectResponse, error) {
			return g.docker.ContainerInspect(ctx, item.ID)
		})
		if cerrdefs.IsNotFound(err) {
			continue // It has ended in the meantime.
		}
		if err != nil {
			return err
		}

		c := audit.OfContainer(got, g.volumes(ctx, got))
		c.Commands, c.CommandsUnseen = g.commands(ctx, item.ID)
		c.Process, c.ProcessUnseen = g.process(got)
		g.live = append(g.live, running{
			container: c, name: nameOf(item),
			service: item.Labels["com.docker.swarm.service.name"], serviceID: item.Labels["com.docker.swarm.service.id"],
		})
	}
	slices.SortFunc(g.live, func(x, y running) int { return strings.Compare(x.container.ID, y.container.ID) })

	return nil
}

func nameOf(item container.Summary) string {
	if len(item.Names) == 0 {
		return item.ID[:min(12, len(item.ID))]
	}

	return strings.TrimPrefix(item.Names[0], "/")
}

// volumes are paths of the node that volumes of the container stand for.
func (g *gatherer) volumes(ctx context.Context, c container.InspectResponse) map[string]string {
	paths := map[string]string{}
	for _, m := range c.Mounts {
		if m.Type != mount.TypeVolume || m.Name == "" {
			continue
		}
		got, err := ask(ctx, "a volume", func(ctx context.Context) (volume.Volume, error) { return g.docker.VolumeInspect(ctx, m.Name) })
		if err == nil {
			paths[m.Name] = audit.HostPathOfVolume(got.Options)
		}
	}

	return paths
}

// commands are the names of its programs, without what they were told: that may hold passwords.
func (g *gatherer) commands(ctx context.Context, id string) (commands []string, why string) {
	top, err := ask(ctx, "processes", func(ctx context.Context) (container.TopResponse, error) {
		return g.docker.ContainerTop(ctx, id, []string{"-eo", "pid,comm"})
	})
	if err != nil {
		return nil, "the engine cannot list its processes (that takes ps on its machine)"
	}

	for _, row := range top.Processes {
		if len(row) > 1 {
			commands = append(commands, path.Base(row[len(row)-1]))
		}
	}

	return commands, ""
}
