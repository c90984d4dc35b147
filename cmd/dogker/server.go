package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/alertmanager"
	"github.com/dogker/dogker/internal/controlplane"
	"github.com/dogker/dogker/internal/controlplane/streams"
	"github.com/dogker/dogker/internal/identity"
	"github.com/dogker/dogker/internal/outbox/trial"
	"github.com/dogker/dogker/reconciler/gitsync"
)

const serverHelp = `Serve the API and run the controllers, until SIGTERM or SIGINT.

Everything is in this one process and below --data-dir: the store (etcd, unless --etcd-endpoints names one), keys,
certificates and the audit log. Only the port of the API listens beyond this process. As soon as the API serves,
DATA-DIR/admin.kubeconfig lets kubectl in as administrator; /readyz tells when the controllers run as well.

Stopping the server stops nothing that runs in Swarm. A second server on the same data directory is refused.

The engine is found as the docker command finds it: by DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY. Without an
engine, or with one that is no manager of a swarm, the API serves all the same and the objects say what is missing.`

const serverExamples = `  # On one machine, for people on that machine
  dogker server --data-dir /var/lib/dogker --listen 127.0.0.1:6443

  # For everybody who can reach this machine
  dogker server --listen 0.0.0.0:6443 --tls-san cloud.example.com

  # With people from an OIDC issuer, and others who register and wait for approval
  dogker server --authentication-config oidc.yaml --registration approval

  # With payments by Midtrans, whose notifications come through a proxy, and notices to a service of yours
  dogker server --midtrans-server-key-file key --midtrans-webhook-listen 127.0.0.1:8081 \
    --notice-webhook-url https://hooks.example.com/dogker --notice-webhook-secret-file secret

  # With agents on all other nodes, which let kubectl see and reach the containers there
  dogker server --listen 0.0.0.0:6443 --agent-image dogker.internal/agent:development

  # With the store in an etcd cluster that exists
  dogker server --etcd-endpoints https://10.0.0.1:2379,https://10.0.0.2:2379,https://10.0.0.3:2379 \
    --etcd-cafile ca.crt --etcd-certfile client.crt --etcd-keyfile client.key`

// serverOptions are the flags of the server.
type serverOptions struct {
	controlplane.Options

	log            logFlags
	initSwarm      bool
	registryConfig string
	addressPool    poolFlag
	billing        billingFlags
	// parts are what billing comes to.
	parts billingParts
	hooks hookFlags
	// agents says which agents nodes get.
	agents agentFlags
	// prometheus says which Prometheus answers queries.
	prometheus prometheusFlags
	// logship says where logs of containers go.
	logship logshipFlags
}

func newServerCommand(g *globals) *cobra.Command {
	o := serverOptions{addressPool: defaultAddressPool()}
	cmd := &cobra.Command{
		Use:     "server",
		Short:   "Serve the API and keep Swarm as declared",
		Long:    serverHelp,
		Example: serverExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			// A second signal ends the process at once.
			context.AfterFunc(ctx, stop)
			o.DataDir = g.dataDir
			o.Lifetimes.Idle = min(identity.DefaultLifetimes.Idle, o.Lifetimes.Session)

			return runServer(ctx, o)
		},
	}

	flags := cmd.Flags()
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:6443", "ADDR:PORT of the API; 0.0.0.0 for all addresses, port 0 for a free one")
	flags.StringSliceVar(&o.Hosts, "tls-san", nil, "further names or addresses by which clients reach the API")
	flags.StringSliceVar(&o.EtcdEndpoints, "etcd-endpoints", nil, "URLs of an external etcd; the built-in one by default")
	flags.StringVar(&o.EtcdCAFile, "etcd-cafile", "", "authority that has signed the certificate of the external etcd")
	flags.StringVar(&o.EtcdCertFile, "etcd-certfile", "", "certificate by which the external etcd knows us")
	flags.StringVar(&o.EtcdKeyFile, "etcd-keyfile", "", "key of --etcd-certfile")
	flags.StringVar(&o.AuthenticationConfig, "authentication-config", "", "file with an AuthenticationConfiguration of Kubernetes, which names issuers of OIDC tokens; read anew when it changes")
	flags.StringVar((*string)(&o.Registration), "registration", string(identity.RegistrationOff), "what becomes of people who register: off (they cannot), approval (an administrator lets them in) or open")
	flags.DurationVar(&o.Lifetimes.Access, "access-token-lifetime", identity.DefaultLifetimes.Access, "how long the token of a user is good until it has to be refreshed")
	flags.DurationVar(&o.Lifetimes.Session, "session-lifetime", identity.DefaultLifetimes.Session, "how long a user stays logged in at most; without being used, a week at most")
	flags.BoolVar(&o.initSwarm, "init-swarm", false, "make the engine a swarm of one node if it is in none")
	flags.StringVar(&o.registryConfig, "registry-config", "", "file that names registries reached in plain HTTP or by an authority of their own")
	flags.Var(&o.addressPool, "tenant-address-pool", "IPv4 `range` that tenants' networks are cut from; nothing else that nodes reach may lie in it")
	flags.StringVar(&o.Provider, "provider-name", "Dogker", "who sells what tenants pay for, as exports of their ledgers name it")
	flags.StringVar(&o.Region, "region", "", "region in which everything runs, as exports of ledgers name it; none when not set")
	flags.BoolVar(&o.AllowPrivateRepositories, "git-allow-private-addresses", false, "let tenants sync repositories from addresses that are not public: private, loopback, link-local; for closed networks, and trials on one machine")
	flags.IntVar(&o.StreamsPerNamespace, "streams-per-namespace", streams.DefaultPerNamespace, "how many logs, exec, attach, port-forward and proxy streams a namespace has open at once")
	flags.DurationVar(&o.StreamIdleTimeout, "stream-idle-timeout", streams.DefaultIdle, "after how long an exec, attach or port-forward ends on which nothing moves")
	o.billing.add(flags)
	o.hooks.add(flags)
	o.agents.add(flags)
	o.prometheus.add(flags)
	o.logship.add(flags)
	o.log.add(flags)

	return cmd
}

func runServer(ctx context.Context, o serverOptions) error {
	log, err := o.log.logger(os.Stderr)
	if err != nil {
		return err
	}
	o.Log = log
	if err := o.agents.validate(); err != nil {
		return err
	}
	startWithMemory()
	if o.parts, err = o.billing.resolve(log, ctrlmetrics.Registry); err != nil {
		return err
	}
	hooks, err := o.hooks.receiver(log)
	if err != nil {
		return err
	}

	questions, err := o.prometheus.client(ctrlmetrics.Registry)
	if err != nil {
		return err
	}

	logs, err := o.logship.endpoint()
	if err != nil {
		return err
	}

	docker, err := newDocker(log)
	if err != nil {
		return err
	}
	o.Swarm = docker.Engine
	o.Pages = newExposition(docker, log)
	nodes := newFleet(docker, o.agents.fleet(docker), log)
	o.Runtime, o.Agents = nodes, nodes
	o.TaskLogs, o.Samples = docker.Engine, nodes.store
	server, err := controlplane.New(ctx, o.Options)
	if err != nil {
		return err
	}
	server.Receive(gitsync.WebhookPathPrefix, hooks)
	alerts, err := newAlertmanager(log)
	if err != nil {
		return err
	}
	server.Handle(alertmanager.Path, alerts)
	trials := o.parts.notices.trials(log)
	server.Handle(trial.NoticePath, trials)
	server.Handle(trial.MailPath, trials)
	c := &controllers{server: server, options: o, log: log, docker: docker, pages: o.Pages, fleet: nodes, telemetry: nodes.store, hooks: hooks, alertmanager: alerts, prometheus: questions, logs: logs}
	if err := server.AddReadyCheck("controllers", c.ready); err != nil {
		return err
	}
	server.OnServing(c.run)
	server.OnServing(saveMemory)

	return server.Run(ctx)
}
