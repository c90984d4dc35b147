// Command dogker turns a Docker Swarm into a container cloud with a Kubernetes API. One binary is the server, the client
// and everything in between; each subcommand has a file of its own.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := newRootCommand().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
