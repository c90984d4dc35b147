package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/controllers/gitpreview"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/source"
)

// The adapters are what the controller asks for.
var (
	_ source.Lister       = (*worker.Pool)(nil)
	_ gitpreview.Accounts = originals{}
)

// previews adds what keeps GitPreviews.
func (g *gitops) previews() error {
	from := originals{accounts{g.server.LoopbackConfig(), g.m.GetScheme(), g.m.GetRESTMapper()}}
	kind := gitpreview.New(g.m.GetClient(), g.m.GetAPIReader(), from, g.builders, gitpreview.Options{
		AllowPrivateAddresses: g.options.AllowPrivateRepositories, Recorder: g.recorder,
	})
	loop := engine.New(g.m.GetClient(), kind, engine.Options{
		Name: gitpreview.Name, Finalizer: gitopsv1.FinalizerGitPreview, Recorder: g.recorder, Metrics: g.passes, Logger: g.log,
	})
	if err := gitpreview.Setup(g.m, loop, kind); err != nil {
		return fmt.Errorf("set up controller of previews: %w", err)
	}
	if err := ctrlmetrics.Registry.Register(gitpreview.NewMetrics(g.m.GetClient())); err != nil {
		return fmt.Errorf("register metrics of previews: %w", err)
	}

	return nil
}

// originals reads what is copied into previews, as ServiceAccounts.
type originals struct{ accounts }

// Secret implements gitpreview.Accounts.
func (o originals) Secret(ctx context.Context, account types.NamespacedName, name string) (*corev1.Secret, error) {
	s := &corev1.Secret{}

	return s, o.read(ctx, account, name, s)
}

// ConfigMap implements gitpreview.Accounts.
func (o originals) ConfigMap(ctx context.Context, account types.NamespacedName, name string) (*corev1.ConfigMap, error) {
	m := &corev1.ConfigMap{}

	return m, o.read(ctx, account, name, m)
}

func (o originals) read(ctx context.Context, account types.NamespacedName, name string, into client.Object) error {
	as, err := o.As(account.Namespace, account.Name)
	if err != nil {
		return err
	}

	return as.Get(ctx, client.ObjectKey{Namespace: account.Namespace, Name: name}, into)
}
