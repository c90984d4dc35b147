package fleet

import (
	"context"
	"io"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dogker/dogker/internal/voldata"
)

// DataEngine is the engine of a node, for what is in its volumes. It fails with swarmobj.ErrUnavailable when the node cannot be
// reached now, and says why.
//
// What it returns may be kept for as long as the process lives, and a process has one voldata.Volumes for each node: each call goes
// the way there is at the time, and a stream ends with the connection that it came by.
func (f *Fleet) DataEngine(node string) (voldata.Engine, error) {
	if _, err := f.reach(Place{Node: node}); err != nil {
		return nil, err
	}

	return &dataEngine{fleet: f, node: node}, nil
}

// dataEngine finds the way to an engine anew for each call.
type dataEngine struct {
	fleet *Fleet
	node  string
}

func (e *dataEngine) reach() (voldata.Engine, error) {
	d, err := e.fleet.reach(Place{Node: e.node})
	if err != nil {
		return nil, err
	}

	return d.data, nil
}

// ImageInspect implements voldata.Engine, as do all that follow.
func (e *dataEngine) ImageInspect(ctx context.Context, ref string, o ...client.ImageInspectOption) (image.InspectResponse, error) {
	d, err := e.reach()
	if err != nil {
		return image.InspectResponse{}, err
	}

	return d.ImageInspect(ctx, ref, o...)
}

func (e *dataEngine) ImageLoad(ctx context.Context, archive io.Reader, o ...client.ImageLoadOption) (image.LoadResponse, error) {
	d, err := e.reach()
	if err != nil {
		return image.LoadResponse{}, err
	}

	return d.ImageLoad(ctx, archive, o...)
}

func (e *dataEngine) VolumeInspect(ctx context.Context, name string) (volume.Volume, error) {
	d, err := e.reach()
	if err != nil {
		return volume.Volume{}, err
	}

	return d.VolumeInspect(ctx, name)
}

func (e *dataEngine) VolumeCreate(ctx context.Context, o volume.CreateOptions) (volume.Volume, error) {
	d, err := e.reach()
	if err != nil {
		return volume.Volume{}, err
	}

	return d.VolumeCreate(ctx, o)
}

// VolumeRemove takes what is left of ended tasks with it, as RemoveVolume does.
func (e *dataEngine) VolumeRemove(ctx context.Context, name string, force bool) error {
	d, err := e.fleet.reach(Place{Node: e.node})
	if err != nil {
		return err
	}
	err = d.data.VolumeRemove(ctx, name, force)
	if cerrdefs.IsConflict(err) && d.removeEnded(ctx, name) {
		err = d.data.VolumeRemove(ctx, name, force)
	}

	return err
}

func (e *dataEngine) ContainerCreate(
	ctx context.Context, c *container.Config, h *container.HostConfig, n *network.NetworkingConfig, p *ocispec.Platform, name string,
) (container.CreateResponse, error) {
	d, err := e.reach()
	if err != nil {
		return container.CreateResponse{}, err
	}

	return d.ContainerCreate(ctx, c, h, n, p, name)
}

func (e *dataEngine) ContainerRemove(ctx context.Context, id string, o container.RemoveOptions) error {
	d, err := e.reach()
	if err != nil {
		return err
	}

	return d.ContainerRemove(ctx, id, o)
}

func (e *dataEngine) ContainerList(ctx context.Context, o container.ListOptions) ([]container.Summary, error) {
	d, err := e.reach()
	if err != nil {
		return nil, err
	}

	return d.ContainerList(ctx, o)
}

func (e *dataEngine) CopyFromContainer(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error) {
	d, err := e.reach()
	if err != nil {
		return nil, container.PathStat{}, err
	}

	return d.CopyFromContainer(ctx, id, path)
}

func (e *dataEngine) CopyToContainer(ctx context.Context, id, path string, tar io.Reader, o container.CopyToContainerOptions) error {
	d, err := e.reach()
	if err != nil {
		return err
	}

	return d.CopyToContainer(ctx, id, path, tar, o)
}
