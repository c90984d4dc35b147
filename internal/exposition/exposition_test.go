package exposition

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// nodePage is what a scrape of the node gets.
func nodePage(t testing.TB, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()

	h, ok := s.NodePage("node1", path)
	if !ok {
		t.Fatalf("there is no page %s", path)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://api.example/", nil))

	return w
}

// parsed reads a page as Prometheus does.
func parsed(t testing.TB, text string) map[string]*dto.MetricFamily {
	t.Helper()

	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}

	return families
}

func TestPageOfANode(t *testing.T) {
	w := newWorld()
	w.container("acme", "web", 1)
	w.container("rival", "db", 1)
	got := nodePage(t, w.server(t), CAdvisorPage).Body.String()

	const web = `{container="web",image="registry.example/shop:1@sha256:ab",namespace="acme",node="one",pod="web-1-acmewebtas"} `
	for line, reason := range map[string]string{
		"container_cpu_usage_seconds_total" + web + "3":                 "Times are in seconds.",
		"container_cpu_cfs_throttled_periods_total" + web + "10":        "Dashboards that others have written know this name.",
		"container_cpu_cfs_throttled_seconds_total" + web + "0.5":       "Parts of a second count.",
		"container_memory_working_set_bytes" + web + "80":               "It is what a limit is measured against.",
		"container_network_transmit_packets_dropped_total" + web + "18": "No value is another one's.",
		"container_fs_writes_total" + web + "24":                        "No value is another one's.",
		"container_spec_cpu_quota" + web + "50000":                      "Half a core is half a period.",
		"container_spec_cpu_period" + web + "100000":                    "A quota says nothing without it.",
		"container_spec_memory_limit_bytes" + web + "2.68435456e+08":    "The limit is that of the task's spec.",
		"container_start_time_seconds" + web + "1.79543514e+09":         "It is a minute before the clock of the test.",
		`machine_cpu_cores{node="one"} 4`:                               "The machine is on its node's page.",
		`node_memory_working_set_bytes{node="one"} 2.147483648e+09`:     "What is available is not used.",
		`# TYPE container_memory_failcnt counter`:                       "It counts, whatever it is called.",
		`# TYPE container_memory_usage_bytes gauge`:                     "It falls again.",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("%q is missing. %s", line, reason)
		}
	}
	if !strings.Contains(got, `namespace="rival"`) {
		t.Error("the page of a node is of all tenants on it")
	}

	families := parsed(t, got)
	for _, r := range usage {
		if len(families[r.Name].GetMetric()) != 2 {
			t.Errorf("%s has %d series, want those of 2 tasks", r.Name, len(families[r.Name].GetMetric()))
		}
		for _, m := range families[r.Name].GetMetric() {
			if m.TimestampMs != nil {
				t.Errorf("%s has a time of its own: Prometheus would show it for five minutes after its end", r.Name)
			}
		}
	}
}

// TestNoEndedTaskIsShown: what is left of its samples would be counted beside the task that took its place.
func TestNoEndedTaskIsShown(t *testing.T) {
	w := newWorld()
	tc := w.container("acme", "web", 2)
	w.task(tc, 0, func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateShutdown })
	s := w.server(t)

	for name, page := range map[string]string{"node": nodePage(t, s, CAdvisorPage).Body.String(), "namespace": get(t, s, acmeMetrics).Body.String()} {
		if got := len(parsed(t, page)["container_last_seen"].GetMetric()); got != 1 {
			t.Errorf("the page of the %s shows %d tasks, want the one that runs", name, got)
		}
	}
}

// TestLimitsThatAreNot: a limit that is not there is no limit of 0.
func TestLimitsThatAreNot(t *testing.T) {
	w := newWorld()
	tc := w.container("acme", "web", 1)
	w.task(tc, 0, func(d *swarmobj.TaskDetail) { d.Spec = nil })
	bare := w.samples["acmewebtask1"]
	bare.PIDLimit, bare.CPU.Periods = 0, 0
	w.samples["acmewebtask1"] = bare

	families := parsed(t, nodePage(t, w.server(t), CAdvisorPage).Body.String())
	for _, name := range []string{
		"container_spec_cpu_quota", "container_spec_cpu_period", "container_spec_memory_limit_bytes",
		"container_spec_memory_reservation_limit_bytes", "container_threads_max", "container_cpu_cfs_periods_total",
	} {
		if families[name] != nil {
			t.Errorf("%s is shown", name)
		}
	}
	for _, l := range families["container_threads"].GetMetric()[0].GetLabel() {
		if l.GetName() == "image" {
			t.Errorf("an image that is not known is %q", l.GetValue())
		}
	}
}

// TestNodeThatIsNotHeardOf is down for Prometheus, and not empty.
func TestNodeThatIsNotHeardOf(t *testing.T) {
	w := newWorld()
	delete(w.machines, "node1")
	s := w.server(t)
	for _, path := range []string{CAdvisorPage, ResourcePage, HealthPage} {
		if got := nodePage(t, s, path).Code; got != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", path, got)
		}
	}
	if _, ok := s.NodePage("node1", "metrics/probes"); ok {
		t.Error("there is a page that nobody has made")
	}
}

func TestResourcePageIsTheKubelets(t *testing.T) {
	w := newWorld()
	w.container("acme", "web", 1)
	var names []string
	for name := range parsed(t, nodePage(t, w.server(t), ResourcePage).Body.String()) {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		"container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_start_time_seconds",
		"node_cpu_usage_seconds_total", "node_memory_working_set_bytes",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// TestPageOfANamespaceIsItsOwn: nothing that belongs to another tenant is on it, whatever that one is called.
func TestPageOfANamespaceIsItsOwn(t *testing.T) {
	w := newWorld()
	w.container("acme", "web", 2)
	w.container("rival", "web", 1)
	w.container("acme-2", "web", 1)
	got := get(t, w.server(t), acmeMetrics)
	if got.Code != http.StatusOK {
		t.Fatalf("%d: %s", got.Code, got.Body)
	}

	families := parsed(t, got.Body.String())
	for name, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "namespace" && l.GetValue() != "acme" {
					t.Errorf("%s shows namespace %q", name, l.GetValue())
				}
			}
		}
	}
	for _, name := range []string{"container_cpu_usage_seconds_total", "dogker_workload_cpu_seconds_total", "dogker_container_condition"} {
		if families[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for _, foreign := range []string{"machine_cpu_cores", "dogker_node_ready", "node_cpu_usage_seconds_total"} {
		if families[foreign] != nil {
			t.Errorf("%s is the platform's", foreign)
		}
	}
}

// TestSubjectsOfOthersAreNotTrusted: should whoever keeps samples answer with those of somebody else, they are not shown.
func TestSubjectsOfOthersAreNotTrusted(t *testing.T) {
	w := newWorld()
	w.container("acme", "web", 1)
	w.container("rival", "db", 1)
	s := w.server(t)
	s.ShowSamples(leaky{w})

	if got := get(t, s, acmeMetrics).Body.String(); strings.Contains(got, "rival") {
		t.Errorf("rival is shown:\n%s", got)
	}
}

// leaky answers with everybody's tasks, whoever is asked for.
type leaky struct{ *world }

func (l leaky) Subjects(swarmobj.Owner) []telemetry.Subject {
	return l.world.Subjects(swarmobj.Owner{})
}

func TestPageOfThePlatform(t *testing.T) {
	w := newWorld()
	w.container("acme", "web", 2, func(tc *v1alpha1.TenantContainer) {
		tc.Status.ReadyReplicas, tc.Status.Tasks = 1, "1/2"
	})
	s := w.server(t)
	got := get(t, s, allMetrics).Body.String()

	for _, line := range []string{
		`dogker_container_replicas_desired{container="web",namespace="acme"} 2`,
		`dogker_container_replicas_ready{container="web",namespace="acme"} 1`,
		`dogker_container_info{container="web",image="shop:1",mode="Replicated",namespace="acme"} 1`,
		`dogker_container_condition{condition="Ready",container="web",namespace="acme",reason="Running",status="True"} 1`,
		`dogker_workload_cpu_seconds_total{container="web",namespace="acme"} 7`,
		`dogker_workload_tasks_ended_total{cause="OOMKilled",container="web",namespace="acme"} 0`,
		`dogker_node_ready{node="one"} 1`, `dogker_node_schedulable{node="one"} 1`,
		`dogker_node_info{node="one",node_id="node1",role="manager",version="28.5.2"} 1`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("%q is missing in:\n%s", line, got)
		}
	}
	if families := parsed(t, got); families["container_cpu_usage_seconds_total"] != nil {
		t.Error("tasks are on the pages of their nodes, and would be counted twice")
	}
}

func TestNotKnown(t *testing.T) {
	cases := map[string]struct {
		reason string
		method string
		path   string
		breaks bool
		code   int
	}{
		"ListOfNodesWhileBlind": {"Prometheus keeps what it had when a list is an error, and drops everything when it is empty.", http.MethodGet, NodesPath, true, http.StatusServiceUnavailable},
		"ListOfPodsWhileBlind":  {"The same holds for tasks.", http.MethodGet, PodsPath, true, http.StatusServiceUnavailable},
		"PageWhileBlind":        {"Samples do not come through the swarm's managers.", http.MethodGet, acmeMetrics, false, http.StatusOK},
		"Write":                 {"There is nothing to write.", http.MethodPost, acmeMetrics, false, http.StatusMethodNotAllowed},
		"Named":                 {"There is one page, which has no name.", http.MethodGet, acmeMetrics + "/web", false, http.StatusNotFound},
		"UnknownFilter":         {"A filter that does nothing would show more than was meant.", http.MethodGet, PodsPath + "?tenant=acme", false, http.StatusBadRequest},
		"FilterInANamespace":    {"The path says which namespace.", http.MethodGet, acmeTargets + "?namespace=rival", false, http.StatusBadRequest},
		"OtherKinds":            {"Kinds of the same group are not answered here.", http.MethodGet, "/apis/monitoring.dogker.io/v1alpha1/namespaces/acme/alerts", false, http.StatusTeapot},
		"OtherPaths":            {"So is all the rest.", http.MethodGet, "/sd/prometheus", false, http.StatusTeapot},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if tc.breaks {
				w.broken = errors.New("the engine at 10.1.2.3 does not answer")
			}
			got := ask(t, w.server(t), tc.method, tc.path)
			if got.Code != tc.code {
				t.Errorf("got %d, want %d: %s. %s", got.Code, tc.code, got.Body, tc.reason)
			}
			if strings.Contains(got.Body.String(), "10.1.2.3") {
				t.Errorf("words of the engine are shown: %s", got.Body)
			}
		})
	}
}

// TestBeforeObjectsAreKnown: a server that has just started does not say that there is nothing.
func TestBeforeObjectsAreKnown(t *testing.T) {
	s := newWorld().server(t)
	s.objects.Store(nil)
	for _, path := range []string{acmeMetrics, allMetrics, acmeTargets, PodsPath} {
		if got := get(t, s, path).Code; got != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", path, got)
		}
	}
}
