package voldata_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// engine is one in memory. It makes volumes that mounts name, as engines do; live tests hold what is expected of it against
// a real one.
type engine struct {
	mu         sync.Mutex
	images     map[string]image.InspectResponse
	volumes    map[string]*volume.Volume
	data       map[string][]byte // The tar that was written into a volume.
	containers map[string]container.Summary
	mounted    map[string]string // Volumes by container.

	// before is called when a call begins, and may change the engine, or fail the call.
	before func(e *engine, op, name string) error
	// read changes what is read.
	read func([]byte) io.Reader
	// deaf makes it take nothing of what is written.
	deaf bool
}

func newEngine() *engine {
	return &engine{
		images: map[string]image.InspectResponse{}, volumes: map[string]*volume.Volume{}, data: map[string][]byte{},
		containers: map[string]container.Summary{}, mounted: map[string]string{},
	}
}

func (e *engine) begin(op, name string) error {
	if e.before != nil {
		if err := e.before(e, op, name); err != nil {
			return err
		}
	}
	e.mu.Lock()

	return nil
}

func missing(what string) error { return fmt.Errorf("no such %s: %w", what, cerrdefs.ErrNotFound) }

func (e *engine) ImageInspect(_ context.Context, ref string, _ ...client.ImageInspectOption) (image.InspectResponse, error) {
	if err := e.begin("ImageInspect", ref); err != nil {
		return image.InspectResponse{}, err
	}
	defer e.mu.Unlock()
	if i, is := e.images[ref]; is {
		return i, nil
	}

	return image.InspectResponse{}, missing("image")
}

func (e *engine) ImageLoad(_ context.Context, archive io.Reader, _ ...client.ImageLoadOption) (image.LoadResponse, error) {
	if err := e.begin("ImageLoad", ""); err != nil {
		return image.LoadResponse{}, err
	}
	defer e.mu.Unlock()
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if err != nil {
			return image.LoadResponse{}, err
		}
		if h.Name != "manifest.json" {
			continue
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			return image.LoadResponse{}, err
		}
		name := strings.SplitN(strings.SplitN(string(raw), `"RepoTags":["`, 2)[1], `"`, 2)[0]
		e.images[name] = image.InspectResponse{ID: "sha256:ours", RootFS: image.RootFS{Type: "layers", Layers: []string{"sha256:" + sumOf(make([]byte, 1024))}}}

		return image.LoadResponse{Body: io.NopCloser(strings.NewReader("{}"))}, nil
	}
}

func (e *engine) VolumeInspect(_ context.Context, name string) (volume.Volume, error) {
	if err := e.begin("VolumeInspect", name); err != nil {
		return volume.Volume{}, err
	}
	defer e.mu.Unlock()
	if v := e.volumes[name]; v != nil {
		return *v, nil
	}

	return volume.Volume{}, missing("volume")
}

func (e *engine) VolumeCreate(_ context.Context, o volume.CreateOptions) (volume.Volume, error) {
	if err := e.begin("VolumeCreate", o.Name); err != nil {
		return volume.Volume{}, err
	}
	defer e.mu.Unlock()
	e.put(o.Name, o.Labels)

	return *e.volumes[o.Name], nil
}

// put makes a volume, unless there is one.
func (e *engine) put(name string, labels map[string]string) {
	if e.volumes[name] == nil {
		e.volumes[name], e.data[name] = &volume.Volume{Name: name, Labels: labels}, empty()
	}
}

func empty() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755})
	_ = w.Close()

	return b.Bytes()
}

func (e *engine) VolumeRemove(_ context.Context, name string, _ bool) error {
	if err := e.begin("VolumeRemove", name); err != nil {
		return err
	}
	defer e.mu.Unlock()
	if e.volumes[name] == nil {
		return missing("volume")
	}
	for _, v := range e.mounted {
		if v == name {
			return fmt.Errorf("volume is in use: %w", cerrdefs.ErrConflict)
		}
	}
	delete(e.volumes, name)
	delete(e.data, name)

	return nil
}

func (e *engine) ContainerCreate(_ context.Context, c *container.Config, h *container.HostConfig, _ *network.NetworkingConfig, _ *ocispec.Platform, name string) (container.CreateResponse, error) {
	if err := e.begin("ContainerCreate", name); err != nil {
		return container.CreateResponse{}, err
	}
	defer e.mu.Unlock()
	m := h.Mounts[0]
	if c.Image != "sha256:ours" || len(h.Mounts) != 1 || !m.VolumeOptions.NoCopy {
		return container.CreateResponse{}, fmt.Errorf("not what was expected: %+v: %w", c, cerrdefs.ErrInvalidArgument)
	}
	e.put(m.Source, m.VolumeOptions.Labels)
	e.containers[name] = container.Summary{ID: name, Names: []string{"/" + name}, Labels: c.Labels}
	e.mounted[name] = m.Source

	return container.CreateResponse{ID: name}, nil
}

func (e *engine) ContainerRemove(_ context.Context, id string, _ container.RemoveOptions) error {
	if err := e.begin("ContainerRemove", id); err != nil {
		return err
	}
	defer e.mu.Unlock()
	if _, is := e.containers[id]; !is {
		return missing("container")
	}
	delete(e.containers, id)
	delete(e.mounted, id)

	return nil
}

func (e *engine) ContainerList(_ context.Context, o container.ListOptions) ([]container.Summary, error) {
	if err := e.begin("ContainerList", ""); err != nil {
		return nil, err
	}
	defer e.mu.Unlock()
	var out []container.Summary
	for id, s := range e.containers {
		if v := o.Filters.Get("volume"); len(v) == 0 || v[0] == e.mounted[id] {
			out = append(out, s)
		}
	}

	return out, nil
}

func (e *engine) CopyFromContainer(ctx context.Context, id, _ string) (io.ReadCloser, container.PathStat, error) {
	if err := e.begin("CopyFromContainer", id); err != nil {
		return nil, container.PathStat{}, err
	}
	defer e.mu.Unlock()
	var r io.Reader = bytes.NewReader(e.data[e.mounted[id]])
	if e.read != nil {
		r = e.read(e.data[e.mounted[id]])
	}

	return io.NopCloser(&patient{ctx, r}), container.PathStat{}, nil
}

func (e *engine) CopyToContainer(ctx context.Context, id, _ string, in io.Reader, _ container.CopyToContainerOptions) error {
	if err := e.begin("CopyToContainer", id); err != nil {
		return err
	}
	e.mu.Unlock()
	if e.deaf {
		<-ctx.Done()

		return ctx.Err()
	}
	data, err := io.ReadAll(in)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.data[e.mounted[id]] = data

	return err
}

// patient ends with its context, also when what it reads from has nothing.
type patient struct {
	ctx context.Context //nolint:containedctx // It is that of a request.
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if errors.Is(err, errStill) {
		<-p.ctx.Done()

		return n, p.ctx.Err()
	}

	return n, err
}

// errStill is said by a reader that never says more.
var errStill = errors.New("still")

type still struct{}

func (still) Read([]byte) (int, error) { return 0, errStill }

// left is what there is besides volumes of others.
func (e *engine) left() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for id := range e.containers {
		out = append(out, "container "+id)
	}
	for name := range e.volumes {
		out = append(out, "volume "+name)
	}

	return strings.Join(out, ", ")
}

var noon = time.Unix(1_700_000_000, 0)
