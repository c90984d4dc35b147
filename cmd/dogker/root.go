package main

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"
)

const (
	defaultDataDir = "/var/lib/dogker"
	dataDirEnv     = "DOGKER_DATA_DIR"
)

const rootHelp = `Dogker keeps a Docker Swarm as it is declared.

You declare containers as Kubernetes objects, with kubectl, client-go, Flux or whatever else speaks to a Kubernetes API.
Dogker makes Swarm run them, keeps it so whatever anyone does to it, rolls changes out without breaking what serves, and
says in one line why something is not ready when it is not.`

const rootExamples = `  # Serve the API on this machine, and make its engine a swarm if it is none
  dogker server --init-swarm

  # Declare something, and look at it
  dogker kubectl apply -f manifests/samples/minimal.yaml
  dogker kubectl get tenantcontainers -o wide

  # The same with your own kubectl
  export KUBECONFIG=/var/lib/dogker/admin.kubeconfig
  kubectl get tc

  # Bring Compose files over
  dogker convert -f compose.yaml | kubectl apply -n acme -f -

  # Complete commands in this shell
  source <(dogker completion bash)`

// globals are the flags that every subcommand understands.
type globals struct {
	dataDir string
}

func newRootCommand() *cobra.Command {
	var g globals
	root := &cobra.Command{
		Use:     "dogker",
		Short:   "A container cloud with a Kubernetes API, on Docker Swarm",
		Long:    rootHelp,
		Example: rootExamples,
		// Errors are printed once, by main. An error that is not about the command line needs no usage text.
		SilenceErrors: true,
		SilenceUsage:  true,
		// Flags before a subcommand are ours, also where the subcommand parses its own, as kubectl does.
		TraverseChildren: true,
	}
	root.PersistentFlags().StringVar(&g.dataDir, "data-dir", cmp.Or(os.Getenv(dataDirEnv), defaultDataDir),
		"directory that holds everything a server must keep; also by the environment variable "+dataDirEnv)

	root.AddCommand(
		newServerCommand(&g),
		newAgentCommand(),
		newKubectlCommand(&g),
		newDoctorCommand(&g),
		newAuditCommand(&g),
		newRolloutCommand(&g),
		newRestartCommand(&g),
		newJobCommand(&g),
		newLedgerCommand(&g),
		newNotifyCommand(&g),
		newEstimateCommand(&g),
		newConvertCommand(),
		newExportCommand(&g),
		newBackupCommand(&g),
		newRestoreCommand(&g),
		newImportCommand(&g),
		newApplyCommand(&g),
		newDiffCommand(&g),
		newCouponCommand(),
		newLoginCommand(),
		newLogoutCommand(),
		newRegisterCommand(),
		newPasswdCommand(&g),
		newDeployTokenCommand(),
		newCredentialCommand(),
		newFakeCommand(),
		newGitWorkerCommand(),
		newVersionCommand(),
	)

	return root
}
