package main

import (
	"github.com/spf13/cobra"

	"github.com/dogker/dogker/internal/git/worker"
)

// newGitWorkerCommand is what a server starts itself as to build a repository apart from itself. It is for nobody's hands: it reads
// a request on standard input and answers in lines of JSON.
func newGitWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    worker.Command,
		Short:  "Build a repository for a server, in a process of its own",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return worker.Main(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
