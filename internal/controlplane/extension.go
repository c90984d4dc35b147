package controlplane

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	registry "k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	kube "k8s.io/kubernetes/pkg/controlplane/apiserver"

	"github.com/dogker/dogker/internal/controlplane/views"
	"github.com/dogker/dogker/reconciler/logkey"
)

// extension makes what is served beside Kubernetes' own kinds in version v1 of the core group, by the names of resources
// (pods) and of their subresources (pods/log). The configuration is that of the server which serves it: it says who may
// what, and when the server stops.
type extension func(*genericapiserver.Config) (map[string]rest.Storage, error)

// extensions are everything that is served beside Kubernetes' own kinds and custom ones: in the core group, and as groups.
type extensions struct {
	core   []extension
	groups []kube.RESTStorageProvider
}

// extend adds the extensions to the providers of Kubernetes' own groups.
func extend(providers []kube.RESTStorageProvider, c *kube.Config, more extensions) []kube.RESTStorageProvider {
	for i, p := range providers {
		if p.GroupName() == corev1.GroupName {
			providers[i] = extendedCore{RESTStorageProvider: p, config: c.Generic, more: more.core}
		}
	}

	return append(providers, more.groups...)
}

// extendedCore is the core group with what is served beside it.
type extendedCore struct {
	kube.RESTStorageProvider
	config *genericapiserver.Config
	more   []extension
}

// NewRESTStorage implements kube.RESTStorageProvider.
func (e extendedCore) NewRESTStorage(s serverstorage.APIResourceConfigSource, g registry.RESTOptionsGetter) (genericapiserver.APIGroupInfo, error) {
	group, err := e.RESTStorageProvider.NewRESTStorage(s, g)
	if err != nil {
		return group, err
	}

	into := group.VersionedResourcesStorageMap[corev1.SchemeGroupVersion.Version]
	for _, make := range e.more {
		storage, err := make(e.config)
		if err != nil {
			return group, fmt.Errorf("extend the core group: %w", err)
		}
		maps.Copy(into, storage)
	}

	return group, nil
}

// showSwarm makes pods and nodes be served, if there is a swarm to show.
func (s *Server) showSwarm(o Options) extensions {
	if o.Swarm == nil {
		return extensions{}
	}
	s.views = views.New(views.Options{Swarm: o.Swarm, Agents: o.Agents, Runtime: o.Runtime, Log: o.Log.With(logkey.Component, "views")})

	pods := func(*genericapiserver.Config) (map[string]rest.Storage, error) { return s.views.Storage(), nil }

	return extensions{core: append([]extension{pods}, s.openStreams(o)...), groups: s.measure(o)}
}

// followSwarm keeps pods and nodes as the swarm is, once the API serves.
func (s *Server) followSwarm() error {
	if s.views == nil {
		return nil
	}
	s.OnServing(s.views.Run)

	return s.views.Follow(s.chain.tenants.Containers().Informer())
}
