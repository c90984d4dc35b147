package controlplane

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	tracing "go.opentelemetry.io/otel/trace/noop"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/server/filters"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	openapifeatures "k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	aggregatorscheme "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	kube "k8s.io/kubernetes/pkg/controlplane/apiserver"
	"k8s.io/kubernetes/pkg/controlplane/apiserver/options"
	"k8s.io/kubernetes/pkg/kubeapiserver"

	"github.com/dogker/dogker/internal/controlplane/books"
	"github.com/dogker/dogker/internal/controlplane/fairness"
	"github.com/dogker/dogker/internal/controlplane/pki"
	"github.com/dogker/dogker/internal/controlplane/resume"
	"github.com/dogker/dogker/internal/controlplane/views"
)

const (
	protobuf = "application/vnd.kubernetes.protobuf"
	// informerResync is how often informers of the API server hand out everything again.
	informerResync = 10 * time.Minute
	// loopbackLifetime outlasts any process.
	loopbackLifetime = 10 * 365 * 24 * time.Hour
	title            = "Dogker"
)

// generic is what the three servers of the chain share.
type generic struct {
	config    *genericapiserver.Config
	informers informers.SharedInformerFactory
	storage   *serverstorage.DefaultStorageFactory
	people    *people
	books     *books.Server
}

// newGeneric applies the options one group after the other. The order matters: what a group needs is applied before.
//
// Kubernetes has a function that does the same. It makes an RSA key for the loopback connection at every start, which
// alone takes from a quarter of a second to more than one.
func newGeneric(o options.CompletedOptions, who peopleSettings) (*generic, error) {
	g := &generic{config: genericapiserver.NewConfig(legacyscheme.Codecs)}
	for _, step := range []struct {
		what  string
		apply func(options.CompletedOptions) error
	}{
		{"run options", func(o options.CompletedOptions) error { return o.GenericServerRunOptions.ApplyTo(g.config) }},
		{"serving", func(o options.CompletedOptions) error {
			return o.SecureServing.SecureServingOptions.ApplyTo(&g.config.SecureServing)
		}},
		{"loopback connection", g.loopback},
		{"kinds", func(o options.CompletedOptions) error {
			return o.APIEnablement.ApplyTo(g.config, served(), legacyscheme.Scheme)
		}},
		{"informers", g.inform},
		{"schemas", g.describe},
		{"storage", g.store},
		{"access", g.access},
		{"people", func(options.CompletedOptions) error { return g.meet(who) }},
		{"ledger", func(options.CompletedOptions) error { return g.publish(who) }},
		{"audit", func(o options.CompletedOptions) error { return o.Audit.ApplyTo(g.config) }},
	} {
		if err := step.apply(o); err != nil {
			return nil, fmt.Errorf("configure %s: %w", step.what, err)
		}
	}

	g.config.LongRunningFunc = filters.BasicLongRunningRequestCheck(sets.NewString("watch", "proxy"), sets.NewString("log", "exec", "attach", "portforward", "proxy"))
	g.config.BuildHandlerChainFunc = func(h http.Handler, c *genericapiserver.Config) http.Handler {
		return genericapiserver.DefaultBuildHandlerChain(g.people.service.Subresources(g.books.Handler(who.showPages(views.Refuse(refuseProtobuf(h))))), c)
	}
	g.config.AggregatedDiscoveryGroupManager = aggregated.NewResourceManager("apis")

	return g, nil
}

// loopback lets this process in to its own API: by a certificate and a token that exist in its memory only.
func (g *generic) loopback(options.CompletedOptions) error {
	const name = genericapiserver.LoopbackClientServerNameOverride
	cert, key, err := pki.SelfSigned(name, time.Now(), loopbackLifetime)
	if err != nil {
		return err
	}
	content, err := dynamiccertificates.NewStaticSNICertKeyContent("loopback", cert, key, name)
	if err != nil {
		return err
	}

	serving := g.config.SecureServing
	serving.SNICerts = append([]dynamiccertificates.SNICertKeyContentProvider{content}, serving.SNICerts...)
	client, err := serving.NewLoopbackClientConfig(uuid.NewString(), cert)
	if err != nil {
		return err
	}
	client.ContentType = protobuf
	client.DisableCompression = true
	g.config.LoopbackClientConfig = client

	return nil
}

func (g *generic) inform(o options.CompletedOptions) error {
	client, err := kubernetes.NewForConfig(g.config.LoopbackClientConfig)
	if err != nil {
		return err
	}
	g.informers = informers.NewSharedInformerFactoryWithOptions(client, informerResync, informers.WithTransform(stripManagedFields))

	if err := o.Features.ApplyTo(g.config, client, g.informers); err != nil {
		return err
	}
	g.config.FlowControl = fairness.ByTenant(g.config.FlowControl, g.informers.Core().V1().Namespaces().Lister())

	return nil
}

// stripManagedFields takes away what is the larger part of most objects' metadata, and which nothing here reads.
func stripManagedFields(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil && m.GetManagedFields() != nil {
		m.SetManagedFields(nil)
	}

	return object, nil
}

func (g *generic) describe(options.CompletedOptions) error {
	schemes := []*runtime.Scheme{legacyscheme.Scheme, apiextensions.Scheme, aggregatorscheme.Scheme}
	namer := openapinamer.NewDefinitionNamer(schemes...)
	definitions := openapifeatures.GetOpenAPIDefinitionsWithoutDisabledFeatures(schemas)

	g.config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	g.config.OpenAPIConfig.Info.Title = title
	g.config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)
	g.config.OpenAPIV3Config.Info.Title = title

	return nil
}

func (g *generic) store(o options.CompletedOptions) error {
	o.Etcd.StorageConfig.Transport.TracerProvider = tracing.NewTracerProvider()

	version := g.config.EffectiveVersion
	factory := kubeapiserver.NewStorageFactoryConfigEffectiveVersion(version)
	factory.APIResourceConfig = g.config.MergedResourceConfig
	factory.DefaultResourceEncoding.SetEffectiveVersion(version)
	storage, err := factory.Complete(o.Etcd).New()
	if err != nil {
		return err
	}
	storage.StorageConfig.StorageObjectCountTracker = g.config.StorageObjectCountTracker
	g.storage = storage

	if err := o.Etcd.ApplyWithStorageFactoryTo(storage, g.config); err != nil {
		return err
	}
	g.config.RESTOptionsGetter = resume.Wrap(g.config.RESTOptionsGetter)

	return nil
}

// access says who is who, and who may what.
func (g *generic) access(o options.CompletedOptions) error {
	c := g.config
	ctx := wait.ContextForChannel(c.DrainedNotify())
	client, err := kubernetes.NewForConfig(c.LoopbackClientConfig)
	if err != nil {
		return err
	}

	err = o.Authentication.ApplyTo(ctx, &c.Authentication, c.SecureServing, nil, c.OpenAPIConfig, c.OpenAPIV3Config, client, g.informers, c.APIServerID)
	if err != nil {
		return err
	}
	c.Authorization.Authorizer, c.RuleResolver, _, err = kube.BuildAuthorizer(ctx, o, nil, c.APIServerID, g.informers)

	return err
}

// meet lets those in whom Dogker knows by itself.
func (g *generic) meet(who peopleSettings) error {
	p, err := newPeople(wait.ContextForChannel(g.config.DrainedNotify()), who, g.config)
	if err != nil {
		return err
	}
	p.admit(g.config)
	g.people = p

	return nil
}
