package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/books"
)

const verifyHelp = `Replay the ledger of a tenant, or with -A of all that have an account, and compare everything that is stored with it: numbers,
hashes, sums, records of use, keys, payments. The server does it, as of one moment, while others write.

The first place that does not hold is named. Nothing is mended. Who has written a hash down elsewhere, from a Statement or a
log, compares it with what is printed, or with the entry of that number: the chain finds what was changed, and only an outside
witness finds that all of it was made anew.

The exit code is 0 when all hold, 1 when one does not, and 2 when one could not be verified.`

// The exit codes of a verification.
const (
	exitBroken     = 1
	exitUnverified = 2
)

func newLedgerVerify(f *ledgerFlags) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Replay ledgers and say whether they hold",
		Long:    verifyHelp,
		Example: "  dogker ledger verify -n acme\n  dogker ledger verify -A",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tenants, err := f.tenants(cmd.Context(), all)
			if err != nil {
				return &exitError{exitUnverified, err}
			}

			return verifyAll(tenants, cmd.OutOrStdout(), func(tenant string) (books.Verification, error) {
				return f.verify(cmd.Context(), tenant)
			})
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "verify the ledgers of all accounts")

	return cmd
}

// tenants are those whose ledgers are meant.
func (f *ledgerFlags) tenants(ctx context.Context, all bool) ([]string, error) {
	c, namespace, err := f.api.connect()
	if err != nil || !all {
		return []string{namespace}, err
	}
	var accounts billingv1.BillingAccountList
	if err := c.List(ctx, &accounts); err != nil {
		return nil, fmt.Errorf("list billing accounts: %w", err)
	}
	var out []string
	for i := range accounts.Items {
		out = append(out, accounts.Items[i].Namespace)
	}

	return out, nil
}

func (f *ledgerFlags) verify(ctx context.Context, tenant string) (books.Verification, error) {
	body, err := f.open(ctx, tenant, map[string]string{"verify": "true"})
	if err != nil {
		return books.Verification{}, err
	}
	defer body.Close()
	var v books.Verification
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		return books.Verification{}, fmt.Errorf("read the answer about %q: %w", tenant, err)
	}

	return v, nil
}

// verifyAll verifies one after the other, and lists what came of it. One that fails does not hide the others.
func verifyAll(tenants []string, w io.Writer, verify func(tenant string) (books.Verification, error)) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "TENANT\tRESULT\tENTRIES\tRECORDS\tLAST\tBALANCE\tHASH")
	var broken, unknown int
	var told []string
	for _, tenant := range tenants {
		v, err := verify(tenant)
		switch {
		case err != nil:
			unknown++
			told = append(told, err.Error())
			fmt.Fprintf(out, "%s\tunknown\t\t\t\t\t\n", tenant)
		case !v.Valid:
			broken++
			told = append(told, v.Message)
			fmt.Fprintf(out, "%s\tBROKEN\t\t\t\t\t\n", tenant)
		default:
			fmt.Fprintf(out, "%s\tholds\t%d\t%d\t%d\t%s\t%s\n", tenant, v.Entries, v.Records, v.LastSequence, v.Balance, v.Hash)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}

	return concludeVerification(w, told, broken, unknown, fmt.Sprintf("%d ledgers", len(tenants)))
}

// concludeVerification says below a table what was found, and by the exit code what came of all.
func concludeVerification(w io.Writer, found []string, broken, unknown int, all string) error {
	for _, message := range found {
		fmt.Fprintf(w, "\n%s\n", message)
	}
	switch {
	case broken > 0:
		return &exitError{exitBroken, fmt.Errorf("%d of %s are broken", broken, all)}
	case unknown > 0:
		return &exitError{exitUnverified, fmt.Errorf("%d of %s could not be verified", unknown, all)}
	default:
		return nil
	}
}
