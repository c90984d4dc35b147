package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// eaten holds the memory that the app was told to hold.
var eaten struct {
	sync.Mutex
	blocks [][]byte
}

type server struct {
	version   string
	hostname  string
	unhealthy atomic.Bool
}

func newServer(o options) http.Handler {
	version, err := os.ReadFile(o.versionFile)
	if err != nil {
		version = []byte("unknown")
	}

	s := &server{version: strings.TrimSpace(string(version))}
	s.hostname, _ = os.Hostname()
	s.unhealthy.Store(o.unhealthy)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.hello)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("POST /healthz", s.setHealth)
	mux.HandleFunc("GET /env", s.env)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("POST /gauge", s.setGauge)
	mux.HandleFunc("GET /file", s.file)
	mux.HandleFunc("POST /crash", s.crash)
	mux.HandleFunc("POST /eat", s.eat)
	mux.HandleFunc("POST /burn", s.burn)
	mux.HandleFunc("GET /bytes", s.bytes)

	return mux
}

func (s *server) hello(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "version=%s hostname=%s\n", s.version, s.hostname)
}

func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if s.unhealthy.Load() {
		http.Error(w, "told to be unhealthy", http.StatusServiceUnavailable)
		return
	}

	fmt.Fprintln(w, "ok")
}

func (s *server) setHealth(_ http.ResponseWriter, r *http.Request) {
	s.unhealthy.Store(r.FormValue("fail") == "true")
}

func (s *server) env(w http.ResponseWriter, r *http.Request) {
	value, set := os.LookupEnv(r.FormValue("name"))
	if !set {
		http.Error(w, "not set", http.StatusNotFound)
		return
	}

	fmt.Fprint(w, value)
}

func (s *server) file(w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(r.FormValue("path"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}

	_, _ = w.Write(content)
}

func (s *server) crash(_ http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.FormValue("code"))
	if err != nil {
		code = 1
	}

	exit(code, "told to crash over HTTP")
}

func (s *server) eat(w http.ResponseWriter, r *http.Request) {
	mib, err := strconv.Atoi(r.FormValue("mib"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}

	eat(mib)
}

// eat allocates memory and writes to every page of it, so that the kernel has to give it.
func eat(mib int) {
	eaten.Lock()
	defer eaten.Unlock()

	for range mib {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}

		eaten.blocks = append(eaten.blocks, block)
	}
}
