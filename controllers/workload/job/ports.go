package job

import (
	"context"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the part of Docker Swarm that this controller uses. Errors belong to the classes of swarmobj. Calls block for as long
// as the engine does, at most until the context ends.
type Swarm interface {
	mounts.Swarm

	// LookRuns shows what is known of an owner and of all services of it. It is served from the read cache and costs no call to
	// the engine. It fails while nothing is known.
	LookRuns(ctx context.Context, o swarmobj.Owner) (swarmobj.JobWorld, error)
	// Tail returns what the container of a task has written last, in at most so many lines and bytes. It fails when the log
	// cannot be read.
	Tail(ctx context.Context, task string, lines, bytes int) ([]byte, error)

	// CreateService creates the service and returns its ID. It fails with ErrExists when the name is taken.
	CreateService(ctx context.Context, spec swarm.ServiceSpec, auth string) (id string, err error)
	// UpdateService replaces the spec of the service as LookRuns showed it. It fails with ErrStale when the service has changed
	// since. An empty auth keeps the credentials that Swarm has.
	UpdateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, auth string) error
	// RemoveService removes the service if, asked now, it still belongs to the owner. Its tasks stop later. It is no error when
	// there is none.
	RemoveService(ctx context.Context, id string, o swarmobj.Owner) error
	// Leftovers are the tasks of the owner that have not ended, on nodes that can be asked, by the IDs of their services: those that
	// were removed as well. It asks the engine.
	Leftovers(ctx context.Context, o swarmobj.Owner) (map[string][]swarmobj.Task, error)

	// CreateNetwork creates the network of the namespace and returns its ID; ErrExists when the name is taken.
	CreateNetwork(ctx context.Context, tenant string) (id string, err error)
	// CreateSecret and CreateConfig create the object and return its ID; ErrExists when the name is taken.
	CreateSecret(ctx context.Context, spec swarm.SecretSpec) (id string, err error)
	CreateConfig(ctx context.Context, spec swarm.ConfigSpec) (id string, err error)

	// RemoveNetwork, RemoveSecret and RemoveConfig remove what is ours; ErrInUse while a service or a task refers to it, and no
	// error when there is none.
	RemoveNetwork(ctx context.Context, tenant string) error
	RemoveSecret(ctx context.Context, id string) error
	RemoveConfig(ctx context.Context, id string) error

	// LocalImage is the image by that reference if the engine we talk to holds it; ErrNotFound otherwise.
	LocalImage(ctx context.Context, ref string) (swarmobj.LocalImage, error)
	// Converging asks for a service's tasks to be watched closely, because somebody waits for them to change.
	Converging(serviceID string)
}

// Registry resolves images, and verifies who has signed them. See workload.Registry.
type Registry interface {
	permit.Verifier

	// Resolve asks the registry of ref for its digest, and Grant, for a ref that has one, whether it gives that very image to
	// somebody with these pull secrets. They fail with swarmobj.ErrNotFound, ErrRefused and ErrUnavailable.
	Resolve(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error)
	Grant(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error)
	// Auths are what an engine may need as X-Registry-Auth to pull ref, in the order in which Resolve tries them. The registry
	// is not asked.
	Auths(ref string, pullSecrets [][]byte) ([]string, error)
}
