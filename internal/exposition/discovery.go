package exposition

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// group is a target as http_sd wants it: an address, and labels. Those that begin with __ say how it is reached, and
// __meta_ ones are for relabelling; the others become labels of its series.
type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// scrapeTimeout is how long a scrape takes at most, where its interval is longer: Prometheus' own default.
const scrapeTimeout = 10 * time.Second

// nodeTargets lists the nodes. address is where the client has reached this API server, and so can again.
func (s *Server) nodeTargets(address string) ([]group, error) {
	if err := s.o.Swarm.State(); err != nil {
		return nil, unknown(err)
	}
	nodes := s.o.Swarm.Nodes()
	names := s.o.NodeNames(nodes)
	out := make([]group, 0, len(nodes))

	for i := range nodes {
		name := names[nodes[i].ID]
		out = append(out, group{Targets: []string{address}, Labels: map[string]string{
			"__scheme__":               "https",
			"__metrics_path__":         "/api/v1/nodes/" + name + "/proxy/metrics/cadvisor",
			"__meta_dogker_node":       name,
			"__meta_dogker_node_id":    nodes[i].ID,
			"__meta_dogker_node_role":  string(nodes[i].Spec.Role),
			"__meta_dogker_node_state": string(nodes[i].Status.State),
			// All nodes have the address of the API server. What tells them apart is their name.
			"instance": name,
		}})
	}
	order(out)

	return out, nil
}

// podTargets lists the tasks that run and whose containers say where their metrics are: of a namespace, or of all.
func (s *Server) podTargets(ctx context.Context, address, namespace string) ([]group, error) {
	if err := s.o.Swarm.State(); err != nil {
		return nil, unknown(err)
	}
	containers, err := s.containers(ctx, namespace)
	if err != nil {
		return nil, err
	}
	names := s.o.NodeNames(s.o.Swarm.Nodes())
	out := []group{}

	for i := range containers {
		tc := &containers[i]
		port := tc.Spec.MetricsPort()
		if port == 0 {
			continue
		}
		owner := ownerOf(tc)
		for _, t := range tasksOf(s.o.Swarm, owner) {
			if t.Running() {
				out = append(out, group{Targets: []string{address}, Labels: podLabels(tc, &t, port, names[t.NodeID])})
			}
		}
	}
	order(out)

	return out, nil
}

func podLabels(tc *v1alpha1.TenantContainer, t *task, port int32, node string) map[string]string {
	at := t.pod + ":" + strconv.Itoa(int(port))
	m := tc.Spec.Metrics
	out := map[string]string{
		"__scheme__":                  "https",
		"__metrics_path__":            fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/proxy%s", tc.Namespace, at, cmp.Or(m.Path, v1alpha1.MetricsPath)),
		"__meta_dogker_namespace":     tc.Namespace,
		"__meta_dogker_container":     tc.Name,
		"__meta_dogker_pod":           t.pod,
		"__meta_dogker_pod_port":      strconv.Itoa(int(port)),
		"__meta_dogker_pod_slot":      strconv.Itoa(t.Slot),
		"__meta_dogker_pod_task":      t.ID,
		"__meta_dogker_pod_node_name": node,
		// A container cannot pass for another one: what it says in these labels itself is renamed by Prometheus.
		"namespace": tc.Namespace, "container": tc.Name, "pod": t.pod, "node": node, "instance": at,
	}
	for key, value := range tc.Spec.Labels {
		out["__meta_dogker_label_"+unfit.ReplaceAllString(key, "_")] = string(value)
	}
	if m.Interval != nil {
		out["__scrape_interval__"] = duration(m.Interval.Duration)
		out["__scrape_timeout__"] = duration(min(m.Interval.Duration, scrapeTimeout))
	}

	return out
}

// unfit is what names of labels cannot hold.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// duration is one as Prometheus reads it.
func duration(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// order sorts a list, so that the same targets are the same text.
func order(all []group) {
	slices.SortFunc(all, func(a, b group) int {
		return cmp.Compare(a.Labels["__metrics_path__"], b.Labels["__metrics_path__"])
	})
}

// withPort is the address of a target; a client leaves the port away where it is that of HTTPS.
func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}

	return net.JoinHostPort(trimBrackets(host), "443")
}

func trimBrackets(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}

	return host
}
