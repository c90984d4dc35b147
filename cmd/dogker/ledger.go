package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/books"
	"github.com/dogker/dogker/internal/ledger"
)

const ledgerHelp = `Look at, export and verify the ledgers of tenants.

A ledger has an entry for every movement of a tenant's money. Entries are written once, numbered without gaps, and each has
the hash of the one before. They are read from the API server, as whoever --kubeconfig or KUBECONFIG says, or else as the
administrator of the data directory; who may is whom RBAC lets get billingaccounts/ledger in the group billing.dogker.io.`

const ledgerExamples = `  # What happened to the money of a tenant in a month
  dogker ledger show -n acme --month 2026-11

  # What each container cost on each day
  dogker ledger costs -n acme --month 2026-11

  # For a spreadsheet, or as a FOCUS dataset for FinOps tools
  dogker ledger export -n acme --format csv --month 2026-11 -o acme.csv
  dogker ledger export -n acme --format focus --month 2026-11 -o focus.csv

  # Replay all ledgers and say whether they hold
  dogker ledger verify -A

  # And what was archived of them
  dogker ledger archives /srv/ledgers/*.ledger`

// apiFlags say which API server is asked, and as whom.
type apiFlags struct {
	g      *globals
	config *genericclioptions.ConfigFlags
}

// read reads the kubeconfig, and which namespace is meant.
func (f apiFlags) read() (*rest.Config, string, error) {
	if *f.config.KubeConfig == "" {
		useKubeconfig(f.g.dataDir, nil)
	}
	cfg, err := f.config.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w", err)
	}
	namespace, _, err := f.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read namespace of kubeconfig: %w", err)
	}

	return cfg, namespace, nil
}

// connect makes a client of our kinds, and tells the namespace that is meant. It asks nothing yet.
func (f apiFlags) connect() (client.Client, string, error) {
	cfg, namespace, err := f.read()
	if err != nil {
		return nil, "", err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), billingv1.AddToScheme(scheme)); err != nil {
		return nil, "", fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", fmt.Errorf("connect to the API: %w", err)
	}

	return c, namespace, nil
}

// ledgerFlags are those that the commands about ledgers have in common.
type ledgerFlags struct {
	api             apiFlags
	month, from, to string
}

func newLedgerCommand(g *globals) *cobra.Command {
	f := &ledgerFlags{api: apiFlags{g: g, config: genericclioptions.NewConfigFlags(true)}}
	cmd := &cobra.Command{
		Use:     "ledger",
		Short:   "Look at, export and verify the ledgers of tenants",
		Long:    ledgerHelp,
		Example: ledgerExamples,
	}
	f.api.config.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(newLedgerShow(f), newLedgerCosts(f), newLedgerExport(f), newLedgerVerify(f), newLedgerArchives())

	return cmd
}

// addSpan adds the flags that choose a time.
func (f *ledgerFlags) addSpan(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.month, "month", "", "a month of the account, such as 2026-11")
	cmd.Flags().StringVar(&f.from, "from", "", "a time to begin at, such as 2026-11-01T00:00:00Z; the beginning when not set")
	cmd.Flags().StringVar(&f.to, "to", "", "a time to end before; now when not set")
	cmd.MarkFlagsMutuallyExclusive("month", "from")
	cmd.MarkFlagsMutuallyExclusive("month", "to")
}

// parameters are those of a request for a format in the time that was chosen.
func (f *ledgerFlags) parameters(format books.Format) map[string]string {
	out := map[string]string{"format": string(format)}
	for name, value := range map[string]string{"month": f.month, "from": f.from, "to": f.to} {
		if value != "" {
			out[name] = value
		}
	}

	return out
}

// open asks for the ledger of a tenant; the namespace is that of the flags when none is named. Whoever gets it closes it.
func (f *ledgerFlags) open(ctx context.Context, tenant string, parameters map[string]string) (io.ReadCloser, error) {
	cfg, namespace, err := f.api.read()
	if err != nil {
		return nil, err
	}
	tenant = cmp.Or(tenant, namespace)
	c, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}
	request := c.RESTClient().Get().AbsPath("/apis", billingv1.GroupVersion.Group, billingv1.GroupVersion.Version).
		Namespace(tenant).Resource("billingaccounts").Name(billingv1.AccountName).SubResource(books.Subresource)
	for name, value := range parameters {
		request = request.Param(name, value)
	}
	body, err := request.Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the ledger of %q: %w", tenant, err)
	}

	return body, nil
}

func newLedgerShow(f *ledgerFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "List the entries of a tenant's ledger",
		Example: "  dogker ledger show -n acme --month 2026-11",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := f.open(cmd.Context(), "", f.parameters(books.FormatJSON))
			if err != nil {
				return err
			}
			defer body.Close()
			export, err := ledger.ReadJSON(body)
			if err != nil {
				return err
			}

			return export.WriteTable(cmd.OutOrStdout())
		},
	}
	f.addSpan(cmd)

	return cmd
}

func newLedgerCosts(f *ledgerFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "costs",
		Short:   "List what each container of a tenant cost on each day",
		Example: "  dogker ledger costs -n acme --month 2026-11",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := f.open(cmd.Context(), "", f.parameters(books.FormatCosts))
			if err != nil {
				return err
			}
			defer body.Close()
			costs, err := ledger.ReadCosts(body)
			if err != nil {
				return err
			}

			return costs.WriteTable(cmd.OutOrStdout())
		},
	}
	f.addSpan(cmd)

	return cmd
}

func newLedgerExport(f *ledgerFlags) *cobra.Command {
	var format, output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the ledger of a tenant to a file",
		Example: `  dogker ledger export -n acme --format csv --month 2026-11 -o acme.csv
  dogker ledger export -n acme --format focus --from 2026-01-01T00:00:00Z --to 2027-01-01T00:00:00Z | gzip > 2026.csv.gz`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(books.Formats(), format) {
				return fmt.Errorf("--format: %q is not one of: %s", format, strings.Join(books.Formats(), ", "))
			}
			body, err := f.open(cmd.Context(), "", f.parameters(books.Format(format)))
			if err != nil {
				return err
			}
			defer body.Close()
			if output == "-" {
				_, err = io.Copy(cmd.OutOrStdout(), body)
			} else {
				err = writeWhole(output, body)
			}
			if err != nil {
				return fmt.Errorf("--output %q: %w", output, err)
			}

			return nil
		},
	}
	f.addSpan(cmd)
	cmd.Flags().StringVar(&format, "format", string(books.FormatCSV), "csv, focus (FOCUS "+ledger.FOCUSVersion+"), costs or json")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "file to write, or - for standard output")

	return cmd
}

// writeWhole writes a file, or leaves what was there: half an export looks like one. Others may not read what it says.
func writeWhole(path string, from io.Reader) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".dogker-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = io.Copy(file, from)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}

	return os.Rename(file.Name(), path)
}
