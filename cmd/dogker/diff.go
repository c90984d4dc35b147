package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/dogker/dogker/internal/gitops/set"
)

const diffHelp = `Say what dogker apply would change, field by field, and change nothing.

The server is asked what each object would become, so defaults and admission have had their say. What controllers and other
people's metadata say is no difference. Values of Secrets, of variables and of what calls itself a password are not shown.

The exit code is 0 when there is no difference, 2 when there is one, and 1 when something is wrong.`

const diffExamples = `  # In CI: what a pull request would change
  dogker diff -f deploy/ -n acme --set shop --prune

  # For a program
  dogker diff -f deploy/ -n acme --set shop -o json | jq '.changes[] | select(.action == "deleted") | .name'`

// exitDiffers is the exit code of a diff that has found something.
const exitDiffers = 2

func newDiffCommand(g *globals) *cobra.Command {
	f := &setFlags{api: apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}}
	cmd := &cobra.Command{
		Use:     "diff -f FILE --set NAME",
		Short:   "Say what dogker apply would change",
		Long:    diffHelp,
		Example: diffExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := &set.Report{DryRun: true}
			differs, err := f.diff(cmd, report)
			if err := f.finish(cmd, report, err); err != nil {
				return err
			}
			if differs {
				return &exitError{code: exitDiffers}
			}

			return nil
		},
	}
	f.add(cmd)

	return cmd
}

func (f *setFlags) diff(cmd *cobra.Command, report *set.Report) (differs bool, err error) {
	ctx, stop := until(cmd)
	defer stop()
	plan, err := f.plan(ctx, cmd, report)
	if err != nil {
		return false, err
	}
	for _, c := range plan.Changes() {
		report.Add(c)
		if f.output == "" && (c.Action.Writes() || c.Why != "") {
			fmt.Fprint(cmd.OutOrStdout(), set.Line(c)+"\n"+set.Details(c))
		}
	}
	report.Guard = plan.Guard()
	if report.Guard != "" && f.output == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "nothing would be pruned: %s\n", report.Guard)
	}

	return len(plan.Changes().Written()) > 0, nil
}
