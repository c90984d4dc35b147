package controlplane

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	kube "k8s.io/kubernetes/pkg/controlplane/apiserver"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/controlplane/resourcemetrics"
	"github.com/dogker/dogker/internal/controlplane/streams"
	"github.com/dogker/dogker/reconciler/logkey"
)

// openStreams makes logs, exec, attach, port-forward and proxies be served beside pods, where their containers can be
// reached.
func (s *Server) openStreams(o Options) []extension {
	if s.views == nil || o.Runtime == nil || o.TaskLogs == nil {
		return nil
	}

	return []extension{func(c *genericapiserver.Config) (map[string]rest.Storage, error) {
		settings := streams.Options{
			Pods: s.views, Runtime: o.Runtime, TaskLogs: o.TaskLogs, Authorizer: c.Authorization.Authorizer,
			PerNamespace: cmp.Or(o.StreamsPerNamespace, streams.DefaultPerNamespace),
			Idle:         cmp.Or(o.StreamIdleTimeout, streams.DefaultIdle),
			Stop:         c.DrainedNotify(), Metrics: ctrlmetrics.Registry, Log: o.Log.With(logkey.Component, "streams"),
		}
		if o.Pages != nil {
			settings.Pages = o.Pages
		}

		return streams.New(settings).Storage(), nil
	}}
}

// measure makes metrics.k8s.io be served, where containers are sampled.
func (s *Server) measure(o Options) []kube.RESTStorageProvider {
	if s.views == nil || o.Samples == nil {
		return nil
	}

	return []kube.RESTStorageProvider{resourcemetrics.Provider{Source: s.views, Samples: o.Samples}}
}

// priorities order groups in discovery. That of resource metrics is where metrics-server asks to be put.
func priorities() map[schema.GroupVersion]kube.APIServicePriority {
	p := kube.DefaultGenericAPIServicePriorities()
	for i, version := range resourcemetrics.GroupVersions {
		p[version] = kube.APIServicePriority{Group: 100, Version: int32(100 - i)} //nolint:gosec // Two of them.
	}

	return p
}

// validateStreams refuses limits that cannot be meant.
func (o Options) validateStreams() error {
	if o.StreamsPerNamespace < 0 || o.StreamsPerNamespace > maxStreams {
		return fmt.Errorf("--streams-per-namespace %d must be from 1 to %d", o.StreamsPerNamespace, maxStreams)
	}
	if o.StreamIdleTimeout != 0 && o.StreamIdleTimeout < leastIdle {
		return fmt.Errorf("--stream-idle-timeout %s must be at least %s", o.StreamIdleTimeout, leastIdle)
	}

	return nil
}

const (
	// maxStreams of a namespace is about what one process has descriptors for.
	maxStreams = 10_000
	// leastIdle lets somebody think before they type.
	leastIdle = 10 * time.Second
)
