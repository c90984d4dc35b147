package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// benchmark is one question, and how it is answered.
type benchmark struct {
	name, title string
	// about says in a sentence or two what a turn does, when its clock stops, and what is checked.
	about string
	goals []measure.Goal
	run   func(context.Context, *session) error
}

// benchmarks in the order in which they run.
var benchmarks = []benchmark{
	startOne, startMany, create, resync, drift, blindDrift, change, api, patches, footprint, tenancy, admission, neighbour,
	books, payday, repository, fleet, agents, pods, logs, jobs, manyVolumes, snapshots,
}

// flags are what the user asks for.
type flags struct {
	profile  string
	turns    int
	idling   time.Duration
	program  string
	document string
	profiles string
	list     bool
	strict   bool
}

func main() {
	rig.EtcdMain()
	rig.SwarmMain()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	f, names := parse()
	if f.list {
		for _, b := range benchmarks {
			fmt.Printf("%-12s %s\n", b.name, b.title)
		}
		return
	}
	if err := run(ctx, f, names); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() (flags, []string) {
	var f flags

	flag.StringVar(&f.profile, "profile", "quick", "quick or full")
	flag.IntVar(&f.turns, "rounds", 0, "how often the arms take turns where a turn takes long; 0 is as the profile says")
	flag.DurationVar(&f.idling, "idle", 0, "how long what is idle is measured; 0 is as the profile says")
	flag.StringVar(&f.program, "dogker", os.Getenv("DOGKER_BIN"), "the program to measure; compiled when empty")
	flag.StringVar(&f.document, "document", "", "write results into this Markdown file, at the places that are marked for them")
	flag.StringVar(&f.profiles, "cpuprofiles", "", "write CPU profiles of Dogker's last turns into this directory")
	flag.BoolVar(&f.list, "list", false, "list the benchmarks and exit")
	flag.BoolVar(&f.strict, "strict", false, "exit with 1 when a goal is missed")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: bench [flags] [names]\n\nCompares Dogker with what it is measured against, on this machine. Without names, everything.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()

	return f, flag.Args()
}

// run runs the benchmarks that are asked for. One that fails does not keep the others from running.
func run(ctx context.Context, f flags, names []string) error {
	p, ok := sizes[f.profile]
	if !ok {
		return fmt.Errorf("-profile %q must be quick or full", f.profile)
	}
	if f.turns < 0 {
		return fmt.Errorf("-rounds %d must be at least 1", f.turns)
	}
	if f.turns > 0 {
		p.rounds, p.name = f.turns, fmt.Sprintf("%s with %d rounds", p.name, f.turns)
	}
	if f.idling < 0 {
		return fmt.Errorf("-idle %v must not be negative", f.idling)
	}
	if f.idling > 0 {
		p.idle, p.name = f.idling, fmt.Sprintf("%s with %v of idling", p.name, f.idling)
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}

	dir, err := os.MkdirTemp("", "dogker-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if f.program == "" {
		if f.program, err = rig.Build(ctx, dir); err != nil {
			return err
		}
	}

	var errs []error
	var missed []string
	for _, b := range chosen {
		r, err := runOne(ctx, b, p, f, dir)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			continue
		}
		missed = append(missed, r.Missed()...)
		errs = append(errs, r.Text(os.Stdout))
		if f.document != "" {
			errs = append(errs, write(f.document, r))
		}
	}

	for _, m := range missed {
		fmt.Println("goal missed:", m)
	}
	if f.strict && len(missed) > 0 {
		errs = append(errs, fmt.Errorf("%d goals are missed", len(missed)))
	}

	return errors.Join(errs...)
}

func choose(names []string) ([]benchmark, error) {
	if len(names) == 0 {
		return benchmarks, nil
	}

	var out []benchmark
	for _, name := range names {
		i := slices.IndexFunc(benchmarks, func(b benchmark) bool { return b.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no benchmark %q; see -list", name)
		}
		out = append(out, benchmarks[i])
	}

	return out, nil
}

// write puts the report into the document.
func write(document string, r *measure.Report) error {
	content, err := os.ReadFile(document)
	if err != nil {
		return err
	}

	var text strings.Builder
	if err := r.Markdown(&text); err != nil {
		return err
	}
	placed, err := measure.Place(string(content), r.Name, text.String())
	if err != nil {
		return fmt.Errorf("write %s: %w", document, err)
	}

	return os.WriteFile(document, []byte(placed), 0o644)
}
