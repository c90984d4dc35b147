// Command dogker turns a Docker Swarm into a container cloud with a Kubernetes API. One binary is the server, the client
// and everything in between; each subcommand has a file of its own.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := newRootCommand().Execute(); err != nil {
		if err.Error() != "" {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		os.Exit(exitCodeOf(err))
	}
}

// exitCodeOf an error is 1, unless the error says otherwise.
func exitCodeOf(err error) int {
	if coded := (*exitError)(nil); errors.As(err, &coded) {
		return coded.code
	}

	return 1
}
