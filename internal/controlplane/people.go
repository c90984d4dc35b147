package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authorizerunion "k8s.io/apiserver/pkg/authorization/union"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/client-go/dynamic"
	"k8s.io/kubernetes/pkg/serviceaccount"

	"github.com/dogker/dogker/internal/exposition"
	"github.com/dogker/dogker/internal/identity"
)

// people is how this server knows those that no certificate and no service account stands for.
type people struct {
	store     *identity.Store
	directory *identity.Directory
	service   *identity.Service
}

// peopleSettings are what people is made of.
type peopleSettings struct {
	// etcd holds the records, and encryption is the EncryptionConfiguration that keeps them from being read there.
	etcd       *clientv3.Client
	encryption string
	// cluster is the tag of this installation in what others see of it.
	cluster string
	// privateRepositories lets Git repositories of tenants be at addresses that are not public.
	privateRepositories bool
	// dataDir is the data directory, as an absolute path.
	dataDir string
	// exports is what exports of ledgers say beside their entries.
	exports exportSettings
	// pages are what Prometheus reads; nil for none.
	pages *exposition.Server
	identity.Options
}

// newPeople assembles them. Nothing is read before run. ctx ends with the server.
func newPeople(ctx context.Context, s peopleSettings, c *genericapiserver.Config) (*people, error) {
	encryption, err := encryptionconfig.LoadEncryptionConfig(ctx, s.encryption, false, c.APIServerID)
	if err != nil {
		return nil, fmt.Errorf("read encryption configuration: %w", err)
	}
	transformers := encryptionconfig.StaticTransformers(encryption.Transformers)
	encrypt := transformers.TransformerForResource(schema.GroupResource{Resource: "secrets"})

	client, err := dynamic.NewForConfig(ownClient(c.LoopbackClientConfig))
	if err != nil {
		return nil, fmt.Errorf("create client: %w", err)
	}
	directory, err := identity.NewDirectory(client)
	if err != nil {
		return nil, err
	}
	store := identity.NewStore(identity.NewEtcd(s.etcd, encrypt, s.Log), s.Log)

	return &people{store: store, directory: directory, service: identity.NewService(store, directory, identity.NewHasher(), s.Options)}, nil
}

// admit puts them beside those whom Kubernetes' API server knows by itself.
func (p *people) admit(c *genericapiserver.Config) {
	others := identity.RefuseForeignNames(c.Authentication.Authenticator, []string{tokenIssuer, serviceaccount.LegacyIssuer})
	c.Authentication.Authenticator = identity.NewAuthenticator(p.service).Requests(others)

	scopes := identity.NewScopes(p.directory)
	c.Authorization.Authorizer = authorizerunion.New(c.Authorization.Authorizer, scopes)
	c.RuleResolver = authorizerunion.NewRuleResolvers(c.RuleResolver, scopes)
}

// run follows who there is and what they hold, on every server.
func (p *people) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.directory.Run(ctx) })
	g.Go(func() error { return p.store.Run(ctx) })

	return g.Wait()
}

func (p *people) ready(*http.Request) error { return p.service.Ready() }

// TidyPeople keeps what is said of Users true and removes what is over, until the context ends. It is for the leader, once
// the API serves.
func (s *Server) TidyPeople(ctx context.Context) error {
	p := s.chain.people
	if p == nil {
		return errors.New("the API is not assembled")
	}

	return p.service.Tidy(ctx, p.directory.Changes())
}
