package exposition

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// targets are those of a list, which must be one that http_sd takes.
func targets(t *testing.T, s *Server, path string) []group {
	t.Helper()

	got := get(t, s, path)
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s answers %d, %q: %s", path, got.Code, got.Header().Get("Content-Type"), got.Body)
	}
	var out []group
	if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil || out == nil {
		t.Fatalf("%s is no list: %v: %s", path, err, got.Body)
	}

	return out
}

// measured is a container that tells about itself on a port.
func measured(port intstr.IntOrString, change ...func(*v1alpha1.Metrics)) func(*v1alpha1.TenantContainer) {
	return func(tc *v1alpha1.TenantContainer) {
		m := &v1alpha1.Metrics{Port: port, Path: v1alpha1.MetricsPath}
		for _, f := range change {
			f(m)
		}
		tc.Spec.Ports = []v1alpha1.Port{
			{Name: "http", ContainerPort: 8080, Protocol: "UDP"}, {Name: "http", ContainerPort: 9090, Protocol: "TCP"},
		}
		tc.Spec.Metrics = m
	}
}

func TestListOfNodes(t *testing.T) {
	want := []group{{
		Targets: []string{"api.example:6443"},
		Labels: map[string]string{
			"__scheme__": "https", "__metrics_path__": "/api/v1/nodes/one/proxy/metrics/cadvisor", "instance": "one",
			"__meta_dogker_node": "one", "__meta_dogker_node_id": "node1",
			"__meta_dogker_node_role": "manager", "__meta_dogker_node_state": "ready",
		},
	}}
	if diff := cmp.Diff(want, targets(t, newWorld().server(t), NodesPath)); diff != "" {
		t.Error(diff)
	}
}

func TestTargetOfATask(t *testing.T) {
	base := map[string]string{
		"__scheme__": "https", "__metrics_path__": "/api/v1/namespaces/acme/pods/web-1-acmewebtas:9090/proxy/metrics",
		"__meta_dogker_namespace": "acme", "__meta_dogker_container": "web", "__meta_dogker_pod": "web-1-acmewebtas",
		"__meta_dogker_pod_port": "9090", "__meta_dogker_pod_slot": "1", "__meta_dogker_pod_task": "acmewebtask1",
		"__meta_dogker_pod_node_name": "one",
		"namespace":                   "acme", "container": "web", "pod": "web-1-acmewebtas", "node": "one", "instance": "web-1-acmewebtas:9090",
	}
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.TenantContainer)
		want   map[string]string
		none   bool
	}{
		"ByName":   {reason: "A name is that of a TCP port.", change: measured(intstr.FromString("http"))},
		"ByNumber": {reason: "A number need not be declared.", change: measured(intstr.FromInt32(9090))},
		"ByAnUnknownName": {
			reason: "A revision that is run again may lack the port that the spec names.",
			change: measured(intstr.FromString("admin")), none: true,
		},
		"Path": {
			reason: "The path is the container's own, behind that of the proxy.",
			change: measured(intstr.FromInt32(9090), func(m *v1alpha1.Metrics) { m.Path = "/admin/prometheus" }),
			want:   map[string]string{"__metrics_path__": "/api/v1/namespaces/acme/pods/web-1-acmewebtas:9090/proxy/admin/prometheus"},
		},
		"ShortInterval": {
			reason: "Prometheus drops a target whose timeout is longer than its interval.",
			change: measured(intstr.FromInt32(9090), func(m *v1alpha1.Metrics) { m.Interval = &metav1.Duration{Duration: 5 * time.Second} }),
			want:   map[string]string{"__scrape_interval__": "5000ms", "__scrape_timeout__": "5000ms"},
		},
		"LongInterval": {
			reason: "A long interval is no reason to wait long.",
			change: measured(intstr.FromInt32(9090), func(m *v1alpha1.Metrics) { m.Interval = &metav1.Duration{Duration: time.Hour} }),
			want:   map[string]string{"__scrape_interval__": "3600000ms", "__scrape_timeout__": "10000ms"},
		},
		"Labels": {
			reason: "Labels are there for relabelling, under names that Prometheus can read.",
			change: func(tc *v1alpha1.TenantContainer) {
				measured(intstr.FromInt32(9090))(tc)
				tc.Spec.Labels = map[string]v1alpha1.LabelText{"example.com/team-name": "shop"}
			},
			want: map[string]string{"__meta_dogker_label_example_com_team_name": "shop"},
		},
		"Silent": {reason: "Who says nothing about metrics is no target.", change: func(*v1alpha1.TenantContainer) {}, none: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.container("acme", "web", 1, tc.change)
			got := targets(t, w.server(t), acmeTargets)
			if tc.none {
				if len(got) != 0 {
					t.Errorf("got %v, want none. %s", got, tc.reason)
				}

				return
			}
			want := map[string]string{}
			for _, labels := range []map[string]string{base, tc.want} {
				for k, v := range labels {
					want[k] = v
				}
			}
			if diff := cmp.Diff([]group{{Targets: []string{"api.example:6443"}, Labels: want}}, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOnlyWhatRunsIsATarget: a target that cannot answer is a failed scrape, and one that is about to go soon is.
func TestOnlyWhatRunsIsATarget(t *testing.T) {
	w := newWorld()
	tc := w.container("acme", "web", 5, measured(intstr.FromInt32(9090)))
	for i, change := range []func(*swarmobj.TaskDetail){
		func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateShutdown; d.Desired = swarm.TaskStateShutdown },
		func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateFailed },
		func(d *swarmobj.TaskDetail) { d.Desired = swarm.TaskStateShutdown },
		func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateStarting },
	} {
		w.task(tc, i, change)
	}

	got := targets(t, w.server(t), acmeTargets)
	if len(got) != 1 || got[0].Labels["__meta_dogker_pod_slot"] != "5" {
		t.Errorf("got %v, want slot 5 alone", got)
	}
}

func TestWhoseTargets(t *testing.T) {
	w := newWorld()
	for _, namespace := range []string{"acme", "rival"} {
		w.container(namespace, "web", 1, measured(intstr.FromInt32(9090)))
	}
	s := w.server(t)

	for path, want := range map[string][]string{
		acmeTargets:                      {"acme"},
		PodsPath:                         {"acme", "rival"},
		PodsPath + "?namespace=rival":    {"rival"},
		PodsPath + "?namespace=stranger": nil,
	} {
		var got []string
		for _, g := range targets(t, s, path) {
			got = append(got, g.Labels["namespace"])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestAddressOfTargets(t *testing.T) {
	for host, want := range map[string]string{
		"api.example:6443": "api.example:6443", "api.example": "api.example:443",
		"10.0.0.1": "10.0.0.1:443", "[::1]:6443": "[::1]:6443", "[::1]": "[::1]:443",
	} {
		if got := withPort(host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}
