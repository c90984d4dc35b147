package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	etcdversion "go.etcd.io/etcd/api/v3/version"

	"github.com/dogker/dogker/internal/controlplane"
)

// version of Dogker. The linker sets it for a release; other builds say which commit they were made from.
var version string

// versions are what this binary is made of.
type versions struct {
	Dogker     string `json:"dogker"`
	Commit     string `json:"commit,omitempty"`
	Kubernetes string `json:"kubernetes"`
	Etcd       string `json:"etcd"`
	Go         string `json:"go"`
	Platform   string `json:"platform"`
}

func newVersionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say what this binary is made of",
		Example: `  dogker version
  dogker version --output json | jq -r .kubernetes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersions(cmd.OutOrStdout(), builtFrom(), output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")

	return cmd
}

func builtFrom() versions {
	v := versions{
		Dogker:     cmp.Or(version, "development"),
		Kubernetes: controlplane.KubernetesVersion(),
		Etcd:       "v" + etcdversion.Version,
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
	}

	return v
}

func printVersions(w io.Writer, v versions, output string) error {
	switch output {
	case "text":
		fmt.Fprintf(w, "dogker %s\n", v.Dogker)
		if v.Commit != "" {
			fmt.Fprintf(w, "commit %s\n", v.Commit)
		}
		_, err := fmt.Fprintf(w, "kubernetes %s\netcd %s\n%s %s\n", v.Kubernetes, v.Etcd, v.Go, v.Platform)
		return err
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	default:
		return fmt.Errorf("--output %q must be text or json", output)
	}
}
