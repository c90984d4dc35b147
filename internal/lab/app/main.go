// Command app is the program inside the images that live tests run: a static web server that says which version it is
// and misbehaves on request, by flag, by environment or over HTTP.
//
//	GET /                version and hostname
//	GET /healthz         200, or 503 after POST /healthz?fail=true
//	GET /env?name=A      value of the environment variable A
//	GET /file?path=/a    content of a file
//	POST /crash?code=3   exit
//	POST /eat?mib=64     allocate and touch memory
//	POST /burn?seconds=10&percent=50   use so much CPU time, at that part of a core
//	GET /bytes?mib=20    so many mebibytes
//	POST /gauge?value=5  what app_gauge of GET /metrics is to be
//
// `app echo|complain|exit|append|cat|count|log|terminal` is what tests run in a container that runs already. Called as tar, it is tar
// for `kubectl cp`.
//
// `app -check` asks a running app on the same port for /healthz and exits 0 or 1: the exec health check of an image that
// holds nothing but this program.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what the program is told at its start. Each flag can also be set as APP_<NAME> in the environment, so that
// a test can make a container fail by changing its environment alone.
type options struct {
	listen      string
	check       bool
	idle        bool
	unhealthy   bool
	ignoreTerm  bool
	drain       time.Duration
	crashAfter  time.Duration
	startDelay  time.Duration
	exitCode    int
	eatMiB      int
	writeMiB    int
	talkLines   int
	forkBomb    bool
	versionFile string
}

func main() {
	if filepath.Base(os.Args[0]) == "tar" {
		os.Exit(tarCommand(os.Args[1:]))
	}
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		os.Exit(commands[os.Args[1]](os.Args[2:]))
	}
	o := parse()

	if o.check {
		os.Exit(check(o.listen))
	}

	if o.ignoreTerm {
		signal.Ignore(syscall.SIGTERM)
	} else {
		go exitOnTerm(o.drain)
	}

	if o.crashAfter >= 0 {
		time.AfterFunc(o.crashAfter, func() { exit(o.exitCode, "told to crash") })
	}

	time.Sleep(o.startDelay)
	eat(o.eatMiB)

	talk(o.talkLines)

	if o.writeMiB > 0 {
		go write(o.writeMiB)
	}

	if o.forkBomb {
		bomb()
	}

	if o.idle {
		select {}
	}

	log.Fatal(http.ListenAndServe(o.listen, newServer(o)))
}

func parse() options {
	var o options

	flag.StringVar(&o.listen, "listen", ":8080", "address to serve HTTP on")
	flag.BoolVar(&o.check, "check", false, "ask the app that runs here for its health and exit")
	flag.BoolVar(&o.idle, "idle", false, "serve nothing, only wait")
	flag.BoolVar(&o.unhealthy, "unhealthy", false, "fail the health check from the start")
	flag.BoolVar(&o.ignoreTerm, "ignore-term", false, "survive SIGTERM")
	flag.DurationVar(&o.drain, "drain", 0, "how long to take to stop when asked to")
	flag.DurationVar(&o.crashAfter, "crash-after", -1, "exit after this long; never when negative")
	flag.DurationVar(&o.startDelay, "start-delay", 0, "wait this long before serving")
	flag.IntVar(&o.exitCode, "exit-code", 1, "exit code of a crash")
	flag.IntVar(&o.eatMiB, "eat", 0, "memory to hold, in MiB")
	flag.IntVar(&o.writeMiB, "write-disk", 0, "write a file of this many MiB to the disk, again and again")
	flag.IntVar(&o.talkLines, "talk", 0, "lines of 100 bytes to write to standard output at the start")
	flag.BoolVar(&o.forkBomb, "fork-bomb", false, "serve nothing, only make processes until there can be no more")
	flag.StringVar(&o.versionFile, "version-file", "/version", "file that holds the version of the image")
	flag.VisitAll(func(f *flag.Flag) {
		name := "APP_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, set := os.LookupEnv(name); set {
			if err := flag.Set(f.Name, value); err != nil {
				log.Fatalf("%s=%q: %v", name, value, err)
			}
		}
	})
	flag.Parse()

	return o
}

// check is the health check: 0 when the app answers 200, 1 otherwise.
func check(listen string) int {
	_, port, _ := strings.Cut(listen, ":")
	client := http.Client{Timeout: 2 * time.Second}

	resp, err := client.Get("http://127.0.0.1:" + port + "/healthz")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer resp.Body.Close()

	fmt.Println(resp.Status)
	if resp.StatusCode != http.StatusOK {
		return 1
	}

	return 0
}

// exitOnTerm is needed because process 1 of a container has no default action for signals.
func exitOnTerm(drain time.Duration) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	why := (<-signals).String()
	time.Sleep(drain)
	exit(0, why)
}

func exit(code int, why string) {
	log.Print("exit ", strconv.Itoa(code), ": ", why)
	os.Exit(code)
}
