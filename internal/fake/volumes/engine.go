package volumes

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Engine is one in memory. It makes volumes that mounts name, as engines do; live tests hold what is expected of it against
// a real one.
type Engine struct {
	mu sync.Mutex
	// Images and Volumes by name, and Data, the tar of what is in a volume.
	Images  map[string]image.InspectResponse
	Volumes map[string]*volume.Volume
	Data    map[string][]byte

	containers map[string]container.Summary
	mounted    map[string]string // Volumes by container.

	// Before is called when a call begins, and may change the engine, or fail the call. Calls have the names of the methods.
	Before func(e *Engine, op, name string) error
	// Alter changes what is read.
	Alter func(data []byte) io.Reader
	// Deaf makes it take nothing of what is written.
	Deaf bool
}

// New returns an engine without anything.
func New() *Engine {
	return &Engine{
		Images: map[string]image.InspectResponse{}, Volumes: map[string]*volume.Volume{}, Data: map[string][]byte{},
		containers: map[string]container.Summary{}, mounted: map[string]string{},
	}
}

func (e *Engine) begin(op, name string) error {
	if e.Before != nil {
		if err := e.Before(e, op, name); err != nil {
			return err
		}
	}
	e.mu.Lock()

	return nil
}

func missing(what string) error { return fmt.Errorf("no such %s: %w", what, cerrdefs.ErrNotFound) }

// ImageInspect is as in Docker's client.
func (e *Engine) ImageInspect(_ context.Context, ref string, _ ...client.ImageInspectOption) (image.InspectResponse, error) {
	if err := e.begin("ImageInspect", ref); err != nil {
		return image.InspectResponse{}, err
	}
	defer e.mu.Unlock()
	if i, is := e.Images[ref]; is {
		return i, nil
	}

	return image.InspectResponse{}, missing("image")
}

// ImageLoad is as in Docker's client.
func (e *Engine) ImageLoad(_ context.Context, archive io.Reader, _ ...client.ImageLoadOption) (image.LoadResponse, error) {
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
		e.Images[name] = image.InspectResponse{ID: "sha256:ours", RootFS: image.RootFS{Type: "layers", Layers: []string{emptyLayer}}}

		return image.LoadResponse{Body: io.NopCloser(strings.NewReader("{}"))}, nil
	}
}

// VolumeInspect is as in Docker's client.
func (e *Engine) VolumeInspect(_ context.Context, name string) (volume.Volume, error) {
	if err := e.begin("VolumeInspect", name); err != nil {
		return volume.Volume{}, err
	}
	defer e.mu.Unlock()
	if v := e.Volumes[name]; v != nil {
		return *v, nil
	}

	return volume.Volume{}, missing("volume")
}

// VolumeCreate is as in Docker's client.
func (e *Engine) VolumeCreate(_ context.Context, o volume.CreateOptions) (volume.Volume, error) {
	if err := e.begin("VolumeCreate", o.Name); err != nil {
		return volume.Volume{}, err
	}
	defer e.mu.Unlock()
	e.Put(o.Name, o.Labels)

	return *e.Volumes[o.Name], nil
}

// Put makes an empty volume, unless there is one.
func (e *Engine) Put(name string, labels map[string]string) {
	if e.Volumes[name] == nil {
		e.Volumes[name], e.Data[name] = &volume.Volume{Name: name, Labels: labels}, empty()
	}
}

func empty() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755})
	_ = w.Close()

	return b.Bytes()
}

// VolumeRemove is as in Docker's client.
func (e *Engine) VolumeRemove(_ context.Context, name string, _ bool) error {
	if err := e.begin("VolumeRemove", name); err != nil {
		return err
	}
	defer e.mu.Unlock()
	if e.Volumes[name] == nil {
		return missing("volume")
	}
	for _, v := range e.mounted {
		if v == name {
			return fmt.Errorf("volume is in use: %w", cerrdefs.ErrConflict)
		}
	}
	delete(e.Volumes, name)
	delete(e.Data, name)

	return nil
}

// ContainerCreate is as in Docker's client.
func (e *Engine) ContainerCreate(_ context.Context, c *container.Config, h *container.HostConfig, _ *network.NetworkingConfig, _ *ocispec.Platform, name string) (container.CreateResponse, error) {
	if err := e.begin("ContainerCreate", name); err != nil {
		return container.CreateResponse{}, err
	}
	defer e.mu.Unlock()
	m := h.Mounts[0]
	if c.Image != "sha256:ours" || len(h.Mounts) != 1 || !m.VolumeOptions.NoCopy {
		return container.CreateResponse{}, fmt.Errorf("not what was expected: %+v: %w", c, cerrdefs.ErrInvalidArgument)
	}
	e.Put(m.Source, m.VolumeOptions.Labels)
	e.containers[name] = container.Summary{ID: name, Names: []string{"/" + name}, Labels: c.Labels}
	e.mounted[name] = m.Source

	return container.CreateResponse{ID: name}, nil
}

// ContainerRemove is as in Docker's client.
func (e *Engine) ContainerRemove(_ context.Context, id string, _ container.RemoveOptions) error {
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

// ContainerList is as in Docker's client.
func (e *Engine) ContainerList(_ context.Context, o container.ListOptions) ([]container.Summary, error) {
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

// CopyFromContainer is as in Docker's client.
func (e *Engine) CopyFromContainer(ctx context.Context, id, _ string) (io.ReadCloser, container.PathStat, error) {
	if err := e.begin("CopyFromContainer", id); err != nil {
		return nil, container.PathStat{}, err
	}
	defer e.mu.Unlock()
	var r io.Reader = bytes.NewReader(e.Data[e.mounted[id]])
	if e.Alter != nil {
		r = e.Alter(e.Data[e.mounted[id]])
	}

	return io.NopCloser(&patient{ctx, r}), container.PathStat{}, nil
}

// CopyToContainer is as in Docker's client.
func (e *Engine) CopyToContainer(ctx context.Context, id, _ string, in io.Reader, _ container.CopyToContainerOptions) error {
	if err := e.begin("CopyToContainer", id); err != nil {
		return err
	}
	e.mu.Unlock()
	if e.Deaf {
		<-ctx.Done()

		return ctx.Err()
	}
	data, err := io.ReadAll(in)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Data[e.mounted[id]] = data

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

// emptyLayer is the digest of a tar of nothing.
const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

// errStill is said by a reader that never says more.
var errStill = errors.New("still")

// Still is a reader that never says anything, and never ends.
type Still struct{}

// Read implements io.Reader.
func (Still) Read([]byte) (int, error) { return 0, errStill }

// Left names all containers and volumes that there are.
func (e *Engine) Left() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for id := range e.containers {
		out = append(out, "container "+id)
	}
	for name := range e.Volumes {
		out = append(out, "volume "+name)
	}

	return strings.Join(out, ", ")
}
