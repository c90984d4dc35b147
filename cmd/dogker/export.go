package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/dogker/dogker/internal/export"
)

const exportHelp = `Write what is declared in a namespace as YAML that can be committed and applied again: ConfigMaps, Volumes,
TenantContainers, TenantJobs, GitSyncs, ImagePolicies, GitPreviews, Receivers, Alerts, and with --secrets Secrets. What is
in Volumes is not written, nor are their snapshots, nor what one was restored from.

What servers and controllers have put in is taken out: status, versions, times, finalizers, managed fields, and what the
schema fills in by itself. What the plan has filled in stays. Objects that other objects have made are left out.

The YAML goes to standard output; standard error says which Secrets were left out.`

const exportExamples = `  # Begin a repository with what runs
  dogker export -n acme > acme.yaml

  # Move everything to another cluster
  dogker export -n acme --secrets | kubectl --context other apply -f -`

func newExportCommand(g *globals) *cobra.Command {
	api := apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}
	var secrets bool
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Write what is declared in a namespace as YAML",
		Long:    exportHelp,
		Example: exportExamples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runExport(cmd, api, secrets) },
	}
	api.config.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&secrets, "secrets", false, "write Secrets too, with what is in them")

	return cmd
}

func runExport(cmd *cobra.Command, api apiFlags, secrets bool) error {
	c, namespace, err := api.connect()
	if err != nil {
		return err
	}
	out, err := export.Read(cmd.Context(), c, export.Options{Namespace: namespace, Secrets: secrets})
	if err != nil {
		return err
	}
	if len(out.LeftOut) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %d Secrets are left out (--secrets writes them): %s\n", len(out.LeftOut), strings.Join(out.LeftOut, ", "))
	}

	return out.WriteYAML(cmd.OutOrStdout())
}
