package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/internal/audit/gather"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	dogkerswarm "github.com/dogker/dogker/internal/swarm"
)

const auditHelp = `Hold a live cluster against the CIS Docker Benchmark and against the security profiles of its tenants.

It asks the engine that DOCKER_HOST names, or the machine's own, for every service, whoever made it, and for every
container on its node; the machine itself, where the engine is on it; and the API, as whoever --kubeconfig or KUBECONFIG
says, or else as the administrator of the data directory. It only reads. Values of variables are not shown, nor kept.

Every check says that it passes, what it has found and how to mend it, that it does not apply, or that it cannot be seen
from here and why. What is of a node, only its own engine tells: audit each of them.

The exit code is 0 when there are no findings, 1 when there are, and 2 when the cluster could not be audited, or not all
of it.`

const auditExamples = `  dogker audit
  dogker audit --severity high
  dogker audit --namespace acme --severity advice
  dogker audit -o json | jq -r '.checks[].findings[]? | [.severity, .object.name, .found] | @tsv'`

// The exit codes of an audit.
const (
	exitFindings  = 1
	exitUnaudited = 2
)

// auditFlags are the flags of the command.
type auditFlags struct {
	g        *globals
	config   *genericclioptions.ConfigFlags
	output   string
	severity string
}

func newAuditCommand(g *globals) *cobra.Command {
	f := &auditFlags{g: g, config: genericclioptions.NewConfigFlags(true)}
	unaudited := func(err error) error { return &exitError{exitUnaudited, err} }
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Hold the cluster against the CIS Docker Benchmark and the security profiles",
		Long:    auditHelp,
		Example: auditExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return unaudited(err)
			}

			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unaudited(err) })
	f.config.AddFlags(cmd.Flags())
	cmd.Flags().StringVarP(&f.output, "output", "o", "table", "format: table, json or yaml")
	cmd.Flags().StringVar(&f.severity, "severity", string(audit.SeverityLow),
		"the mildest findings that are listed and counted: critical, high, medium, low or advice")

	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command) error {
	o, err := f.options()
	if err != nil {
		return &exitError{exitUnaudited, err}
	}
	in, err := f.gather(cmd.Context())
	if err != nil {
		return &exitError{exitUnaudited, fmt.Errorf("audit the cluster: %w", err)}
	}
	if o.Namespace != "" && in.DeclaredUnseen == "" && !slices.Contains(in.Namespaces, o.Namespace) {
		return &exitError{exitUnaudited, fmt.Errorf("--namespace: there is no namespace %q", o.Namespace)}
	}

	report := audit.Evaluate(in, o)
	if err := printReport(cmd.OutOrStdout(), report, f.output); err != nil {
		return &exitError{exitUnaudited, fmt.Errorf("print report: %w", err)}
	}

	switch n := report.Count(); {
	case in.DeclaredUnseen != "" || in.DeliveriesUnseen != "":
		return &exitError{exitUnaudited, fmt.Errorf("the audit is not complete: %s", cmp.Or(in.DeclaredUnseen, in.DeliveriesUnseen))}
	case n > 0:
		return &exitError{exitFindings, fmt.Errorf("findings: %d; see above", n)}
	default:
		return nil
	}
}

func (f *auditFlags) options() (audit.Options, error) {
	if formats := []string{"table", "json", "yaml"}; !slices.Contains(formats, f.output) {
		return audit.Options{}, fmt.Errorf("--output: %q is not one of: %s", f.output, strings.Join(formats, ", "))
	}
	severity, err := audit.ParseSeverity(f.severity)
	if err != nil {
		return audit.Options{}, fmt.Errorf("--severity: %w", err)
	}

	// The namespace of the kubeconfig's context is not meant: an audit is of everything unless somebody says otherwise.
	return audit.Options{Severity: severity, Namespace: *f.config.Namespace}, nil
}

func (f *auditFlags) gather(ctx context.Context) (audit.Input, error) {
	docker, err := dogkerswarm.NewFromEnv()
	if err != nil {
		return audit.Input{}, err
	}
	defer docker.Close()

	o := gather.Options{Guard: guarded, Platform: bootstrap.Namespace, Plain: plain(os.Getenv("DOCKER_HOST")), Now: time.Now()}
	if o.API, err = f.api(); err != nil {
		o.API, o.APIUnseen = nil, err.Error()
	}

	return gather.Collect(ctx, docker, o)
}

// api is a client of the API server. It asks nothing yet.
func (f *auditFlags) api() (client.Reader, error) {
	if *f.config.KubeConfig == "" {
		useKubeconfig(f.g.dataDir, nil)
	}
	cfg, err := f.config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}

	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}

	return c, nil
}

// guarded holds what the engine says that a service is against the allow list of what Dogker sends. The engine fills in
// defaults of its own, so they are taken for what they mean; labels are not touched by it.
func guarded(spec swarm.ServiceSpec, facts gather.Facts) []string {
	plain := servicespec.Normalise(spec)
	plain.Labels = spec.Labels

	known := guard.Facts{
		Owner: facts.Owner, NetworkID: facts.NetworkID, Secrets: facts.Secrets, Configs: facts.Configs, ImageID: facts.ImageID,
		OffManagers:     spec.Labels[v1alpha1.SwarmLabelPlacement] == v1alpha1.PlacementWorkers,
		NoNewPrivileges: spec.Labels[v1alpha1.SwarmLabelPrivileges] == v1alpha1.PrivilegesNoNew,
	}
	if servicespec.IsAdopted(spec) {
		// It keeps the tasks it came with, as long as nobody has changed them since.
		known.Standing = &plain
	}

	err := guard.Check(plain, known)
	if err == nil {
		return nil
	}
	if refusal := (*guard.Refusal)(nil); errors.As(err, &refusal) {
		return refusal.Violations
	}

	return []string{err.Error()}
}

// plain is true for an engine that is reached over the network by whoever likes to.
func plain(host string) bool {
	return strings.HasPrefix(host, "tcp://") && os.Getenv("DOCKER_TLS_VERIFY") == "" && os.Getenv("DOCKER_CERT_PATH") == ""
}

func printReport(w io.Writer, r audit.Report, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)

		return enc.Encode(r)
	case "yaml":
		text, err := yaml.Marshal(r)
		if err != nil {
			return err
		}
		_, err = w.Write(text)

		return err
	default:
		out, isFile := w.(*os.File)
		colour := isFile && term.IsTerminal(int(out.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"

		return r.Write(w, audit.Style{Colour: colour})
	}
}

// exitError is an error with an exit code of its own. Without an error there is nothing to say but the code.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}

	return e.err.Error()
}

// Unwrap implements what errors.Is and errors.As need.
func (e *exitError) Unwrap() error { return e.err }
