package kubecontrollers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	tokens "k8s.io/kubernetes/pkg/serviceaccount"
)

const (
	// workers is how many objects each loop handles at a time. The API is in this process: more would only queue there.
	workers = 4
	// resync is how often a loop looks at everything again, should it have missed something.
	resync = 10 * time.Minute
	// discoveryPeriod is how often loops that handle every kind ask which kinds there are.
	discoveryPeriod = 30 * time.Second
	// firstSync is how long the garbage collector waits for sight of every kind before it begins.
	firstSync = 30 * time.Second
)

// Options are what the loops need. All fields must be set.
type Options struct {
	// Config is a client that may do anything.
	Config *rest.Config
	// Informers are the API server's own, so that nothing is watched and kept twice.
	Informers informers.SharedInformerFactory
	// Containers is the API server's own informer of TenantContainers, with all of them that quotas are about.
	Containers informers.GenericInformer
	// CA is the authority's certificate in PEM, published to every namespace.
	CA []byte
	// TokenKey signs the tokens in Secrets of type service-account-token.
	TokenKey any
}

// loops is what the constructors below share.
type loops struct {
	Options
	kube      kubernetes.Interface
	metadata  metadata.Interface
	dynamic   dynamic.Interface
	discovery discovery.DiscoveryInterface
	kinds     kindInformers
	// started is closed once the informers that the constructors asked for have been started.
	started chan struct{}
}

// Run runs all loops, and blocks until the context ends and each of them has stopped.
func Run(ctx context.Context, o Options) error {
	l, err := newLoops(o)
	if err != nil {
		return err
	}

	var runs []func(context.Context)
	for name, build := range map[string]func(context.Context) (func(context.Context), error){
		"namespace":         l.namespaces,
		"garbage collector": l.garbage,
		"resource quota":    l.quota,
		"service account":   l.accounts,
		"token":             l.tokens,
		"root CA publisher": l.rootCA,
		"role aggregation":  l.roles,
	} {
		run, err := build(ctx)
		if err != nil {
			return fmt.Errorf("create %s controller: %w", name, err)
		}
		runs = append(runs, run)
	}

	l.Informers.Start(ctx.Done())
	l.kinds.Start(ctx.Done())
	close(l.started)

	var wg sync.WaitGroup
	for _, run := range runs {
		wg.Go(func() { run(ctx) })
	}
	wg.Wait()

	return nil
}

func newLoops(o Options) (*loops, error) {
	kube, err1 := kubernetes.NewForConfig(o.Config)
	meta, err2 := metadata.NewForConfig(metadata.ConfigFor(o.Config))
	disco, err3 := discovery.NewDiscoveryClientForConfig(o.Config)
	custom, err4 := dynamic.NewForConfig(o.Config)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("create clients of Kubernetes' controllers: %w", err)
	}

	light := metadatainformer.NewSharedInformerFactoryWithOptions(meta, resync, metadatainformer.WithTransform(lighten))

	return &loops{
		Options:   o,
		kube:      kube,
		metadata:  meta,
		dynamic:   custom,
		discovery: disco,
		kinds:     kindInformers{typed: o.Informers, light: light, containers: o.Containers},
		started:   make(chan struct{}),
	}, nil
}

func (l *loops) namespaces(ctx context.Context) (func(context.Context), error) {
	c := namespace.NewNamespaceController(ctx, l.kube, l.metadata, stored(l.discovery.ServerPreferredNamespacedResources),
		l.Informers.Core().V1().Namespaces(), resync, corev1.FinalizerKubernetes)

	return func(ctx context.Context) { c.Run(ctx, workers) }, nil
}

func (l *loops) garbage(ctx context.Context) (func(context.Context), error) {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(l.discovery))
	c, err := garbagecollector.NewGarbageCollector(ctx, l.kube, l.metadata, mapper, ungarbaged, l.kinds, l.started)
	if err != nil {
		return nil, err
	}

	return func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Go(func() { c.Sync(ctx, l.discovery, discoveryPeriod) })
		c.Run(ctx, workers, firstSync)
		wg.Wait()
	}, nil
}

func (l *loops) accounts(ctx context.Context) (func(context.Context), error) {
	core := l.Informers.Core().V1()
	c, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(),
		l.kube, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, err
	}

	return func(ctx context.Context) { c.Run(ctx, 1) }, nil
}

func (l *loops) tokens(ctx context.Context) (func(context.Context), error) {
	generator, err := tokens.JWTTokenGenerator(tokens.LegacyIssuer, l.TokenKey)
	if err != nil {
		return nil, err
	}
	core := l.Informers.Core().V1()
	c, err := serviceaccount.NewTokensController(klog.FromContext(ctx), core.ServiceAccounts(), core.Secrets(), l.kube,
		serviceaccount.TokensControllerOptions{TokenGenerator: generator, RootCA: l.CA})
	if err != nil {
		return nil, err
	}

	return func(ctx context.Context) { c.Run(ctx, workers) }, nil
}

func (l *loops) rootCA(context.Context) (func(context.Context), error) {
	core := l.Informers.Core().V1()
	c, err := rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), l.kube, l.CA)
	if err != nil {
		return nil, err
	}

	return func(ctx context.Context) { c.Run(ctx, 1) }, nil
}

func (l *loops) roles(context.Context) (func(context.Context), error) {
	c := clusterroleaggregation.NewClusterRoleAggregation(l.Informers.Rbac().V1().ClusterRoles(), l.kube.RbacV1())

	return func(ctx context.Context) { c.Run(ctx, 1) }, nil
}
