package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/dogker/dogker/internal/compose"
)

const convertHelp = `Turn Compose files into manifests: each service into a TenantContainer, configs and secrets into ConfigMaps and Secrets.

The files are read as Compose reads them: variables, profiles, several files, extends and includes mean the same. Nothing
is fetched, and no server is asked. The manifests go to standard output; standard error has a line for every field that
came out otherwise than it was written, with what to do instead:

  lost      there is no field for it, or it does not fit
  refused   no tenant may have it
  changed   something close to it stands in its place
  note      nothing is lost; worth knowing

Secrets in the output are those of the files. Volumes are made empty. What ends becomes a container that rests when it has
ended well; write a TenantJob in its place. Routes have no kind yet. See docs/guides/compose.md.

The exit code is 0 when manifests were written, 1 when --strict has found losses (then nothing is written), and 2 when the
files cannot be read or the command line is wrong.`

const convertExamples = `  # Look at what is lost, then apply
  dogker convert -f compose.yaml > /dev/null
  dogker convert -f compose.yaml -n acme | kubectl apply -f -

  # Several files, a profile, and variables of their own
  dogker convert -f compose.yaml -f compose.prod.yaml --profile workers --env-file prod.env

  # In CI: fail when something would be lost
  dogker convert --strict | kubectl apply --dry-run=server -n acme -f -`

// The exit codes of a conversion.
const (
	exitLosses     = 1
	exitUnreadable = 2
)

// convertFlags are the flags of the command.
type convertFlags struct {
	files     []string
	profiles  []string
	envFiles  []string
	project   string
	namespace string
	strict    bool
}

func newConvertCommand() *cobra.Command {
	f := &convertFlags{}
	unreadable := func(err error) error {
		if err == nil {
			return nil
		}
		return &exitError{exitUnreadable, err}
	}
	cmd := &cobra.Command{
		Use:     "convert [-f FILE]...",
		Short:   "Turn Compose files into manifests",
		Long:    convertHelp,
		Example: convertExamples,
		Args:    func(cmd *cobra.Command, args []string) error { return unreadable(cobra.NoArgs(cmd, args)) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unreadable(err) })
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.files, "file", "f", nil, "Compose file, or - for standard input; may be repeated, later ones are merged into earlier ones; by default those that Compose finds in this directory")
	flags.StringArrayVar(&f.profiles, "profile", nil, "profile to turn on; may be repeated; by default those of COMPOSE_PROFILES")
	flags.StringArrayVar(&f.envFiles, "env-file", nil, "file with variables; may be repeated; by default .env beside the first Compose file")
	flags.StringVarP(&f.project, "project-name", "p", "", "name of the project, which all objects carry in the label "+compose.LabelPartOf)
	flags.StringVarP(&f.namespace, "namespace", "n", "", "namespace to write into the manifests; by default none, so that whoever applies them says")
	flags.BoolVar(&f.strict, "strict", false, "write nothing and fail when anything is lost, refused or changed")

	return cmd
}

var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (f *convertFlags) run(cmd *cobra.Command) error {
	if f.namespace != "" && !namespaceName.MatchString(f.namespace) {
		return &exitError{exitUnreadable, fmt.Errorf("--namespace: %q must be at most 63 lower-case letters, digits and hyphens", f.namespace)}
	}
	stack, err := compose.Load(cmd.Context(), compose.Source{
		Files: f.files, Stdin: cmd.InOrStdin(), Dir: ".", Profiles: f.profiles, EnvFiles: f.envFiles, ProjectName: f.project, Environ: os.Environ(),
	})
	if err != nil {
		return &exitError{exitUnreadable, err}
	}

	result := compose.Convert(stack, compose.Options{Namespace: f.namespace})
	if err := result.WriteReport(cmd.ErrOrStderr()); err != nil {
		return &exitError{exitUnreadable, fmt.Errorf("write report: %w", err)}
	}
	if f.strict && len(result.Losses()) > 0 {
		return &exitError{exitLosses, errors.New("--strict: not everything can be converted")}
	}
	if err := result.WriteYAML(cmd.OutOrStdout()); err != nil {
		return &exitError{exitUnreadable, fmt.Errorf("write manifests: %w", err)}
	}

	return nil
}
