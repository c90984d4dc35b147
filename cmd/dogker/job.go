package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/runjob"
)

const jobExamples = `  # Run now what runs every night
  dogker job run nightly -n shop

  # The same, under a name of your own
  dogker job run nightly -n shop --name nightly-again`

func newJobCommand(g *globals) *cobra.Command {
	config := genericclioptions.NewConfigFlags(true)
	cmd := &cobra.Command{Use: "job", Short: "Run TenantJobs by hand", Example: jobExamples}
	config.AddFlags(cmd.PersistentFlags())

	var name string
	run := &cobra.Command{
		Use:   "run NAME",
		Short: "Make a TenantJob that runs once, now, what another one runs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, namespace, err := jobClient(config, g)
			if err != nil {
				return err
			}
			kind, bare, qualified := strings.Cut(args[0], "/")
			switch {
			case !qualified:
				bare = args[0]
			case kind != "tj" && kind != "tenantjob" && kind != "tenantjobs":
				return fmt.Errorf("%q: what is run are TenantJobs, as in tj/%s", args[0], bare)
			}

			return runjob.Run(cmd.Context(), c, cmd.OutOrStdout(), runjob.Options{From: types.NamespacedName{Namespace: namespace, Name: bare}, Name: name})
		},
	}
	run.Flags().StringVar(&name, "name", "", "name of the job that is made; by default one that begins with NAME")
	cmd.AddCommand(run)

	return cmd
}

func jobClient(config *genericclioptions.ConfigFlags, g *globals) (client.Client, string, error) {
	if *config.KubeConfig == "" {
		useKubeconfig(g.dataDir, nil)
	}
	cfg, err := config.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w", err)
	}
	namespace, _, err := config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read namespace of kubeconfig: %w", err)
	}

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, "", fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", errors.Join(errors.New("connect to the API"), err)
	}

	return c, namespace, nil
}
