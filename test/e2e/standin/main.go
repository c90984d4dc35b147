// Command standin takes the place of every application that a Compose file names: tests put it into an image under each of
// those names, so that what is converted runs as it was written, with its arguments, health checks, files and variables.
//
//	standin ARG...      the application: it wants the files of secrets that its variables name, and serves until it is told to end
//	standin sh -c TEXT  a shell, which runs health checks and scripts for real
//	NAME ARG...         a tool that checks look at an application with, such as pg_isready, curl or grep
//
// A tool is told apart by the name it is called by, as in busybox. What asks an application how it is asks this one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// alive is where the application says to tools in its container that it runs.
	alive = "@standin"
	// beat is a file that some workers touch for their health checks to look at.
	beat = "/tmp/health.txt"
)

// ports are those that the health checks of the stacks ask, by HTTP or at all.
var ports = []string{"80", "3000", "4242", "5232", "8000", "8080", "8123", "9000", "9092"}

func main() {
	log.SetFlags(0)
	if err := run(os.Args); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	name := path.Base(args[0])
	if name == "standin" && len(args) > 1 && isShell(args[1]) {
		args, name = args[1:], path.Base(args[1])
	}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()

	std := stdio{os.Stdin, os.Stdout}
	if isShell(name) {
		return shell(ctx, args)
	}
	if tool, ok := tools[name]; ok {
		return tool(ctx, args[1:], std)
	}

	return application(ctx, args[1:])
}

// chores are arguments of applications that do something and are done.
var chores = []string{"createdb", "migrate", "db:migrate", "version", "desk-init"}

func application(ctx context.Context, args []string) error {
	fmt.Println("standin for", strings.Join(args, " "))
	if err := secrets(os.Environ()); err != nil {
		return err
	}
	if len(args) > 0 && slices.Contains(chores, args[len(args)-1]) {
		return nil
	}

	listeners := map[string]string{alive: "unix"}
	for _, port := range ports {
		listeners[":"+port] = "tcp"
	}
	healthy := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") })
	for address, network := range listeners {
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		go func() { log.Println(http.Serve(l, healthy)) }()
	}

	for {
		_ = os.WriteFile(beat, []byte("OK\n"), 0o600) // A container may be read-only, and then nothing asks for it.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// secrets reads the files that variables name: who is told of one wants it.
func secrets(environ []string) error {
	var errs []error
	for _, e := range environ {
		name, file, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(file, "/run/secrets/") {
			continue
		}
		content, err := os.ReadFile(file)
		if err == nil && len(content) == 0 {
			err = fmt.Errorf("%s is empty", file)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}

	return errors.Join(errs...)
}

// stdio is what a tool reads and writes.
type stdio struct {
	in  io.Reader
	out io.Writer
}
