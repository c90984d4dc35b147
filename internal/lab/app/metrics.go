package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
)

// scrapes counts how often the app was asked about itself, and gauge is what it was told to say.
var scrapes, gauge atomic.Int64

// setGauge has the app say a number of itself.
//
//	POST /gauge?value=5
func (s *server) setGauge(w http.ResponseWriter, r *http.Request) {
	value, err := strconv.ParseInt(r.FormValue("value"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	gauge.Store(value)
}

// metrics tells Prometheus about the app. It also claims to be somebody else, as a container may that means ill.
func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintf(w, "# TYPE app_scrapes_total counter\napp_scrapes_total{version=%q} %d\n", s.version, scrapes.Add(1))
	fmt.Fprintf(w, "# TYPE app_gauge gauge\napp_gauge %d\n", gauge.Load())
	fmt.Fprint(w, "app_claim{namespace=\"another\",pod=\"another\"} 1\ndogker_node_ready{node=\"claimed\"} 0\n")
}
