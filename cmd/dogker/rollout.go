package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/rollout"
)

const rolloutExamples = `  # What ran, and what became of it
  dogker rollout history web -n shop
  dogker rollout diff web 2 3 -n shop

  # Go back to the last good revision, and later forward again
  dogker rollout undo web -n shop
  dogker rollout forward web -n shop

  # Wait for a rollout in a script: exit code 0 when it is done, 1 when it has failed
  dogker rollout status web -n shop --timeout 5m`

// rolloutFlags say which container is meant.
type rolloutFlags struct {
	config *genericclioptions.ConfigFlags
	g      *globals
}

func newRolloutCommand(g *globals) *cobra.Command {
	f := &rolloutFlags{config: genericclioptions.NewConfigFlags(true), g: g}
	cmd := &cobra.Command{
		Use:     "rollout",
		Short:   "Look at, undo and hold rollouts of TenantContainers",
		Example: rolloutExamples,
	}
	f.config.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(
		newRolloutStatus(f), newRolloutHistory(f), newRolloutDiff(f), newRolloutUndo(f),
		f.simple("forward NAME", "Run what is declared again, after undo", func(ctx context.Context, r *rollout.Rollout) error { return r.Forward(ctx) }),
		f.simple("pause NAME", "Hold changes of the template back", func(ctx context.Context, r *rollout.Rollout) error { return r.Pause(ctx, true) }),
		f.simple("resume NAME", "Let changes of the template go", func(ctx context.Context, r *rollout.Rollout) error { return r.Pause(ctx, false) }),
	)

	return cmd
}

func newRestartCommand(g *globals) *cobra.Command {
	f := &rolloutFlags{config: genericclioptions.NewConfigFlags(true), g: g}
	cmd := f.simple("restart NAME", "Replace the tasks of a TenantContainer, one after the other",
		func(ctx context.Context, r *rollout.Rollout) error { return r.Restart(ctx, time.Now()) })
	f.config.AddFlags(cmd.Flags())

	return cmd
}

func newRolloutStatus(f *rolloutFlags) *cobra.Command {
	var (
		watch   bool
		timeout time.Duration
	)
	cmd := f.simple("status NAME", "Follow a rollout until it has ended", func(ctx context.Context, r *rollout.Rollout) error {
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}

		return r.Status(ctx, watch)
	})
	cmd.Flags().BoolVarP(&watch, "watch", "w", true, "wait until the rollout has ended")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time; 0 is never")

	return cmd
}

func newRolloutHistory(f *rolloutFlags) *cobra.Command {
	var revision int64
	cmd := f.simple("history NAME", "List the revisions, or show one", func(ctx context.Context, r *rollout.Rollout) error {
		if revision > 0 {
			return r.Show(ctx, revision)
		}

		return r.History(ctx, time.Now())
	})
	cmd.Flags().Int64Var(&revision, "revision", 0, "show the template of this revision")

	return cmd
}

func newRolloutDiff(f *rolloutFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "diff NAME FROM TO",
		Short: "Show how two revisions differ",
		Args:  cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil {
				return fmt.Errorf("FROM: %q is no number of a revision", args[1])
			}
			to, err := strconv.ParseInt(args[2], 10, 64)
			if err != nil {
				return fmt.Errorf("TO: %q is no number of a revision", args[2])
			}
			r, err := f.rollout(cmd, args[0])
			if err != nil {
				return err
			}

			return r.Diff(cmd.Context(), from, to)
		},
	}
}

func newRolloutUndo(f *rolloutFlags) *cobra.Command {
	var revision int64
	cmd := f.simple("undo NAME", "Go back to an earlier revision", func(ctx context.Context, r *rollout.Rollout) error {
		return r.Undo(ctx, revision)
	})
	cmd.Flags().Int64Var(&revision, "to-revision", 0, "go back to this revision; 0 is the last good one before what runs")

	return cmd
}

// simple is a command about one container.
func (f *rolloutFlags) simple(use, short string, do func(context.Context, *rollout.Rollout) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.rollout(cmd, args[0])
			if err != nil {
				return err
			}

			return do(cmd.Context(), r)
		},
	}
}

func (f *rolloutFlags) rollout(cmd *cobra.Command, name string) (*rollout.Rollout, error) {
	if kind, bare, ok := strings.Cut(name, "/"); ok {
		if kind != "tc" && kind != "tenantcontainer" && kind != "tenantcontainers" {
			return nil, fmt.Errorf("%q: rollouts are of TenantContainers, as in tc/%s", name, bare)
		}
		name = bare
	}

	if *f.config.KubeConfig == "" {
		useKubeconfig(f.g.dataDir, nil)
	}

	cfg, err := f.config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	namespace, _, err := f.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("read namespace of kubeconfig: %w", err)
	}

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, errors.Join(errors.New("connect to the API"), err)
	}

	return &rollout.Rollout{Client: c, Out: cmd.OutOrStdout(), Key: types.NamespacedName{Namespace: namespace, Name: name}}, nil
}
