package volumework

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dogker/dogker/internal/voldata"
)

// node is what is kept of one.
type node struct {
	volumes *voldata.Volumes
	// sweep is when orphans of it are to be removed; zero for at once.
	sweep time.Time
}

// nodeOf finds or makes it. The lock is held.
func (w *Worker) nodeOf(id string) *node {
	n := w.nodes[id]
	if n == nil {
		n = &node{volumes: voldata.New(&engine{w: w, node: id}, voldata.Options{Holder: w.o.Holder})}
		w.nodes[id] = n
	}

	return n
}

// engine is that of a node as it can be reached at each call: agents come and go while a process knows their nodes. It counts what
// moves for the job that it is asked for, and asks first whether this process may still change anything.
type engine struct {
	w    *Worker
	node string
}

var _ voldata.Engine = (*engine)(nil)

// call is what is known of who asks.
type call struct {
	// moved counts bytes; nil for nobody.
	moved *atomic.Int64
	// until bounds all calls together, also those that clean up; zero for each its own bound.
	until time.Time
}

type callKey struct{}

func with(ctx context.Context, c call) context.Context { return context.WithValue(ctx, callKey{}, c) }

// bounded is the context of a call that answers at once.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c, ok := ctx.Value(callKey{}).(call); ok && !c.until.IsZero() {
		return context.WithDeadline(ctx, c.until)
	}

	return ctx, func() {}
}

// counted counts what is read.
func counted(ctx context.Context, r io.Reader) io.Reader {
	if c, ok := ctx.Value(callKey{}).(call); ok && c.moved != nil {
		return &counter{r, c.moved}
	}

	return r
}

// movedBy is how many bytes have moved for who asks.
func movedBy(ctx context.Context) int64 {
	if c, ok := ctx.Value(callKey{}).(call); ok && c.moved != nil {
		return c.moved.Load()
	}

	return 0
}

type counter struct {
	r     io.Reader
	moved *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.moved.Add(int64(n))

	return n, err
}

type closing struct {
	io.Reader
	io.Closer
}

// changing asks whether anything may be changed, and reaches the engine.
func (e *engine) changing(ctx context.Context) (voldata.Engine, error) {
	if err := e.w.hold(ctx); err != nil {
		return nil, err
	}

	return e.w.o.Engines.DataEngine(e.node)
}

// ImageInspect implements voldata.Engine.
func (e *engine) ImageInspect(ctx context.Context, ref string, o ...client.ImageInspectOption) (image.InspectResponse, error) {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return image.InspectResponse{}, err
	}

	return at.ImageInspect(ctx, ref, o...)
}

// ImageLoad implements voldata.Engine.
func (e *engine) ImageLoad(ctx context.Context, archive io.Reader, o ...client.ImageLoadOption) (image.LoadResponse, error) {
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return image.LoadResponse{}, err
	}

	return at.ImageLoad(ctx, archive, o...)
}

// VolumeInspect implements voldata.Engine.
func (e *engine) VolumeInspect(ctx context.Context, name string) (volume.Volume, error) {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return volume.Volume{}, err
	}

	return at.VolumeInspect(ctx, name)
}

// VolumeCreate implements voldata.Engine.
func (e *engine) VolumeCreate(ctx context.Context, o volume.CreateOptions) (volume.Volume, error) {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.changing(ctx)
	if err != nil {
		return volume.Volume{}, err
	}

	return at.VolumeCreate(ctx, o)
}

// VolumeRemove implements voldata.Engine.
func (e *engine) VolumeRemove(ctx context.Context, name string, force bool) error {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.changing(ctx)
	if err != nil {
		return err
	}

	return at.VolumeRemove(ctx, name, force)
}

// ContainerCreate implements voldata.Engine.
func (e *engine) ContainerCreate(
	ctx context.Context, c *container.Config, h *container.HostConfig, n *network.NetworkingConfig, p *ocispec.Platform, name string,
) (container.CreateResponse, error) {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return container.CreateResponse{}, err
	}

	return at.ContainerCreate(ctx, c, h, n, p, name)
}

// ContainerRemove implements voldata.Engine. It is not asked whether anything may be changed: the container is ours, and holds nothing.
func (e *engine) ContainerRemove(ctx context.Context, id string, o container.RemoveOptions) error {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return err
	}

	return at.ContainerRemove(ctx, id, o)
}

// ContainerList implements voldata.Engine.
func (e *engine) ContainerList(ctx context.Context, o container.ListOptions) ([]container.Summary, error) {
	ctx, done := bounded(ctx)
	defer done()
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return nil, err
	}

	return at.ContainerList(ctx, o)
}

// CopyFromContainer implements voldata.Engine.
func (e *engine) CopyFromContainer(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error) {
	at, err := e.w.o.Engines.DataEngine(e.node)
	if err != nil {
		return nil, container.PathStat{}, err
	}
	body, stat, err := at.CopyFromContainer(ctx, id, path)
	if err != nil {
		return nil, stat, err
	}

	return closing{counted(ctx, body), body}, stat, nil
}

// CopyToContainer implements voldata.Engine.
func (e *engine) CopyToContainer(ctx context.Context, id, path string, tar io.Reader, o container.CopyToContainerOptions) error {
	at, err := e.changing(ctx)
	if err != nil {
		return err
	}

	return at.CopyToContainer(ctx, id, path, counted(ctx, tar), o)
}
