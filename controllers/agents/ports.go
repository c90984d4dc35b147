package agents

import (
	"context"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the part of Docker Swarm that this controller uses. Errors belong to the classes of swarmobj.
type Swarm interface {
	// Look shows what is known of an owner, from the read cache. It fails while nothing is known.
	Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error)
	// LocalImage is the image by that reference if the engine we talk to holds it; ErrNotFound otherwise.
	LocalImage(ctx context.Context, ref string) (swarmobj.LocalImage, error)
	// CreateService creates the service and returns its ID.
	CreateService(ctx context.Context, spec swarm.ServiceSpec, auth string) (id string, err error)
	// UpdateService replaces the spec of the service as Look showed it. It fails with ErrStale when it has changed since.
	UpdateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, auth string) error
	// RemoveService removes the service if, asked now, it still belongs to the owner.
	RemoveService(ctx context.Context, id string, o swarmobj.Owner) error
	// CreateSecret creates a secret and returns its ID; ErrExists when the name is taken.
	CreateSecret(ctx context.Context, spec swarm.SecretSpec) (id string, err error)
}

// Recorder makes events. It is the part of Kubernetes' own recorder that is used here.
type Recorder interface {
	Eventf(object runtime.Object, kind, reason, format string, args ...any)
}
