package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// patience of a tool. Health checks have a time of their own, which is longer.
const patience = 2 * time.Second

var errNo = errors.New("no")

// tools are what checks are made with, by name.
var tools = map[string]func(ctx context.Context, args []string, std stdio) error{
	"pg_isready": asks(""), "mongosh": asks(""), "rabbitmq-diagnostics": asks(""), "mc": asks(""), "nginx": asks(""), "flow": asks(""),
	"feedling": asks(""), "healthcheck.sh": asks(""), "redis-cli": asks("PONG"),
	"curl": get, "wget": get, "nc": dial, "grep": grep, "rm": remove, "mkdir": makeDir,
	"ps": prints("1 root 0:00 sidekiq 6 standin [0 of 5 busy]"),
	"ss": prints("LISTEN 0 100 0.0.0.0:smtp 0.0.0.0:*"),
}

// asks the application whether it runs, and says what the tool would.
func asks(answer string) func(context.Context, []string, stdio) error {
	return func(ctx context.Context, _ []string, std stdio) error {
		if err := reach(ctx, "unix", alive); err != nil {
			return err
		}
		fmt.Fprintln(std.out, answer)

		return nil
	}
}

func prints(line string) func(context.Context, []string, stdio) error {
	return func(_ context.Context, _ []string, std stdio) error {
		_, err := fmt.Fprintln(std.out, line)

		return err
	}
}

func reach(ctx context.Context, network, address string) error {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, network, address)
	if err != nil {
		return err
	}

	return conn.Close()
}

// get is curl and wget: the argument with a port is what is asked for.
func get(ctx context.Context, args []string, std stdio) error {
	for _, url := range args {
		if !strings.Contains(url, ":") || strings.HasPrefix(url, "-") {
			continue
		}
		if !strings.Contains(url, "://") {
			url = "http://" + url
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(std.out, resp.Body)

		return err
	}

	return fmt.Errorf("no URL in %q", args)
}

// dial is nc: the last two arguments are a host and a port.
func dial(ctx context.Context, args []string, _ stdio) error {
	if len(args) < 2 {
		return errNo
	}

	return reach(ctx, "tcp", net.JoinHostPort(args[len(args)-2], args[len(args)-1]))
}

// grep looks for the last argument, and knows -q.
func grep(_ context.Context, args []string, std stdio) error {
	pattern, err := regexp.Compile(args[len(args)-1])
	if err != nil {
		return err
	}
	found := errNo
	for lines := bufio.NewScanner(std.in); lines.Scan(); {
		if pattern.MatchString(lines.Text()) {
			found = nil
			if args[0] != "-q" {
				fmt.Fprintln(std.out, lines.Text())
			}
		}
	}

	return found
}

func remove(_ context.Context, args []string, _ stdio) error {
	var errs []error
	for _, file := range args {
		errs = append(errs, os.Remove(file))
	}

	return errors.Join(errs...)
}

// makeDir knows -p.
func makeDir(_ context.Context, args []string, _ stdio) error {
	var errs []error
	for _, dir := range args {
		if dir != "-p" {
			errs = append(errs, os.MkdirAll(dir, 0o755))
		}
	}

	return errors.Join(errs...)
}
