package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/estimate"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/policy"
)

const estimateHelp = `Say what an hour, a day and 30 days of TenantContainers and Volumes cost, from their YAML, before they are applied.

Counted is what is charged: what Swarm sets aside for each task (its requests, or else its limits), the task, and the
declared size of each Volume. Of a container with a schedule an hour is one in which it runs, and a day a seventh of its
week. What TenantJobs cost depends on how long they run, so they are not in it. The prices are those of the namespace's plan, whose defaults are filled in; those of a PriceList; or those in a file, for
which no server is asked. What is in the files is not sent anywhere.`

const estimateExamples = `  # By the prices of the tenant's plan
  dogker estimate -f shop.yaml -n acme

  # By a price list, from several files
  dogker estimate -f web.yaml -f db.yaml --price-list standard

  # Without a server
  kustomize build . | dogker estimate -f - --prices prices.yaml`

// estimateFlags are the flags of the command.
type estimateFlags struct {
	api       apiFlags
	files     []string
	priceList string
	prices    string
	nodes     int32
}

func newEstimateCommand(g *globals) *cobra.Command {
	f := &estimateFlags{api: apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}}
	cmd := &cobra.Command{
		Use:     "estimate -f FILE",
		Short:   "Say what TenantContainers and Volumes cost",
		Long:    estimateHelp,
		Example: estimateExamples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.api.config.AddFlags(cmd.Flags())
	cmd.Flags().StringArrayVarP(&f.files, "filename", "f", nil, "file with TenantContainers and Volumes, or - for standard input; may be repeated")
	cmd.Flags().StringVar(&f.priceList, "price-list", "", "the PriceList to go by, or what has replaced it, instead of that of the namespace's plan")
	cmd.Flags().StringVar(&f.prices, "prices", "", "file with a PriceList to go by; no server is asked")
	cmd.Flags().Int32Var(&f.nodes, "nodes", 1, "how many tasks a container in mode Global has")
	cmd.MarkFlagsMutuallyExclusive("price-list", "prices")
	require(cmd, "filename")

	return cmd
}

func (f *estimateFlags) run(cmd *cobra.Command) error {
	if f.nodes < 1 {
		return fmt.Errorf("--nodes: %d must be at least 1", f.nodes)
	}
	prices, defaults, err := f.terms(cmd.Context())
	if err != nil {
		return err
	}
	var declared estimate.Declared
	for _, name := range f.files {
		if err := readFile(cmd.InOrStdin(), name, func(r io.Reader) error { return declared.Read(r, defaults) }); err != nil {
			return fmt.Errorf("--filename %q: %w", name, err)
		}
	}
	if len(declared.Containers)+len(declared.Volumes) == 0 {
		return errors.New("--filename: there is no TenantContainer and no Volume in it")
	}
	report, err := estimate.Of(prices, declared, f.nodes)
	if err != nil {
		return err
	}

	return report.WriteTable(cmd.OutOrStdout())
}

// terms are the prices to go by, and what the plan fills in, if it is known.
func (f *estimateFlags) terms(ctx context.Context) (*billingv1.PriceList, estimate.Defaults, error) {
	if f.prices != "" {
		var prices *billingv1.PriceList
		err := readFile(nil, f.prices, func(r io.Reader) (err error) {
			prices, err = estimate.ReadPrices(r)
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("--prices %q: %w", f.prices, err)
		}
		return prices, nil, nil
	}
	c, namespace, err := f.api.connect()
	if err != nil {
		return nil, nil, err
	}
	name, defaults, err := planOf(ctx, c, namespace)
	switch {
	case f.priceList != "":
		// The plan is a help here, and no more.
		name = f.priceList
	case err != nil:
		return nil, nil, fmt.Errorf("find the prices of namespace %q: %w; name others by --price-list or --prices", namespace, err)
	}
	prices, err := pricesBy(ctx, c, name)

	return prices, defaults, err
}

// planOf finds the name of the prices of a namespace's tenant, and what its plan fills in. Who may not read plans goes by what
// the account says.
func planOf(ctx context.Context, c client.Reader, namespace string) (string, estimate.Defaults, error) {
	var tenant v1alpha1.Tenant
	var plan v1alpha1.Plan
	err := c.Get(ctx, client.ObjectKey{Name: namespace}, &tenant)
	if err == nil {
		err = c.Get(ctx, client.ObjectKey{Name: string(tenant.Spec.PlanName)}, &plan)
	}
	if apierrors.IsForbidden(err) {
		var account billingv1.BillingAccount
		if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: billingv1.AccountName}, &account); err != nil {
			return "", nil, err
		}
		if account.Status.PriceListName == "" {
			return "", nil, errors.New("its account names no price list")
		}
		return account.Status.PriceListName, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	defaults := policy.Of(&tenant, &plan).Default
	if plan.Spec.PriceListName == "" {
		return "", defaults, fmt.Errorf("plan %q names no price list: nothing is billed", plan.Name)
	}

	return string(plan.Spec.PriceListName), defaults, nil
}

// pricesBy are the prices in effect of those with a name; before they are, the ones with the name.
func pricesBy(ctx context.Context, c client.Reader, name string) (*billingv1.PriceList, error) {
	var lists billingv1.PriceListList
	if err := c.List(ctx, &lists); err != nil {
		return nil, fmt.Errorf("list price lists: %w", err)
	}
	if list, ok := billing.InEffect(lists.Items, name, time.Now()); ok {
		return list, nil
	}
	for i := range lists.Items {
		if lists.Items[i].Name == name {
			return &lists.Items[i], nil
		}
	}

	return nil, fmt.Errorf("there is no PriceList %q", name)
}

// readFile opens a file, or takes the standard input for "-".
func readFile(stdin io.Reader, name string, read func(io.Reader) error) error {
	if name == "-" && stdin != nil {
		return read(stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()

	return read(file)
}
