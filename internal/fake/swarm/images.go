package swarm

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
)

// Image is an image that all engines of the cluster hold.
type Image struct {
	// Ref is how it is called, such as dogker.test/app:v1.
	Ref string
	// ID is sha256:… of it.
	ID string
	// Digests are the registries' digests it was pulled by, as repository@sha256:….
	Digests []string
	// Behaviour of its containers, unless their environment says otherwise.
	Behaviour Behaviour
}

// Behaviour is what a container does. Environment variables of the same names as those of the live tests' image set it
// too: APP_CRASH_AFTER, APP_EXIT_CODE, APP_UNHEALTHY, APP_IGNORE_TERM, APP_EAT, APP_START_DELAY.
type Behaviour struct {
	// Exits is true for a container that ends by itself, with ExitCode, After its start.
	Exits    bool
	ExitCode int
	After    time.Duration
	// OOM is true for a container that is killed for its use of memory, After its start.
	OOM bool
	// Unhealthy never passes its health check.
	Unhealthy bool
	// SickAfter is how long after its start it begins to fail its health check; never when zero.
	SickAfter time.Duration
	// IgnoreTerm survives until it is killed.
	IgnoreTerm bool
	// StartDelay is how long it takes to become healthy.
	StartDelay time.Duration
	// Log is what the container writes when it starts, to its standard output.
	Log string
}

// AddImage gives all engines an image.
func (c *Cluster) AddImage(i Image) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.images[i.Ref] = i
}

// RemoveImage takes an image away. Running containers go on.
func (c *Cluster) RemoveImage(ref string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	delete(c.images, ref)
}

// image finds what a node would run for a reference: by name, by ID, or by digest.
func (c *Cluster) image(ref string) (Image, bool) {
	if i, ok := c.images[ref]; ok {
		return i, true
	}

	name, digest, byDigest := strings.Cut(ref, "@")

	for _, i := range c.images {
		if i.ID == ref {
			return i, true
		}

		for _, d := range i.Digests {
			if byDigest && d == repository(name)+"@"+digest {
				return i, true
			}
		}
	}

	return Image{}, false
}

// repository is the reference without its tag.
func repository(name string) string {
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i]
	}

	return name
}

// ImageInspect shows an image that the engine holds.
func (c *Client) ImageInspect(ctx context.Context, ref string, _ ...client.ImageInspectOption) (image.InspectResponse, error) {
	return do(ctx, c, "ImageInspect", ref, false, func() (image.InspectResponse, error) {
		i, ok := c.cluster.image(ref)
		if !ok {
			return image.InspectResponse{}, refuse(http.StatusNotFound, "no such image: %s: No such image: %s", ref, ref)
		}

		return image.InspectResponse{ID: i.ID, RepoTags: []string{i.Ref}, RepoDigests: i.Digests, Os: "linux", Architecture: "amd64"}, nil
	})
}

// ContainerInspect shows a container of the connected engine.
func (c *Client) ContainerInspect(ctx context.Context, id string) (container.InspectResponse, error) {
	return do(ctx, c, "ContainerInspect", id, false, func() (container.InspectResponse, error) {
		for _, t := range c.cluster.tasks {
			if t.container != id || t.NodeID != sorted(c.cluster.nodes)[0].ID {
				continue
			}

			return container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{
				ID: id, Name: "/" + t.serviceName + "." + t.slotName() + "." + t.ID,
				State: &container.State{Running: t.alive(), OOMKilled: t.oomKilled, ExitCode: t.exitCode, Health: healthOf(t)},
			}}, nil
		}

		return container.InspectResponse{}, refuse(http.StatusNotFound, "No such container: %s", id)
	})
}

// healthOf is what the container says of its health check. It says so after its end as well.
func healthOf(t *task) *container.Health {
	switch {
	case !checks(t.Spec.ContainerSpec.Healthcheck):
		return nil
	case t.sick:
		return &container.Health{Status: container.Unhealthy}
	default:
		return &container.Health{Status: container.Healthy}
	}
}

// behaviour is what the task's container does: its image's, changed by its environment.
func (c *Cluster) behaviour(t *task) Behaviour {
	i, _ := c.image(t.Spec.ContainerSpec.Image)
	b := i.Behaviour

	for _, variable := range t.Spec.ContainerSpec.Env {
		name, value, _ := strings.Cut(variable, "=")

		switch name {
		case "APP_CRASH_AFTER":
			if d, err := time.ParseDuration(value); err == nil && d >= 0 {
				b.Exits, b.After = true, d
				b.ExitCode = max(b.ExitCode, 1)
			}
		case "APP_EXIT_CODE":
			b.ExitCode, _ = strconv.Atoi(value)
		case "APP_UNHEALTHY":
			b.Unhealthy = value == "true"
		case "APP_IGNORE_TERM":
			b.IgnoreTerm = value == "true"
		case "APP_START_DELAY":
			b.StartDelay, _ = time.ParseDuration(value)
		case "APP_EAT":
			mib, _ := strconv.ParseInt(value, 10, 64)
			b.OOM = b.OOM || overLimit(t.Spec.Resources, mib<<20)
		}
	}

	return b
}

func overLimit(r *swarm.ResourceRequirements, bytes int64) bool {
	return r != nil && r.Limits != nil && r.Limits.MemoryBytes > 0 && bytes >= r.Limits.MemoryBytes
}
