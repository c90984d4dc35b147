// Command hello is the sample that the quickstart runs: a static web server, small enough to be an image of its own.
//
//	GET /          who answers: greeting, version, host name
//	GET /healthz   200, or 503 when HELLO_BROKEN is true
//
// `hello -check` asks a hello in the same container for its health and exits with 0 or 1: the image holds no shell and no
// curl, so the program is its own health check.
//
// HELLO_VERSION, HELLO_GREETING and HELLO_BROKEN in the environment say how it answers; -listen says where.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", ":8080", "address to serve on")
	check := flag.Bool("check", false, "ask the server on that address for its health and exit")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	run := serve
	if *check {
		run = askHealth
	}

	if err := run(ctx, *listen); err != nil {
		log.Fatal(err)
	}
}

// serve answers until it is asked to stop, and then lets requests that are under way end. A broken version does not end
// well: an engine forgets why it stopped a container that ends with exit code 0.
func serve(ctx context.Context, addr string) error {
	server := &http.Server{Addr: addr, Handler: handler(os.Getenv), ReadHeaderTimeout: 5 * time.Second}

	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	})

	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}

	if err := <-stopped; err != nil {
		return err
	}
	if broken(os.Getenv) {
		return errors.New("broken on purpose")
	}

	return nil
}

func broken(env func(string) string) bool {
	b, _ := strconv.ParseBool(env("HELLO_BROKEN"))
	return b
}

// handler is the pages, as the environment wants them.
func handler(env func(string) string) http.Handler {
	greeting := cmp.Or(env("HELLO_GREETING"), "Hello")
	version := cmp.Or(env("HELLO_VERSION"), "unknown")

	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from version %s on %s\n", greeting, version, host)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if broken(env) {
			http.Error(w, "broken on purpose", http.StatusServiceUnavailable)
			return
		}

		fmt.Fprintln(w, "ok")
	})

	return mux
}

// askHealth fails when the server does not answer, or answers that it is not well.
func askHealth(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostOf(addr)+"/healthz", nil)
	if err != nil {
		return err
	}

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", resp.Status)
	}

	return nil
}

// hostOf is where a server that listens on addr is reached from its own container.
func hostOf(addr string) string {
	if addr != "" && addr[0] == ':' {
		return "127.0.0.1" + addr
	}

	return addr
}
