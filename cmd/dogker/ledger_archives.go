package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
)

const archivesHelp = `Read archives of ledgers, which a server with --ledger-archive-dir writes, and verify them without any server: each is replayed
by itself, and those of a tenant are held against each other, in whatever order they are named.

Whether the last one is the last that was written, and what was written, the ledger knows: RECORD is the record of its last entry of
type Checkpoint, in the export json, as long as the file has its name.

The exit code is 0 when all hold, 1 when one does not, and 2 when one could not be read or continues one that was not named.`

func newLedgerArchives() *cobra.Command {
	return &cobra.Command{
		Use:     "archives FILE...",
		Short:   "Verify archives of ledgers, without a server",
		Long:    archivesHelp,
		Example: "  dogker ledger archives /srv/ledgers/*.ledger",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return showArchives(cmd.OutOrStdout(), ledger.VerifyArchives(files, func(file string) (io.ReadCloser, error) { return os.Open(file) }))
		},
	}
}

// showArchives lists what came of each.
func showArchives(w io.Writer, reports []ledger.ArchiveReport) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "TENANT\tRESULT\tENTRIES\tFIRST\tLAST\tBALANCE\tRECORD\tFILE")
	var broken, unknown int
	var told []string
	for i := range reports {
		r := &reports[i]
		result := "holds"
		switch c := &r.Checkpoint; {
		case errors.Is(r.Err, book.ErrBroken):
			broken++
			result = "BROKEN"
			told = append(told, fmt.Sprintf("%s: %v", r.File, r.Err))
		case r.Err != nil:
			unknown++
			result = "unknown"
			err := r.Err
			if p := (*fs.PathError)(nil); errors.As(err, &p) {
				err = p.Err // The file is named already.
			}
			told = append(told, fmt.Sprintf("%s: %v", r.File, err))
		case r.Gap:
			unknown++
			told = append(told, fmt.Sprintf("%s: it continues an archive that ends with entry %d, which was not named", r.File, c.Head.Seq-c.Entries))
		}
		c := &r.Checkpoint
		if c.SHA256 == "" {
			fmt.Fprintf(out, "\t%s\t\t\t\t\t\t%s\n", result, r.File)
		} else {
			fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\n", c.Tenant, result, c.Entries, r.First, c.Head.Seq, c.Head.Balance(), r.Record, r.File)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}

	return concludeVerification(w, told, broken, unknown, fmt.Sprintf("%d archives", len(reports)))
}
