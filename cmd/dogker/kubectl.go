package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/plugin"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

const kubectlHelp = `kubectl, built in, with the administrator's kubeconfig of the data directory.

It is kubectl itself: every command, flag and plugin is there. The kubeconfig of the data directory is used unless
--kubeconfig or KUBECONFIG names another. To use another data directory, put the flag before the word kubectl, or set
` + dataDirEnv + `.`

const kubectlExamples = `  dogker kubectl get tenantcontainers --all-namespaces
  dogker kubectl explain tenantcontainer.spec.rollout
  dogker --data-dir /srv/dogker kubectl get events`

func newKubectlCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "kubectl",
		Short:   "Run kubectl as the administrator of this server",
		Long:    kubectlHelp,
		Example: kubectlExamples,
		// kubectl parses its own.
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			useKubeconfig(g.dataDir, args)
			cmd := newKubectl(args, genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
			if err := cli.RunNoErrOutput(cmd); err != nil {
				// It knows which errors it has printed already, and which exit code each has.
				kubectlutil.CheckErr(err)
			}

			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			useKubeconfig(g.dataDir, args)
			return completeKubectl(args, toComplete)
		},
	}
}

func newKubectl(args []string, streams genericiooptions.IOStreams) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().WithDiscoveryBurst(300).WithDiscoveryQPS(50)
	cmd := kubectl.NewDefaultKubectlCommandWithArgs(kubectl.KubectlOptions{
		PluginHandler: kubectl.NewDefaultPluginHandler(plugin.ValidPluginFilenamePrefixes),
		Arguments:     append([]string{"kubectl"}, args...),
		ConfigFlags:   flags.WithWarningPrinter(streams),
		IOStreams:     streams,
	})
	cmd.SetArgs(args)

	return cmd
}

// useKubeconfig makes the administrator's kubeconfig the default, unless the caller has named one. It does so even where
// the file cannot be read: falling back to the caller's own kubeconfig would let the command loose on another cluster.
func useKubeconfig(dataDir string, args []string) {
	named := slices.ContainsFunc(args, func(a string) bool {
		return a == "--kubeconfig" || strings.HasPrefix(a, "--kubeconfig=")
	})
	if named || os.Getenv("KUBECONFIG") != "" {
		return
	}

	path := datadir.At(dataDir).AdminKubeconfig()
	if f, err := os.Open(path); err != nil {
		fmt.Fprintf(os.Stderr, "Warning: %v: is a server running on this data directory? (--data-dir, %s)\n", err, dataDirEnv)
	} else {
		f.Close()
	}
	os.Setenv("KUBECONFIG", path)
}

// completeKubectl asks kubectl what could come next. It answers as cobra's shell scripts expect: one suggestion a line,
// and on the last line a colon and a number.
func completeKubectl(args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	request := append([]string{cobra.ShellCompRequestCmd}, append(slices.Clone(args), toComplete)...)
	var out bytes.Buffer
	cmd := newKubectl(request, genericiooptions.IOStreams{In: os.Stdin, Out: &out, ErrOut: &bytes.Buffer{}})
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	if err := cmd.Execute(); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := len(lines) - 1
	directive, err := strconv.Atoi(strings.TrimPrefix(lines[last], ":"))
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}

	return lines[:last], cobra.ShellCompDirective(directive)
}
