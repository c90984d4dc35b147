package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/adopt"
	"github.com/dogker/dogker/internal/compose"
	engine "github.com/dogker/dogker/internal/swarm"
)

const importHelp = `Make TenantContainers of services that run in Swarm already. Their tasks go on: none is restarted.

What runs is read from the engine that DOCKER_HOST names, as docker does; what is made of it goes through the API. A service
keeps its name, so it is imported into the namespace that its name begins with: shop_web into the tenant shop. The network
on which the services reach each other becomes the network of the tenant.

An adopted service runs as it was made until its template changes: its first rollout is to what is declared. What has no
field would be gone then, so a service with something of that kind is left alone; standard error names the field, with the
words of dogker convert. Swarm shows nobody what is in a secret: give it by --secret, or the service is left alone.

It takes the right to adopt tenantcontainers and tenants, which no tenant has. Never use docker stack deploy for the stack
again; see docs/guides/import.md.

The exit code is 0 when everything was adopted, 1 when a service was left alone (with --strict nothing is adopted then) or a
task was replaced meanwhile, and 2 when something cannot be read or the command line is wrong.`

const importExamples = `  # Look at what would be made, and at what is lost
  dogker import stack shop --dry-run

  # Have all services of the stack adopted
  dogker import stack shop --secret shop_db-password=./db-password.txt

  # One after the other
  dogker import stack shop --service web
  dogker import service shop_api shop_worker -n shop`

// importFlags are the flags of both commands.
type importFlags struct {
	api      apiFlags
	network  string
	secrets  []string
	services []string
	dryRun   bool
	strict   bool
	losses   bool
	timeout  time.Duration
}

func newImportCommand(g *globals) *cobra.Command {
	f := &importFlags{api: apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}}
	cmd := &cobra.Command{Use: "import", Short: "Adopt services that run in Swarm already", Long: importHelp, Example: importExamples}

	stack := &cobra.Command{
		Use: "stack NAME", Short: "Adopt the services of a docker stack", Long: importHelp, Example: importExamples,
		Args: coded(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0], adopt.Stack(args[0], f.services))
		},
	}
	stack.Flags().StringArrayVar(&f.services, "service", nil, "adopt only this service of the stack; may be repeated")

	service := &cobra.Command{
		Use: "service NAME...", Short: "Adopt single services", Long: importHelp, Example: importExamples,
		Args: coded(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			namespace, _, _ := strings.Cut(args[0], "_")

			return f.run(cmd, namespace, adopt.Named(args...))
		},
	}

	f.api.config.AddFlags(cmd.PersistentFlags())
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.network, "network", "", "network on which the services reach each other, which becomes the tenant's; by default NAMESPACE_default")
	flags.StringArrayVar(&f.secrets, "secret", nil, "what is in a Swarm secret, as NAME=FILE; may be repeated")
	flags.BoolVar(&f.dryRun, "dry-run", false, "write the manifests to standard output, and change nothing")
	flags.BoolVar(&f.strict, "strict", false, "adopt nothing and fail when a service would be left alone, or when anything is lost, refused or changed")
	flags.BoolVar(&f.losses, "accept-losses", false, "adopt services of which something will be gone with their first rollout, too")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long the server may take for each step")
	for _, c := range []*cobra.Command{cmd, stack, service} {
		c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUnreadable, err} })
	}
	cmd.AddCommand(stack, service)

	return cmd
}

// coded gives mistakes of the command line their exit code.
func coded(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{exitUnreadable, err}
		}

		return nil
	}
}

func (f *importFlags) run(cmd *cobra.Command, namespace string, chosen func(swarm.Service) bool) error {
	live, options, docker, err := f.read(cmd.Context(), namespace, chosen)
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	defer docker.Close()

	if f.dryRun {
		return f.show(cmd, live, options)
	}

	c, err := f.connect()
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	importer := &adopt.Importer{Engine: docker, Client: c, Out: cmd.OutOrStdout(), Timeout: f.timeout, Poll: importPoll}
	result, err := importer.Prepare(cmd.Context(), live, options)
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	if err := f.report(cmd, live, options, result); err != nil {
		return err
	}

	outcome, err := importer.Import(cmd.Context(), result, options)

	return conclude(cmd, live, result, outcome, err)
}

// importPoll is how often the server is asked while it adopts.
const importPoll = 200 * time.Millisecond

// read reads what runs, and what was given.
func (f *importFlags) read(ctx context.Context, namespace string, chosen func(swarm.Service) bool) (*adopt.Live, adopt.Options, closer, error) {
	if n := *f.api.config.Namespace; n != "" {
		namespace = n
	}
	options := adopt.Options{Namespace: namespace, Secrets: map[string][]byte{}, AcceptLosses: f.losses}
	for _, s := range f.secrets {
		name, file, ok := strings.Cut(s, "=")
		if !ok || name == "" || file == "" {
			return nil, options, nil, fmt.Errorf("--secret: %q must be NAME=FILE", s)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, options, nil, fmt.Errorf("--secret %s: %w", name, err)
		}
		options.Secrets[name] = data
	}

	docker, err := engine.NewFromEnv()
	if err != nil {
		return nil, options, nil, err
	}
	live, err := adopt.Read(ctx, docker, chosen)
	if err == nil && len(live.Services) == 0 {
		err = errors.New("there is no such service in the swarm")
	}
	if err == nil {
		options.Network, err = live.Network(namespace, f.network)
	}
	if err != nil {
		docker.Close()

		return nil, options, nil, err
	}

	return live, options, docker, nil
}

// closer is the engine that is asked, until it is closed.
type closer interface {
	adopt.Engine
	Close() error
}

func (f *importFlags) connect() (client.Client, error) {
	cfg, _, err := f.api.read()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}

	return c, nil
}

// show writes the manifests of a dry run.
func (f *importFlags) show(cmd *cobra.Command, live *adopt.Live, options adopt.Options) error {
	result := adopt.Make(live, options)
	if err := f.report(cmd, live, options, result); err != nil {
		return err
	}
	if err := result.Manifests().WriteYAML(cmd.OutOrStdout()); err != nil {
		return &exitError{exitUnreadable, fmt.Errorf("write manifests: %w", err)}
	}

	return leftAlone(result)
}

// report writes what was found to standard error. It fails when --strict has something to object to.
func (f *importFlags) report(cmd *cobra.Command, live *adopt.Live, options adopt.Options, result adopt.Result) error {
	w := cmd.ErrOrStderr()
	for _, finding := range result.Findings {
		fmt.Fprintln(w, finding)
	}
	if others := live.Strangers(options.Network); len(others) > 0 {
		fmt.Fprintf(w, "%s: networks: %q: they are on the network of the tenant and no containers of it\n", compose.Note, strings.Join(others, ", "))
	}
	for _, name := range result.LeftAlone {
		fmt.Fprintf(w, "left alone: %s\n", name)
	}
	if f.strict && result.Losses() > 0 {
		return &exitError{exitLosses, errors.New("--strict: not everything can be adopted as it is")}
	}

	return nil
}

// conclude says what came of the import, and gives it its exit code.
func conclude(cmd *cobra.Command, live *adopt.Live, result adopt.Result, outcome adopt.Outcome, err error) error {
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "%d of %d services adopted; of their %d running tasks %d were restarted\n",
		len(outcome.Adopted), len(live.Services), outcome.Tasks, len(outcome.Replaced))
	if len(outcome.Adopted) > 0 {
		fmt.Fprintln(w, "do not use docker stack deploy for them again: change the TenantContainers")
	}
	switch {
	case err != nil:
		return &exitError{exitLosses, err}
	case len(outcome.Replaced) > 0:
		return &exitError{exitLosses, fmt.Errorf("tasks that ran before do not run any more: %s", strings.Join(outcome.Replaced, ", "))}
	default:
		return leftAlone(result)
	}
}

func leftAlone(result adopt.Result) error {
	if n := len(result.LeftAlone); n > 0 {
		return &exitError{exitLosses, fmt.Errorf("%d services are left alone: %s", n, strings.Join(result.LeftAlone, ", "))}
	}

	return nil
}
