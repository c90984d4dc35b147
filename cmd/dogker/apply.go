package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/dogker/dogker/internal/git/local"
	"github.com/dogker/dogker/internal/gitops/set"
	"github.com/dogker/dogker/reconciler/delivery"
)

const applyHelp = `Make the objects of a namespace what files say, all or nothing, with your own rights.

It is what a GitSync does with a repository, done once and from here. Beyond kubectl apply it does these things:

  - Every object is tried before the first is written, and quotas are held against all of them together. What is wrong is
    named by file, line and field, and nothing is changed then.
  - --prune deletes what the set has applied before and the files do not have any more, by a record and not by labels. Files
    that are suddenly none prune nothing; --allow-empty says that it is meant.
  - --wait goes on until everything is Ready, and says why it is not. It prunes after that: what served goes when what
    replaces it serves.
  - A second run changes nothing and writes nothing.

The set is a name for what belongs together, such as an application. Its record is the ConfigMap dogker-set-NAME.

Directories are built as a GitSync builds them: by their kustomization, or of all YAML below. Errors go to standard error, all
else to standard output. The exit code is 0 when all is done, also when that was nothing, and 1 when it is not.`

const applyExamples = `  # What would happen, and then make it happen
  dogker diff -f deploy/ -n acme --set shop --prune
  dogker apply -f deploy/ -n acme --set shop --prune --wait --timeout 5m

  # What something else has rendered
  helm template shop ./chart | dogker apply -f - -n acme --set shop --prune`

// setFlags are the flags that say what a set is to be.
type setFlags struct {
	api        apiFlags
	files      []string
	name       string
	prune      bool
	allowEmpty bool
	force      bool
	output     string
}

func (f *setFlags) add(cmd *cobra.Command) {
	f.api.config.AddFlags(cmd.Flags())
	cmd.Flags().StringArrayVarP(&f.files, "filename", "f", nil, "file or directory with manifests, or - for standard input; may be repeated")
	cmd.Flags().StringVar(&f.name, "set", "", "name of the set of objects that the files are")
	cmd.Flags().BoolVar(&f.prune, "prune", false, "delete what the set has applied before and the files do not have any more")
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "prune also where that leaves nothing of what there was")
	cmd.Flags().BoolVar(&f.force, "force", false, "delete and create again what cannot be changed")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "json, or nothing for people")
	require(cmd, "filename", "set")
}

// plan reads the files and looks at what is there.
func (f *setFlags) plan(ctx context.Context, cmd *cobra.Command, report *set.Report) (*set.Plan, error) {
	if f.output != "" && f.output != "json" {
		return nil, fmt.Errorf("--output: %q must be json or nothing", f.output)
	}
	if f.allowEmpty && !f.prune {
		return nil, errors.New("--allow-empty is about pruning: it needs --prune")
	}
	cfg, namespace, err := f.api.read()
	if err != nil {
		return nil, err
	}
	report.Namespace, report.Set = namespace, f.name
	objects, err := local.Objects(ctx, f.files, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}

	return set.New(ctx, cfg, set.Request{
		Namespace: namespace, Name: f.name, Objects: objects, Prune: f.prune, AllowEmpty: f.allowEmpty, Force: f.force,
	})
}

// finish prints what programs read, and makes one error of all, each on a line of its own.
func (f *setFlags) finish(cmd *cobra.Command, report *set.Report, err error) error {
	report.Fail(err)
	if f.output == "json" {
		if err := report.WriteJSON(cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}

	return errors.Join(set.Split(err)...)
}

// until gives a command's context an end when somebody presses ctrl-C, or CI gives up.
func until(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}

	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// applyFlags are the flags of dogker apply.
type applyFlags struct {
	setFlags
	wait    bool
	timeout time.Duration
	dryRun  bool
}

func newApplyCommand(g *globals) *cobra.Command {
	f := &applyFlags{setFlags: setFlags{api: apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}}}
	cmd := &cobra.Command{
		Use:     "apply -f FILE --set NAME",
		Short:   "Make the objects of a namespace what files say, all or nothing",
		Long:    applyHelp,
		Example: applyExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := &set.Report{DryRun: f.dryRun}

			return f.finish(cmd, report, f.run(cmd, report))
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until everything is Ready, and prune only then")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, by the server's own judgement, and do nothing")

	return cmd
}

func (f *applyFlags) run(cmd *cobra.Command, report *set.Report) error {
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout: %s must be more than nothing", f.timeout)
	}
	ctx, stop := until(cmd)
	defer stop()
	plan, err := f.plan(ctx, cmd, report)
	if err != nil {
		return interrupted(ctx, err)
	}
	tell := func(c delivery.Change) {
		report.Add(c)
		if f.output == "" {
			fmt.Fprintln(cmd.OutOrStdout(), set.Line(c)+f.suffix())
		}
	}
	report.Guard = plan.Guard()
	if f.dryRun {
		for _, c := range plan.Changes() {
			tell(c)
		}

		return heldBack(plan)
	}

	var wait time.Duration
	if f.wait {
		wait = f.timeout
	}
	if err := plan.CarryOut(ctx, wait, tell); err != nil {
		return interrupted(ctx, err)
	}
	if report.Ready = f.wait; f.wait && f.output == "" {
		fmt.Fprintln(cmd.OutOrStdout(), "everything is ready")
	}

	return heldBack(plan)
}

func (f *applyFlags) suffix() string {
	if f.dryRun {
		return " (server dry run)"
	}

	return ""
}

// heldBack is an error where something was to be pruned and was not: whoever asked for it must know.
func heldBack(plan *set.Plan) error {
	if why := plan.Guard(); why != "" {
		return fmt.Errorf("nothing is pruned: %s; --allow-empty says that it is meant", why)
	}

	return nil
}

// interrupted names the cause where somebody has ended the command.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; what was done is on record, and the next run goes on from there: %w", err)
	}

	return err
}
