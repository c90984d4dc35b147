package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// maxTail is how much of what a command has written is kept.
const maxTail = 4 << 10

// kindContainer is the kind of the owner of services of TenantContainers.
const kindContainer = "TenantContainer"

// mounting lists the containers of tasks on a node that run, paused or not, and mount a volume.
func (d *door) mounting(ctx context.Context, volume string) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	// Without a filter, for the reason that Volumes has.
	all, err := d.docker.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list containers of node %q: %w", d.name, classed(err))
	}
	all = slices.DeleteFunc(all, func(c container.Summary) bool {
		return c.Labels[agent.TaskLabel] == "" || !slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool {
			return m.Type == mount.TypeVolume && m.Name == volume
		})
	})
	slices.SortFunc(all, func(a, b container.Summary) int { return strings.Compare(a.ID, b.ID) })

	return all, nil
}

// VolumeOperation asks a node for a volume, and for the operation that has made it: empty for what no operation has made. It
// fails with swarmobj.ErrRefused for a volume that Dogker has not made.
func (f *Fleet) VolumeOperation(ctx context.Context, node, name string) (there bool, operation string, err error) {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return false, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, volumePatience)
	defer cancel()

	v, err := d.docker.VolumeInspect(ctx, name)
	switch err = classed(err); {
	case errors.Is(err, swarmobj.ErrNotFound):
		return false, "", nil
	case err != nil:
		return false, "", fmt.Errorf("look up volume %q on node %q: %w", name, d.name, err)
	case voldata.MadeByMistake(v.Labels):
		return false, "", nil
	case v.Name != name || v.Labels[v1alpha1.SwarmLabelManaged] != "true":
		return false, "", fmt.Errorf("look up volume %q on node %q: %w: Dogker has not made it", name, d.name, swarmobj.ErrRefused)
	}

	return true, v.Labels[voldata.LabelOperation], nil
}

// RunInTask runs a command in a task of a TenantContainer that mounts a volume on a node, as the container itself does, and returns
// its exit code and the last 4 KiB of what it has written. Of several tasks it takes the one that was made first. It fails with
// swarmobj.ErrNotFound when none runs there. When the context ends it fails with its error, and the command goes on: engines know
// no way to end it.
func (f *Fleet) RunInTask(ctx context.Context, namespace, name, volume, node string, command []string) (exit int, tail string, err error) {
	d, err := f.reach(Place{Node: node})
	if err != nil {
		return 0, "", err
	}
	found, err := d.mounting(ctx, volume)
	if err != nil {
		return 0, "", err
	}
	found = slices.DeleteFunc(found, func(c container.Summary) bool {
		s, known := f.o.Swarm.Subject(c.Labels[agent.ServiceLabel], c.Labels[agent.TaskLabel])

		return !known || c.State != container.StateRunning ||
			s.Owner.Tenant != namespace || s.Owner.Kind != kindContainer || s.Owner.Name != name
	})
	if len(found) == 0 {
		return 0, "", fmt.Errorf("run a command: %w: no task of container %s/%s that mounts volume %q runs on node %q",
			swarmobj.ErrNotFound, namespace, name, volume, d.name)
	}
	first := slices.MinFunc(found, func(a, b container.Summary) int { return int(a.Created - b.Created) })

	var out lastWritten
	at := Place{Node: node, Task: first.Labels[agent.TaskLabel], Container: first.ID}
	exit, err = f.Exec(ctx, at, ExecOptions{Command: command}, Streams{Out: &out, Err: &out})
	if ctx.Err() != nil {
		err = fmt.Errorf("run a command in container %.12q on node %q: %w", first.ID, d.name, ctx.Err())
	}

	return exit, out.String(), err
}

// lastWritten keeps the last of what is written.
type lastWritten struct{ data []byte }

// Write implements io.Writer.
func (l *lastWritten) Write(p []byte) (int, error) {
	l.data = append(l.data, p[max(0, len(p)-maxTail):]...)
	if over := len(l.data) - maxTail; over > 0 {
		l.data = slices.Delete(l.data, 0, over)
	}

	return len(p), nil
}

// String is whole characters of it.
func (l *lastWritten) String() string {
	data := l.data
	for len(data) > 0 && len(l.data) == maxTail && !utf8.RuneStart(data[0]) {
		data = data[1:]
	}

	return strings.ToValidUTF8(string(data), "\uFFFD")
}
