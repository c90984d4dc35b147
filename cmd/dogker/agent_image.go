package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/dogker/dogker/internal/agent/archive"
)

const agentImageHelp = `Write an image of this program for the agents, as "docker load" reads it.

It holds this program at /dogker, and what that needs to run, and nothing else. The same program gives the same image, with
the same ID on every node that loads it. No registry is needed: load it on each node, that of the server among them, and name
it by --agent-image.

The default tag is of a domain that no registry has, so that no engine ever finds another image by that name.`

func newAgentImageCommand() *cobra.Command {
	var output string
	tag := archive.Repository + ":" + builtFrom().Dogker
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Write an image of this program for the agents",
		Long:  agentImageHelp,
		Example: `  dogker agent image --output agent.tar
  for node in node1 node2 node3; do ssh $node docker load < agent.tar; done
  dogker agent image --tag registry.example.com/dogker:1.2.3 --output - | docker load`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}

			return writeImage(cmd.OutOrStdout(), output, func(w io.Writer) error { return archive.Write(w, program, tag) })
		},
	}
	cmd.Flags().StringVar(&tag, "tag", tag, "name of the image: REPOSITORY:TAG")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "file to write; - is standard output")

	return cmd
}

// writeImage leaves no part of a file behind that could not be written whole.
func writeImage(stdout io.Writer, output string, write func(io.Writer) error) error {
	if output == "-" {
		buffered := bufio.NewWriterSize(stdout, 1<<20)
		if err := write(buffered); err != nil {
			return err
		}

		return buffered.Flush()
	}

	f, err := os.Create(output)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	err = write(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(output)
	}

	return err
}
