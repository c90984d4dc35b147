package workload

import (
	"context"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the part of Docker Swarm that this controller uses. Errors belong to the classes of swarmobj. Calls block for
// as long as the engine does, at most until the context ends.
type Swarm interface {
	mounts.Swarm

	// Look shows what is known of an owner. It is served from the read cache and costs no call to the engine, unless
	// the cache has been told that what it holds is out of date. It fails while nothing is known: an engine that cannot
	// be asked is never shown as an engine that holds nothing.
	Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error)

	// Foreign is a service that is not ours, asked for now and shown whole. It fails with ErrNotFound when there is none,
	// and with ErrRefused when it is somebody's or cannot be shown whole.
	Foreign(ctx context.Context, id string) (swarm.Service, error)
	// Network is a network that is not ours, from the read cache; false when there is none.
	Network(id string) (swarmobj.Network, bool)

	// CreateService creates the service and returns its ID. It fails with ErrExists when the name is taken.
	CreateService(ctx context.Context, spec swarm.ServiceSpec, auth string) (id string, err error)
	// UpdateService replaces the spec of the service as Look showed it. It fails with ErrStale when the service has
	// changed since. An empty auth keeps the credentials that Swarm has.
	UpdateService(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec, auth string) error
	// RemoveService removes the service if, asked now, it still belongs to the owner. Its tasks stop later. It is no
	// error when there is none.
	RemoveService(ctx context.Context, id string, o swarmobj.Owner) error

	// CreateNetwork creates the network of the namespace and returns its ID.
	CreateNetwork(ctx context.Context, tenant string) (id string, err error)
	// RemoveNetwork removes it if it is ours. It fails with ErrInUse while a service or a task refers to it, and it is
	// no error when there is none.
	RemoveNetwork(ctx context.Context, tenant string) error

	// CreateSecret and CreateConfig create the object and return its ID; ErrExists when the name is taken.
	CreateSecret(ctx context.Context, spec swarm.SecretSpec) (id string, err error)
	CreateConfig(ctx context.Context, spec swarm.ConfigSpec) (id string, err error)
	// RemoveSecret and RemoveConfig remove an object that is ours; ErrInUse while a service refers to it, and no error
	// when there is none.
	RemoveSecret(ctx context.Context, id string) error
	RemoveConfig(ctx context.Context, id string) error

	// LocalImage is the image by that reference if the engine we talk to holds it; ErrNotFound otherwise.
	LocalImage(ctx context.Context, ref string) (swarmobj.LocalImage, error)
	// PortHolder is the service that has published the port, other than the service with the ID except.
	PortHolder(mode swarm.PortConfigPublishMode, port swarm.PortConfig, except string) (swarmobj.Owner, bool)
	// Converging asks for a service's tasks to be watched closely, because somebody waits for them to change.
	Converging(serviceID string)
}

// Registry resolves images, and verifies who has signed them.
type Registry interface {
	// Resolve asks the registry of ref for its digest. pullSecrets are the data of .dockerconfigjson, tried in order
	// before the anonymous way. It fails with swarmobj.ErrNotFound when the registry has no such image, with
	// swarmobj.ErrRefused when it refuses the credentials, and with swarmobj.ErrUnavailable when it does not answer.
	Resolve(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error)
	// Grant asks the registry of ref, which has a digest, whether it gives that very image to somebody with these pull
	// secrets. It fails as Resolve does.
	Grant(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error)
	// Verify returns the fingerprint of the one of the keys, in PEM, that has signed the image, which is given with its
	// digest, as cosign does. It fails with swarmobj.ErrNotFound when the registry has no signature, with
	// swarmobj.ErrRefused when none is by one of the keys, and with swarmobj.ErrUnavailable when the registry does not
	// answer.
	Verify(ctx context.Context, ref string, pullSecrets [][]byte, keys []string) (key string, err error)
	// Auths are what an engine may need as X-Registry-Auth to pull ref with these pull secrets, one for each credential
	// that is for the registry of ref, in the order in which Resolve tries them; none when none is. The registry is not
	// asked.
	Auths(ref string, pullSecrets [][]byte) ([]string, error)
}
