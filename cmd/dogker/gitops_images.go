package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/controllers/imagepolicy"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/internal/gitops/apply"
	"github.com/dogker/dogker/internal/registry"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/source"
)

// The adapters are what the controller asks for.
var (
	_ imagepolicy.Registry = (*registry.Client)(nil)
	_ source.Editor        = (*worker.Pool)(nil)
	_ imagepolicy.Accounts = accounts{}
)

// images adds what keeps ImagePolicies.
func (g *gitops) images() error {
	cfg := g.server.LoopbackConfig()
	kind := imagepolicy.New(g.m.GetClient(), g.registry, g.builders, accounts{cfg, g.m.GetScheme(), g.m.GetRESTMapper()},
		imagepolicy.Options{
			Platform: bootstrap.Namespace, AllowPrivateAddresses: g.options.AllowPrivateRepositories, Recorder: g.recorder,
		})
	loop := engine.New(g.m.GetClient(), kind, engine.Options{
		Name: imagepolicy.Name, Recorder: g.recorder, Metrics: g.passes, Logger: g.log,
	})
	if err := imagepolicy.Setup(g.m, loop, kind); err != nil {
		return fmt.Errorf("set up controller of image policies: %w", err)
	}

	return nil
}

// accounts are clients that act as ServiceAccounts, without a cache: what they see is what the accounts may see now.
type accounts struct {
	cfg    *rest.Config
	scheme *runtime.Scheme
	mapper meta.RESTMapper
}

// As implements imagepolicy.Accounts.
func (a accounts) As(namespace, name string) (client.Client, error) {
	cfg, err := apply.As(a.cfg, namespace, name)
	if err != nil {
		return nil, err
	}

	c, err := client.New(cfg, client.Options{Scheme: a.scheme, Mapper: a.mapper})
	if err != nil {
		return nil, fmt.Errorf("create client for ServiceAccount %q: %w", name, err)
	}

	return c, nil
}
