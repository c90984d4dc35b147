package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/swarm"
)

const doctorHelp = `Look at everything Dogker needs on this machine, and say what to do about what is missing.

It asks the engine that DOCKER_HOST names, or the machine's own, and the server of the data directory. It changes
nothing. The exit code is 1 when something keeps Dogker from its work; warnings do not.`

var errSick = errors.New("something keeps Dogker from its work; see above")

func newDoctorCommand(g *globals) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing on this machine, and what to do about it",
		Long:  doctorHelp,
		Example: `  dogker doctor
  dogker doctor -o json | jq '.[] | select(.level == "problem")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "" && output != "json" {
				return fmt.Errorf("--output: %q is not one of: json", output)
			}

			findings, err := diagnose(cmd.Context(), g.dataDir)
			if err != nil {
				return err
			}
			if err := printFindings(cmd.OutOrStdout(), findings, output); err != nil {
				return err
			}
			if swarm.Sick(findings) {
				return errSick
			}

			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json, or text when not set")

	return cmd
}

func diagnose(ctx context.Context, dataDir string) ([]swarm.Finding, error) {
	api, err := swarm.NewFromEnv()
	if err != nil {
		return nil, err
	}
	defer api.Close()

	findings := append(swarm.Diagnose(ctx, api, os.Getenv("DOCKER_HOST")), diagnoseServer(ctx, dataDir))
	findings = append(findings, diagnoseAgents(ctx, api)...)
	findings = append(findings, diagnoseMail(ctx, dataDir)...)
	findings = append(findings, diagnoseSnapshots(ctx, dataDir)...)

	return append(findings, diagnoseBilling(ctx, dataDir)...), nil
}

// diagnoseServer asks the server of the data directory whether it is ready, and what it waits for when it is not.
func diagnoseServer(ctx context.Context, dataDir string) swarm.Finding {
	const what = "Server"

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	path := datadir.At(dataDir).AdminKubeconfig()
	start := "dogker server --data-dir " + dataDir

	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return swarm.Finding{Level: swarm.LevelWarning, What: what, Detail: fmt.Sprintf("no server has run on data directory %s", dataDir), Remedy: start}
	}

	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return swarm.Finding{Level: swarm.LevelProblem, What: what, Detail: fmt.Sprintf("cannot use %s: %v", path, err)}
	}

	body, err := client.RESTClient().Get().AbsPath("/readyz").Param("verbose", "true").DoRaw(ctx)
	if err == nil {
		return swarm.Finding{Level: swarm.LevelOK, What: what, Detail: "it serves at " + cfg.Host + " and its controllers run"}
	}

	waits := failing(string(body))
	if len(waits) == 0 {
		return swarm.Finding{Level: swarm.LevelProblem, What: what, Detail: fmt.Sprintf("nothing answers at %s: %v", cfg.Host, err), Remedy: start}
	}

	return swarm.Finding{
		Level: swarm.LevelProblem, What: what, Detail: "it serves at " + cfg.Host + " and is not ready: " + strings.Join(waits, ", "),
		Remedy: "look at its log; a start takes seconds",
	}
}

// failing reads the names of failed checks from the answer of /readyz?verbose.
func failing(body string) []string {
	var names []string

	for line := range strings.Lines(body) {
		if name, ok := strings.CutPrefix(line, "[-]"); ok {
			name, _, _ = strings.Cut(name, " ")
			names = append(names, name)
		}
	}

	return names
}

func printFindings(out io.Writer, findings []swarm.Finding, format string) error {
	if format == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")

		return enc.Encode(findings)
	}

	marks := map[swarm.Level]string{swarm.LevelOK: "ok", swarm.LevelWarning: "WARNING", swarm.LevelProblem: "PROBLEM"}
	for _, f := range findings {
		if _, err := fmt.Fprintf(out, "%-8s %-11s %s\n", marks[f.Level], f.What, f.Detail); err != nil {
			return err
		}
		if f.Remedy != "" {
			fmt.Fprintf(out, "%-8s %-11s → %s\n", "", "", f.Remedy)
		}
	}

	return nil
}
