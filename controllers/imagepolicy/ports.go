package imagepolicy

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Registry answers for registries. Errors are of the classes ErrNotFound, ErrRefused and ErrUnavailable of swarmobj; their texts
// are fit for conditions.
type Registry interface {
	// Tags are all tags of a repository, or an error. They may be as old as maxAge. pullSecrets are the data of
	// .dockerconfigjson, tried in order and then not at all. Nobody may change the list.
	Tags(ctx context.Context, repository string, pullSecrets [][]byte, maxAge time.Duration) ([]string, error)
	// Resolve is an image with the digest that its tag has now: that of the index for an image of several platforms.
	Resolve(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error)
}

// Accounts are ServiceAccounts.
type Accounts interface {
	// As is a client that is the ServiceAccount to the API, and nobody else. It reads what is, not what was.
	As(namespace, name string) (client.Client, error)
}
