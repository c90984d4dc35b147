//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// values are what a query returns.
type values struct {
	Data struct {
		Result []struct {
			Metric map[string]string
		}
	}
}

func (p *prometheus) query(expr string) (values, error) {
	var got values
	err := p.get("/api/v1/query?query="+url.QueryEscape(expr), &got)

	return got, err
}

// wantTheirOwnWord: what a container says reaches Prometheus under its own name, and under names of Dogker's not at all.
func (p *prometheus) wantTheirOwnWord(n *tenant) {
	p.t.Helper()

	await(p.t, soon, "the container's own metrics are there", func() error {
		got, err := p.query(`app_claim`)
		if err == nil && len(got.Data.Result) == 0 {
			err = fmt.Errorf("there are none")
		}
		for _, series := range got.Data.Result {
			if series.Metric["namespace"] != n.name || series.Metric["exported_namespace"] != "another" {
				p.t.Fatalf("a container passes for one of another namespace: %v", series.Metric)
			}
		}

		return err
	})
	if got, err := p.query(`dogker_node_ready{node="claimed"}`); err != nil || len(got.Data.Result) > 0 {
		p.t.Errorf("a container says how nodes stand: %v, %v", got, err)
	}
}

// wantRules: every rule was evaluated without an error, and nothing is wrong with a platform that has just started.
func (p *prometheus) wantRules() {
	p.t.Helper()

	var got struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, State string }
			}
		}
	}
	await(p.t, soon, "all rules are evaluated", func() error {
		if err := p.get("/api/v1/rules", &got); err != nil {
			return err
		}
		for _, g := range got.Data.Groups {
			for _, r := range g.Rules {
				if r.Health != "ok" {
					return fmt.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
				}
			}
		}

		return nil
	})
	for _, g := range got.Data.Groups {
		for _, r := range g.Rules {
			if strings.HasPrefix(r.Name, "Dogker") && r.State == "firing" {
				p.t.Errorf("%s fires where all is well", r.Name)
			}
		}
	}
}

// quiet are panels that have nothing to show where nobody pays, nothing fails, no repository is synced and no quota is set.
var quiet = regexp.MustCompile(`^dogker-billing: (Shortest runways|Lowest balances, rupiah|Operations on ledgers|Time of an operation.*|Calls to the payment gateway)$|` +
	`^dogker-gitops: (GitSyncs that are not Ready|Failures by reason|Commit statuses)$|` +
	`: (Quota|Tasks that ended by themselves, in 15 minutes|Refused requests|Depth of queues|Passes that did not succeed)$`)

// wantDashboards: every query of every dashboard is one, and all return something that can.
func (p *prometheus) wantDashboards() {
	p.t.Helper()

	files, err := filepath.Glob("../../manifests/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		p.t.Fatalf("no dashboards: %v", err)
	}
	node := p.c.lab.Nodes[0].Name
	fill := strings.NewReplacer("$namespace", "acme", "$container", "web", "$node", node)
	for _, file := range files {
		var d struct {
			UID    string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		raw, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(raw, &d)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				where := d.UID + ": " + panel.Title
				_, err := poll(soon, func() error {
					got, err := p.query(fill.Replace(target.Expr))
					if err == nil && len(got.Data.Result) == 0 && !quiet.MatchString(where) {
						err = fmt.Errorf("it returns nothing")
					}

					return err
				})
				if err != nil {
					p.t.Errorf("%s: %s: %v", where, target.Expr, err)
				}
			}
		}
	}
}

// wantOwnSeriesOnly: the token of a member reads the page and the targets of its namespace, and of nobody else's.
func (n *tenant) wantOwnSeriesOnly(other *tenant) {
	n.t.Helper()

	cfg, err := n.server.config()
	if err != nil {
		n.t.Fatal(err)
	}
	token := n.accountToken(n.t, n.name, "scraper")
	n.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "scraper"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.name, Name: "scraper"}},
	})
	member := rest.AnonymousClientConfig(cfg)
	member.BearerToken, member.Dial = token, cfg.Dial
	client, err := rest.HTTPClientFor(member)
	if err != nil {
		n.t.Fatal(err)
	}
	c := &caller{client: client, host: cfg.Host}

	const group = "/apis/monitoring.dogker.io/v1alpha1"
	page := group + "/namespaces/" + n.name + "/metrics"
	await(n.t, soon, "a member may read the page", func() error {
		_, err := c.must(n.t.Context(), http.MethodGet, page, "")

		return err
	})
	got, err := c.must(n.t.Context(), http.MethodGet, page, "")
	if err != nil {
		n.t.Fatal(err)
	}
	if !strings.Contains(got.body, `container_cpu_usage_seconds_total{container="web"`) || strings.Contains(got.body, `namespace="`+other.name+`"`) {
		n.t.Errorf("the page of %s is not its own:\n%s", n.name, got.body)
	}
	if _, err := c.must(n.t.Context(), http.MethodGet, group+"/namespaces/"+n.name+"/targets", ""); err != nil {
		n.t.Error(err)
	}
	for _, path := range []string{
		group + "/namespaces/" + other.name + "/metrics", group + "/namespaces/" + other.name + "/targets",
		group + "/metrics", group + "/targets", "/sd/prometheus/nodes", "/sd/prometheus/pods", "/sd/prometheus/pods?namespace=" + n.name,
		"/metrics", "/api/v1/nodes/" + n.lab.Nodes[0].Name + "/proxy/metrics/cadvisor",
	} {
		if got, err := c.ask(n.t.Context(), http.MethodGet, path, ""); err != nil || got.code != http.StatusForbidden {
			n.t.Errorf("%s answers a member of %s with %d, %v", path, n.name, got.code, err)
		}
	}
}
