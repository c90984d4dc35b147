package resume

import (
	"context"
	"net/http"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/tools/cache"
)

// Wrap makes every storage that the getter describes resume watches.
func Wrap(g generic.RESTOptionsGetter) generic.RESTOptionsGetter { return getter{g} }

type getter struct {
	inner generic.RESTOptionsGetter
}

// GetRESTOptions implements generic.RESTOptionsGetter.
func (g getter) GetRESTOptions(resource schema.GroupResource, example runtime.Object) (generic.RESTOptions, error) {
	options, err := g.inner.GetRESTOptions(resource, example)
	if err == nil {
		options.Decorator = decorate(options.Decorator)
	}

	return options, err
}

// decorate wraps the storage that the decorator makes. The storage behind the cache is made when it is first needed:
// each has a connection of its own, and most kinds never need it.
func decorate(inner generic.StorageDecorator) generic.StorageDecorator {
	return func(
		config *storagebackend.ConfigForResource, prefix string, key func(runtime.Object) (string, error),
		newObject, newList func() runtime.Object, attrs storage.AttrFunc, trigger storage.IndexerFuncs, indexers *cache.Indexers,
	) (storage.Interface, factory.DestroyFunc, error) {
		cached, destroy, err := inner(config, prefix, key, newObject, newList, attrs, trigger, indexers)
		if err != nil {
			return nil, nil, err
		}
		s := &resuming{Interface: cached, open: func() (storage.Interface, factory.DestroyFunc, error) {
			return generic.NewRawStorage(config, newObject, newList, prefix)
		}}

		return s, func() { destroy(); s.close() }, nil
	}
}

// resuming is a cached storage with the uncached one behind it.
type resuming struct {
	storage.Interface

	open func() (storage.Interface, factory.DestroyFunc, error)

	mu      sync.Mutex
	behind  storage.Interface
	destroy factory.DestroyFunc
	closed  bool
}

// Watch implements storage.Interface.
func (s *resuming) Watch(ctx context.Context, key string, o storage.ListOptions) (watch.Interface, error) {
	w, err := s.Interface.Watch(ctx, key, o)
	if err != nil || o.SendInitialEvents != nil || o.ResourceVersion == "" || o.ResourceVersion == "0" {
		return w, err
	}

	// A cache that cannot serve the version has said so before Watch returned.
	var first watch.Event
	select {
	case e, open := <-w.ResultChan():
		if !open {
			return w, nil
		}
		first = e
	default:
		return w, nil
	}
	if !expired(first) {
		return putBack(first, w), nil
	}
	behind, err := s.uncached()
	if err != nil {
		return putBack(first, w), nil
	}
	w.Stop()

	return behind.Watch(ctx, key, o)
}

// uncached is the storage behind the cache. It fails when the storage has been closed.
func (s *resuming) uncached() (storage.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.closed {
		return nil, http.ErrServerClosed
	}
	if s.behind == nil {
		behind, destroy, err := s.open()
		if err != nil {
			return nil, err
		}
		s.behind, s.destroy = behind, destroy
	}

	return s.behind, nil
}

func (s *resuming) close() {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.closed = true
	if s.destroy != nil {
		s.destroy()
		s.destroy = nil
	}
}

// expired says whether an event tells the client to list again.
func expired(e watch.Event) bool {
	status, ok := e.Object.(*metav1.Status)

	return e.Type == watch.Error && ok && status.Code == http.StatusGone
}
