package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
	apiadmission "k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle"
	mutatingadmissionpolicy "k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	validatingadmissionpolicy "k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	mutatingwebhook "k8s.io/apiserver/pkg/admission/plugin/webhook/mutating"
	validatingwebhook "k8s.io/apiserver/pkg/admission/plugin/webhook/validating"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/controlplane/apiserver/options"
	"k8s.io/kubernetes/plugin/pkg/admission/gc"

	// The kinds and feature gates below register themselves.
	_ "k8s.io/kubernetes/pkg/features"

	"github.com/dogker/dogker/internal/controlplane/admission"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/controlplane/pki"
)

const (
	// tokenIssuer is what service-account tokens name as their issuer and audience. Clients in Kubernetes clusters
	// know this name.
	tokenIssuer = "https://kubernetes.default.svc"
	// watchGrace is how long open watches may take to end when the server stops.
	watchGrace = 2 * time.Second
	// eventTTL is how long Events are kept.
	eventTTL = time.Hour
	// readSeats and writeSeats are how many requests run at a time for each core, all in all. Priority and fairness adds
	// them up and shares them out; on two cores they are Kubernetes' own, which takes no account of the machine.
	readSeats, writeSeats = 200, 100
)

// features differ from Kubernetes' defaults. These two write a lease every ten seconds for a fleet of API servers of
// different versions that pass requests on to one another, which is not what runs here.
var features = map[string]bool{
	"APIServerIdentity":                   false,
	"UnknownVersionInteroperabilityProxy": false,
}

// plugins are the admission rules in force, in the order in which they run. Ours comes before those that an operator
// writes and before quota, so that both see the object as it will be stored. Last is what leaves something behind when it
// has let a request pass: the claim of a port and the charge of a quota.
var plugins = []struct {
	name     string
	register func(*apiadmission.Plugins)
}{
	{lifecycle.PluginName, lifecycle.Register},
	{gc.PluginName, gc.Register},
	{admission.PluginName, admission.Register},
	{admission.JobPluginName, admission.RegisterJob},
	{admission.PlatformPluginName, admission.RegisterPlatform},
	{admission.AdoptionPluginName, admission.RegisterAdoption},
	{admission.TokenSecretPluginName, admission.RegisterTokenSecret},
	{admission.RecordPluginName, admission.RegisterRecord},
	{admission.UserPluginName, admission.RegisterUser},
	{admission.GitSyncPluginName, admission.RegisterGitSync},
	{admission.ImagePolicyPluginName, admission.RegisterImagePolicy},
	{admission.MonitoringPluginName, admission.RegisterMonitoring},
	{admission.VolumePluginName, admission.RegisterVolume},
	{admission.VolumeSnapshotPluginName, admission.RegisterVolumeSnapshot},
	{admission.GitPreviewPluginName, admission.RegisterGitPreview},
	{admission.DeletionPluginName, admission.RegisterDeletion},
	{admission.BillingPluginName, admission.RegisterBilling},
	{mutatingadmissionpolicy.PluginName, mutatingadmissionpolicy.Register},
	{mutatingwebhook.PluginName, mutatingwebhook.Register},
	{validatingadmissionpolicy.PluginName, validatingadmissionpolicy.Register},
	{validatingwebhook.PluginName, validatingwebhook.Register},
	{resourcequota.PluginName, admission.RegisterAllotment},
}

// settings are what the parts of the API server are built from.
type settings struct {
	dir      datadir.Dir
	listener net.Listener
	certs    pki.Bundle
	store    *etcd.Store
	etcd     etcd.Config
	// authentication is the AuthenticationConfiguration that names issuers of OIDC tokens; empty for none.
	authentication string
}

// complete translates the settings into the options of Kubernetes' API server.
func (s settings) complete(ctx context.Context) (options.CompletedOptions, error) {
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(features); err != nil {
		return options.CompletedOptions{}, fmt.Errorf("set feature gates: %w", err)
	}

	o := options.NewOptions()
	s.serving(o)
	s.storage(o)
	s.identity(o)
	o.EventTTL = eventTTL
	// Without options, metrics keep their defaults; with the default options, Kubernetes logs an error about a file that
	// nobody named.
	o.Metrics = nil
	o.SystemNamespaces = append(o.SystemNamespaces, bootstrap.Namespace)
	admit(o)
	if err := applyAudit(o.Audit, s.dir); err != nil {
		return options.CompletedOptions{}, err
	}

	completed, err := o.Complete(ctx, nil, nil)
	if err != nil {
		return options.CompletedOptions{}, fmt.Errorf("complete options of API server: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return options.CompletedOptions{}, fmt.Errorf("validate options of API server: %w", errors.Join(errs...))
	}

	return completed, nil
}

// admit replaces the admission plugins that Kubernetes offers by those that we want.
func admit(o *options.Options) {
	a := o.Admission.GenericAdmission
	a.Plugins = apiadmission.NewPlugins()
	a.DefaultOffPlugins = sets.New[string]()
	a.RecommendedPluginOrder = nil
	for _, p := range plugins {
		p.register(a.Plugins)
		a.RecommendedPluginOrder = append(a.RecommendedPluginOrder, p.name)
	}
}

func (s settings) serving(o *options.Options) {
	addr := s.listener.Addr().(*net.TCPAddr)

	o.SecureServing.Listener = s.listener
	o.SecureServing.BindAddress = addr.IP
	o.SecureServing.BindPort = addr.Port
	o.SecureServing.ExternalAddress = advertised(addr.IP)
	o.SecureServing.ServerCert.CertKey.CertFile = s.certs.ServerFile
	o.SecureServing.ServerCert.CertKey.KeyFile = s.certs.ServerFile

	g := o.GenericServerRunOptions
	g.AdvertiseAddress = advertised(addr.IP)
	g.ExternalHost = advertised(addr.IP).String()
	// Requests in flight are answered before the port closes, and watches are told to resume elsewhere.
	g.ShutdownSendRetryAfter = true
	g.ShutdownWatchTerminationGracePeriod = watchGrace
	g.MaxRequestsInFlight = readSeats * runtime.GOMAXPROCS(0)
	g.MaxMutatingRequestsInFlight = writeSeats * runtime.GOMAXPROCS(0)
}

func (s settings) storage(o *options.Options) {
	c := &o.Etcd.StorageConfig
	c.Transport.ServerList = slices.Clone(s.store.Endpoints)
	c.Transport.TrustedCAFile = s.etcd.CAFile
	c.Transport.CertFile = s.etcd.CertFile
	c.Transport.KeyFile = s.etcd.KeyFile

	o.Etcd.EncryptionProviderConfigFilepath = s.dir.EncryptionConfig()
	// A namespace is emptied kind by kind; within a kind this many objects go at a time.
	o.Etcd.DeleteCollectionWorkers = 4
}

func (s settings) identity(o *options.Options) {
	o.Authentication.ClientCert.ClientCA = s.certs.CAFile
	o.Authentication.ServiceAccounts.Issuers = []string{tokenIssuer}
	o.Authentication.ServiceAccounts.KeyFiles = []string{s.certs.TokenKeyFile}
	o.Authentication.ServiceAccounts.OptionalTokenGetter = tokenGetter
	o.Authentication.AuthenticationConfigFile = s.authentication
	o.ServiceAccountSigningKeyFile = s.certs.TokenKeyFile
	o.Authorization.Modes = []string{"RBAC"}
}
