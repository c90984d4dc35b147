// Command lab starts private Docker engines by hand, for scripts, for benchmarks and for people who want to look.
//
//	go run ./internal/lab/cmd/lab up --dir DIR [--nodes N] [--managers N] [--owner PID]
//	go run ./internal/lab/cmd/lab down --dir DIR
//
// up prints one `export` line per engine, so that `eval "$(… up …)"` sets DOCKER_HOST to the first node and
// DOCKER_HOST_1 to DOCKER_HOST_N to each of them, and DOGKER_LAB_NETNS_1 to their network namespaces, for
// `nsenter --net=$DOGKER_LAB_NETNS_1 curl 127.0.0.1:8080`. With --owner the lab ends when that process does, or at the
// latest when the next lab is started; without, it lives until down.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dogker/dogker/internal/lab"
)

// record is what DIR/lab.json holds: enough for down.
type record struct {
	ID    string   `json:"id"`
	Hosts []string `json:"hosts"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say up or down")
	}

	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	dir := flags.String("dir", "", "directory for the record of the lab")
	nodes := flags.Int("nodes", 1, "number of engines")
	managers := flags.Int("managers", 0, "how many of them are managers; 0 means all")
	owner := flags.Int("owner", lab.NoOwner, "process id that the lab belongs to")
	_ = flags.Parse(args[1:])

	if *dir == "" {
		return errors.New("--dir is required")
	}

	switch args[0] {
	case "up":
		return up(ctx, *dir, lab.Options{Nodes: *nodes, Managers: *managers, OwnerPID: *owner})
	case "down":
		return down(*dir)
	default:
		return fmt.Errorf("unknown command %q: say up or down", args[0])
	}
}

func up(ctx context.Context, dir string, o lab.Options) error {
	file := filepath.Join(dir, "lab.json")
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there: this lab is up, take it down first", file)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()

	l, err := lab.Up(ctx, o)
	if err != nil {
		return err
	}

	r := record{ID: l.ID}
	for _, n := range l.Nodes {
		r.Hosts = append(r.Hosts, n.Host)
	}
	if err := write(file, r); err != nil {
		return errors.Join(err, l.Down())
	}

	fmt.Printf("export DOCKER_HOST=%s\n", r.Hosts[0])
	for i, n := range l.Nodes {
		fmt.Printf("export DOCKER_HOST_%d=%s\n", i+1, n.Host)
		fmt.Printf("export DOGKER_LAB_NETNS_%d=%s\n", i+1, n.NetworkNamespace())
	}

	return nil
}

func write(file string, r record) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}

	return os.WriteFile(file, append(content, '\n'), 0o644)
}

func down(dir string) error {
	file := filepath.Join(dir, "lab.json")

	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}

	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if err := lab.Destroy(r.ID); err != nil {
		return err
	}

	return os.Remove(file)
}
