package controlplane

import (
	"errors"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	apiadmission "k8s.io/apiserver/pkg/admission"
	genericfilters "k8s.io/apiserver/pkg/endpoints/filters"
	genericapiserver "k8s.io/apiserver/pkg/server"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/apiserver/pkg/util/notfoundhandler"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver"
	kube "k8s.io/kubernetes/pkg/controlplane/apiserver"
	"k8s.io/kubernetes/pkg/controlplane/apiserver/options"

	// The kinds that are served register themselves.
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/authentication/install"
	_ "k8s.io/kubernetes/pkg/apis/authorization/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"
	_ "k8s.io/kubernetes/pkg/apis/flowcontrol/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"

	"github.com/dogker/dogker/internal/controlplane/admission"
	"github.com/dogker/dogker/internal/controlplane/resourcemetrics"
	"github.com/dogker/dogker/internal/controlplane/resume"
	"github.com/dogker/dogker/internal/controlplane/tenancy"
	"github.com/dogker/dogker/internal/identity"
	"github.com/dogker/dogker/internal/ledger"
)

// masters tells the CRD machinery how many API servers share the store. With more than one it waits five seconds before
// it calls a new kind established, so that all of them have heard of it.
const (
	mastersAlone  = 1
	mastersShared = 2
)

// chain is the API server: three servers, each of which passes on what it does not know.
type chain struct {
	front     *aggregator.APIAggregator
	generic   *genericapiserver.Config
	informers informers.SharedInformerFactory
	options   options.CompletedOptions
	people    *people
	tenants   *tenancy.Directory
}

// configs are the three servers before they are made.
type configs struct {
	kube       *kube.Config
	extensions *apiextensions.Config
	aggregator *aggregator.Config
	people     *people
	tenants    *tenancy.Directory
}

func newChain(o options.CompletedOptions, masters int, who peopleSettings, more extensions) (*chain, error) {
	c, err := configure(o, masters, who)
	if err != nil {
		return nil, err
	}
	front, err := assemble(c, more)
	if err != nil {
		return nil, err
	}

	// The front's own handler knows nothing of our controllers' metrics.
	front.GenericAPIServer.Handler.NonGoRestfulMux.Unregister("/metrics")
	front.GenericAPIServer.Handler.NonGoRestfulMux.Handle("/metrics", metricsHandler())
	front.GenericAPIServer.Handler.NonGoRestfulMux.HandlePrefix(identity.PathPrefix, c.people.service.Handler())

	return &chain{front: front, generic: c.kube.Generic, informers: c.kube.VersionedInformers, options: o, people: c.people, tenants: c.tenants}, nil
}

// served are the kinds of Kubernetes that are served. The rest (Services, Deployments …) is neither stored nor answered,
// and costs nothing. Pods and nodes are answered and not stored: they are extensions.
func served() *serverstorage.ResourceConfig {
	r := serverstorage.NewResourceConfig()
	r.EnableVersions(
		corev1.SchemeGroupVersion,
		admissionregistrationv1.SchemeGroupVersion,
		authenticationv1.SchemeGroupVersion,
		authorizationv1.SchemeGroupVersion,
		coordinationv1.SchemeGroupVersion,
		eventsv1.SchemeGroupVersion,
		flowcontrolv1.SchemeGroupVersion,
		rbacv1.SchemeGroupVersion,
	)
	r.EnableVersions(resourcemetrics.GroupVersions...)

	return r
}

func configure(o options.CompletedOptions, masters int, who peopleSettings) (configs, error) {
	shared, err := newGeneric(o, who)
	if err != nil {
		return configs{}, err
	}
	generic, informers := shared.config, shared.informers

	tenants, err := newDirectory(generic.LoopbackClientConfig, informers)
	if err != nil {
		return configs{}, err
	}
	resolver := webhook.NewDefaultServiceResolver()
	// Whoever leads writes the books; here they are read, on every server.
	books := ledger.New(who.etcd, time.Now)
	own := []apiadmission.PluginInitializer{admission.Initializer{
		Directory: tenants, Ledger: books, Cluster: who.cluster, PrivateRepositories: who.privateRepositories, DataDir: who.dataDir,
	}}
	native, initializers, err := kube.CreateConfig(o, generic, informers, shared.storage, resolver, own)
	if err != nil {
		return configs{}, fmt.Errorf("configure Kubernetes' own kinds: %w", err)
	}
	auth := webhook.NewDefaultAuthenticationInfoResolverWrapper(native.ProxyTransport, generic.EgressSelector, generic.LoopbackClientConfig, generic.TracerProvider)
	extensions, err := kube.CreateAPIExtensionsConfig(*generic, informers, initializers, o, masters, resolver, auth)
	if err != nil {
		return configs{}, fmt.Errorf("configure custom kinds: %w", err)
	}
	extensions.ExtraConfig.CRDRESTOptionsGetter = resume.Wrap(extensions.ExtraConfig.CRDRESTOptionsGetter)
	front, err := kube.CreateAggregatorConfig(*generic, o, informers, resolver, native.ProxyTransport, native.Extra.PeerProxy, initializers)
	if err != nil {
		return configs{}, fmt.Errorf("configure aggregator: %w", err)
	}
	// Extension API servers run as services of a cluster network that does not exist here.
	front.ExtraConfig.DisableRemoteAvailableConditionController = true

	return configs{kube: native, extensions: extensions, aggregator: front, people: shared.people, tenants: tenants}, nil
}

// newDirectory makes the directory of tenants that admission asks.
func newDirectory(loopback *rest.Config, informers informers.SharedInformerFactory) (*tenancy.Directory, error) {
	custom, err1 := dynamic.NewForConfig(ownClient(loopback))
	client, err2 := kubernetes.NewForConfig(loopback)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("create clients of admission: %w", err)
	}

	return tenancy.NewDirectory(custom, client, informers)
}

func assemble(c configs, more extensions) (*aggregator.APIAggregator, error) {
	nowhere := notfoundhandler.New(c.kube.Generic.Serializer, genericfilters.NoMuxAndDiscoveryIncompleteKey)
	extensions, err := c.extensions.Complete().New(genericapiserver.NewEmptyDelegateWithCustomHandler(nowhere))
	if err != nil {
		return nil, fmt.Errorf("create server of custom kinds: %w", err)
	}

	completed := c.kube.Complete()
	native, err := completed.New("dogker", extensions.GenericAPIServer)
	if err != nil {
		return nil, fmt.Errorf("create server of Kubernetes' own kinds: %w", err)
	}
	client, err := kubernetes.NewForConfig(c.kube.Generic.LoopbackClientConfig)
	if err != nil {
		return nil, fmt.Errorf("create loopback client: %w", err)
	}
	providers, err := completed.GenericStorageProviders(client.Discovery())
	if err != nil {
		return nil, fmt.Errorf("create storage of Kubernetes' own kinds: %w", err)
	}
	if err := native.InstallAPIs(extend(providers, c.kube, more)...); err != nil {
		return nil, fmt.Errorf("install Kubernetes' own kinds: %w", err)
	}

	crds := extensions.Informers.Apiextensions().V1().CustomResourceDefinitions()
	front, err := kube.CreateAggregatorServer(c.aggregator.Complete(), native.GenericAPIServer, crds, true, priorities())
	if err != nil {
		return nil, fmt.Errorf("create aggregator: %w", err)
	}

	return front, nil
}
