package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// scrapes counts how often the app was asked about itself.
var scrapes atomic.Int64

// metrics tells Prometheus about the app. It also claims to be somebody else, as a container may that means ill.
func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintf(w, "# TYPE app_scrapes_total counter\napp_scrapes_total{version=%q} %d\n", s.version, scrapes.Add(1))
	fmt.Fprint(w, "app_claim{namespace=\"another\",pod=\"another\"} 1\ndogker_node_ready{node=\"claimed\"} 0\n")
}
