package monitoring

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const (
	root       = "../.."
	prometheus = root + "/manifests/prometheus"
	grafana    = root + "/manifests/grafana/dashboards"
)

// promtool runs Prometheus' own checker.
func promtool(t *testing.T, args ...string) {
	t.Helper()

	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()

	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("nothing is at %s: %v", pattern, err)
	}

	return found
}

func TestPromtoolTakesTheRules(t *testing.T) {
	promtool(t, append([]string{"check", "rules"}, files(t, prometheus+"/rules/*.yaml")...)...)
}

func TestRulesDoWhatTheirTestsSay(t *testing.T) {
	promtool(t, append([]string{"test", "rules"}, files(t, prometheus+"/tests/*.yaml")...)...)
}

// TestPromtoolTakesTheConfiguration beside the files that it names.
func TestPromtoolTakesTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(prometheus)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"token": "secret", "ca.crt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, "check", "config", filepath.Join(dir, "prometheus.yaml"))
}

// rule is one of Prometheus' rules.
type rule struct {
	Record, Alert, Expr string
	For                 string
	Labels, Annotations map[string]string
}

// rules are all, by the file that they stand in.
func rules(t *testing.T) map[string][]rule {
	t.Helper()

	out := map[string][]rule{}
	for _, file := range files(t, prometheus+"/rules/*.yaml") {
		var content struct {
			Groups []struct {
				Name  string
				Rules []rule
			}
		}
		read(t, file, &content)
		for _, g := range content.Groups {
			out[filepath.Base(file)] = append(out[filepath.Base(file)], g.Rules...)
		}
	}

	return out
}

func read(t *testing.T, file string, into any) {
	t.Helper()

	raw, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestAlertsLeadSomewhere: whoever is woken finds a page about it, and the page names the alert.
func TestAlertsLeadSomewhere(t *testing.T) {
	for file, all := range rules(t) {
		for _, r := range all {
			if r.Alert == "" {
				continue
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
				t.Errorf("%s: %s has severity %q", file, r.Alert, r.Labels["severity"])
			}
			for _, a := range []string{"summary", "description"} {
				if strings.TrimSpace(r.Annotations[a]) == "" {
					t.Errorf("%s: %s has no %s", file, r.Alert, a)
				}
			}
			page, err := os.ReadFile(filepath.Join(root, r.Annotations["runbook_url"]))
			if err != nil {
				t.Errorf("%s: %s: %v", file, r.Alert, err)
				continue
			}
			if !strings.Contains(string(page), "`"+r.Alert+"`") {
				t.Errorf("%s: %s is not named by %s", file, r.Alert, r.Annotations["runbook_url"])
			}
		}
	}
}

// panel of a dashboard, as far as it is looked at.
type panel struct {
	ID      int
	Title   string
	Targets []struct{ Expr string }
}

type dashboard struct {
	UID, Title string
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type, Definition string
		}
	}
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()

	out := map[string]dashboard{}
	for _, file := range files(t, grafana+"/*.json") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if d.UID+".json" != filepath.Base(file) {
			t.Errorf("%s has the UID %q", file, d.UID)
		}
		ids := map[int]bool{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %d %q has the number of another one, no title or no query", file, p.ID, p.Title)
			}
			ids[p.ID] = true
		}
		out[filepath.Base(file)] = d
	}

	return out
}

// expressions are all, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()

	out := map[string]string{}
	for file, all := range rules(t) {
		for _, r := range all {
			out[file+": "+r.Record+r.Alert] = r.Expr
		}
	}
	for file, d := range dashboards(t) {
		for _, p := range d.Panels {
			for i, target := range p.Targets {
				out[file+": "+p.Title+" "+string(rune('A'+i))] = target.Expr
			}
		}
	}

	return out
}

func selectors(t *testing.T, where, text string) []*parser.VectorSelector {
	t.Helper()

	expr, err := parser.ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v", where, err)

		return nil
	}
	var out []*parser.VectorSelector
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			out = append(out, s)
		}

		return nil
	})

	return out
}

// foreign are metrics of libraries that the server shows, and of Prometheus itself. Tenants' programs may have metrics of the
// same names, so whoever asks for one says of which job.
var foreign = regexp.MustCompile(`^(up|leader_election_master_status|apiserver_.+|workqueue_.+|etcd_request_.+|process_.+)$`)

var suffix = regexp.MustCompile(`_(bucket|count|sum)$`)

// TestMetricsExist: an expression about something that nobody shows never fires and shows nothing.
func TestMetricsExist(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"ALERTS": true}
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		known[m[1]] = true
	}
	for _, all := range rules(t) {
		for _, r := range all {
			known[r.Record] = true
		}
	}

	for where, text := range expressions(t) {
		for _, s := range selectors(t, where, text) {
			switch {
			case known[s.Name], known[suffix.ReplaceAllString(s.Name, "")]:
			case foreign.MatchString(s.Name):
				if !matches(s, "job", "") {
					t.Errorf("%s: %s may be a tenant's: say of which job", where, s.Name)
				}
			default:
				t.Errorf("%s: %s is no metric that docs/reference/metrics.md knows", where, s.Name)
			}
		}
	}
}

// matches tells whether a selector asks for one value of a label; any when it is empty.
func matches(s *parser.VectorSelector, label, value string) bool {
	return slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Name == label && m.Type == labels.MatchEqual && (value == "" || m.Value == value)
	})
}

// TestDashboardOfTenantsAsksAboutOneNamespace: shown to a tenant, it must not show another one.
func TestDashboardOfTenantsAsksAboutOneNamespace(t *testing.T) {
	d := dashboards(t)["dogker-tenant.json"]
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for _, s := range selectors(t, p.Title, target.Expr) {
				if !matches(s, "namespace", "$namespace") {
					t.Errorf("%s: %s is not bound to the namespace", p.Title, s)
				}
			}
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" && v.Name != "namespace" && !strings.Contains(v.Definition, `namespace="$namespace"`) {
			t.Errorf("variable %s is not bound to the namespace: %s", v.Name, v.Definition)
		}
	}
}

// TestTenantsAlertsHaveANamespace: what has none can be routed to nobody.
func TestTenantsAlertsHaveANamespace(t *testing.T) {
	for _, r := range rules(t)["tenant.yaml"] {
		if !strings.Contains(r.Annotations["description"], "$labels.namespace") {
			t.Errorf("%s does not say whose it is", r.Alert)
		}
	}
}

// TestEveryRuleIsTested: an alert without a test has never fired before it is needed.
func TestEveryRuleIsTested(t *testing.T) {
	var tests strings.Builder
	for _, file := range files(t, prometheus+"/tests/*.yaml") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(raw)
	}
	for file, all := range rules(t) {
		for _, r := range all {
			if r.Alert != "" && !strings.Contains(tests.String(), `alertname="`+r.Alert+`"`) {
				t.Errorf("%s: no test fires %s", file, r.Alert)
			}
		}
	}
}
