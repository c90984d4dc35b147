package apply

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
)

// Applier makes namespaces what repositories say. It is safe for concurrent use; one sync must not be worked on twice at the
// same time.
type Applier struct {
	config *rest.Config
	kinds  meta.RESTMapper
	opts   Options
	memory memory
	now    func() time.Time
}

// New returns an Applier. The configuration must be allowed to impersonate ServiceAccounts; nothing is done with its own
// rights, unless the options say so. kinds says which resources serve which kinds, and must learn of new ones by itself.
func New(cfg *rest.Config, kinds meta.RESTMapper, o Options) *Applier {
	return &Applier{config: cfg, kinds: kinds, opts: o.orDefault(), now: time.Now}
}

// Forget drops what is remembered of a sync that is no more.
func (a *Applier) Forget(sync types.NamespacedName) { a.memory.forget(sync) }

// Remembered is how many objects are known to be as they should be, of all syncs.
func (a *Applier) Remembered() int {
	a.memory.mu.Lock()
	defer a.memory.mu.Unlock()

	n := 0
	for _, objects := range a.memory.syncs {
		n += len(objects)
	}

	return n
}

// visit is one look at one sync, as its ServiceAccount.
type visit struct {
	*Applier

	request delivery.Request
	objects dynamic.Interface
	heads   metadata.Interface
	// namespaces are those that the build itself makes, which only the platform's may.
	namespaces map[string]bool
}

func (a *Applier) visit(r delivery.Request) (*visit, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}

	cfg := a.config
	if !a.opts.OwnRights {
		var err error
		if cfg, err = As(cfg, r.Sync.Namespace, r.ServiceAccount); err != nil {
			return nil, err
		}
	}

	objects, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("create client: %w", err)
	}

	heads, err := metadata.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("create client for metadata: %w", err)
	}

	return &visit{Applier: a, request: r, objects: objects, heads: heads}, nil
}

// declare notes the namespaces that come with the build: declared as such, or with a tenant.
func (v *visit) declare(items []*item) {
	v.namespaces = map[string]bool{}

	for _, it := range items {
		if it.id.Group == "" && it.id.Kind == "Namespace" || it.id.Group == v1alpha1.GroupVersion.Group && it.id.Kind == "Tenant" {
			v.namespaces[it.id.Name] = true
		}
	}
}

// willDeclare is whether the build makes the namespace that an item is in.
func (v *visit) willDeclare(it *item) bool { return v.namespaces[it.id.Namespace] }

// of is where an item is read and written.
func (v *visit) of(it *item) dynamic.ResourceInterface {
	return v.objects.Resource(it.resource).Namespace(it.id.Namespace)
}

// sleep waits, or ends with the context.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
