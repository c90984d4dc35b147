package rig

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	requests = regexp.MustCompile(`^apiserver_request_total\{(.*)\} (\S+)$`)
	label    = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// Writes is how often objects were written, by their resource, such as "configmaps" or "gitsyncs/status".
type Writes map[string]float64

// Writes counts the requests that have written something since the server began. Dry runs and questions about rights write
// nothing. Leases are renewed all the time, whatever else happens.
func (s *Server) Writes(ctx context.Context) (Writes, error) {
	text, err := s.raw.Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}

	out := Writes{}
	for line := range strings.Lines(string(text)) {
		m := requests.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(m[1], -1) {
			labels[pair[1]] = pair[2]
		}
		if !wrote(labels) {
			continue
		}
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics: %w", err)
		}
		out[strings.TrimSuffix(labels["resource"]+"/"+labels["subresource"], "/")] += n
	}

	return out, nil
}

// wrote tells whether requests with these labels have written.
func wrote(labels map[string]string) bool {
	switch labels["verb"] {
	case "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION":
	default:
		return false
	}
	switch labels["group"] {
	case "authentication.k8s.io", "authorization.k8s.io":
		return false
	}

	return labels["resource"] != "leases" && labels["dry_run"] == "" && strings.HasPrefix(labels["code"], "2")
}

// Since is how many writes there were after others, of resources that begin with the prefix and of all others.
func (w Writes) Since(before Writes, prefix string) (of, others float64) {
	for resource, n := range w {
		if strings.HasPrefix(resource, prefix) {
			of += n - before[resource]
		} else {
			others += n - before[resource]
		}
	}

	return of, others
}
