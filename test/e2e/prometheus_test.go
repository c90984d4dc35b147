//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// scrapeEvery is the interval of the test's Prometheus, for scrapes and lists of targets.
const scrapeEvery = 2 * time.Second

// prometheusAddress is where it listens, in the network of the server's node.
const prometheusAddress = "127.0.0.1:19090"

// TestPrometheus has Debian's Prometheus scrape a swarm with the configuration, the rules and the dashboards that are
// published, while a container is scaled.
func TestPrometheus(t *testing.T) {
	t.Parallel()

	c := prepareCell(t, lab.Options{}, "--prometheus-url", "http://"+prometheusAddress)
	c.server.within = c.lab.Nodes[0]
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	acme, rival := c.namespace(t, "acme"), c.namespace(t, "rival")
	rival.run(app("web", "v1", replicas(1)))
	acme.run(app("web", "v1", replicas(1), limited, func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Ports = []v1alpha1.Port{{Name: "http", ContainerPort: 8080}}
		tc.Spec.Metrics = &v1alpha1.Metrics{Port: intstr.FromString("http")}
	}))
	p := newPrometheus(t, c)

	for _, n := range []int32{4, 2} {
		acme.edit("web", replicas(n))
		acme.ready("web")
		took := await(t, soon, fmt.Sprintf("the list is that of %d tasks", n), func() error { return p.listed(acme) })
		t.Logf("targets of %d tasks were right %v after the container was Ready", n, took.Round(time.Millisecond))
		if most := 2*scrapeEvery + instant; took > most {
			t.Errorf("it took %v, want one interval and a scrape: %v at most on a busy machine", took, most)
		}
	}

	p.wantTheirOwnWord(acme)
	p.wantRules()
	p.wantDashboards()
	acme.wantOwnSeriesOnly(rival)
	p.wantScaling(acme)
}

// limited gives a container limits, without which there is nothing to say about them.
func limited(tc *v1alpha1.TenantContainer) {
	tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{CPU: new(resource.MustParse("500m")), Memory: new(resource.MustParse("64Mi"))}}
}

// prometheus is a Prometheus beside the server.
type prometheus struct {
	t       *testing.T
	c       *cell
	client  *http.Client
	dir     string
	process *exec.Cmd
}

func newPrometheus(t *testing.T, c *cell) *prometheus {
	t.Helper()

	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../manifests/prometheus")); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "prometheus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := c.server.config()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("dogker.example:6443", c.server.address, "15s", scrapeEvery.String()).Replace(string(config))
	for name, content := range map[string]string{
		"prometheus.yaml": text, "token": c.accountToken(t, "dogker-system", "prometheus"), "ca.crt": string(cfg.CAData),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	p := &prometheus{t: t, c: c, client: c.lab.Nodes[0].HTTPClient(), dir: dir}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("prometheus said:\n%s", tail(p.logFile(), 20))
		}
	})
	p.start()

	return p
}

func (p *prometheus) logFile() string { return filepath.Join(p.dir, "log") }

// start starts the process and waits until it is ready.
func (p *prometheus) start() {
	p.t.Helper()

	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	process := p.c.server.command("prometheus", "--config.file="+filepath.Join(p.dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(p.dir, "data"), "--web.listen-address="+prometheusAddress)
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		p.t.Fatalf("start prometheus: %v; make setup installs it", err)
	}
	p.process = process
	if err := p.c.lab.Adopt(process.Process); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, soon, "prometheus is ready", func() error { return p.get("/-/ready", nil) })
}

// stop ends the process as the kernel would.
func (p *prometheus) stop() {
	if p.process != nil {
		_ = p.process.Process.Kill()
		_ = p.process.Wait()
		p.process = nil
	}
}

// accountToken makes a service account and a token for it.
func (c *cell) accountToken(t *testing.T, namespace, name string) string {
	t.Helper()

	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := c.api.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	asked := &authenticationv1.TokenRequest{}
	if err := c.api.SubResource("token").Create(t.Context(), account, asked); err != nil {
		t.Fatal(err)
	}

	return asked.Status.Token
}

// get asks Prometheus, and reads what it answers unless into is nil.
func (p *prometheus) get(path string, into any) error {
	resp, err := p.client.Get("http://" + prometheusAddress + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	if into == nil {
		return nil
	}

	return json.NewDecoder(resp.Body).Decode(into)
}

// listed is nil when the targets of the container are its running tasks and no others, and all of them answer.
func (p *prometheus) listed(n *tenant) error {
	var got struct {
		Data struct {
			ActiveTargets []struct {
				Labels            map[string]string
				ScrapePool        string
				Health, LastError string
			}
		}
	}
	if err := p.get("/api/v1/targets?state=active", &got); err != nil {
		return err
	}
	var targets, tasks []string
	for _, target := range got.Data.ActiveTargets {
		if target.Health != "up" {
			return fmt.Errorf("%s %s is %s: %s", target.ScrapePool, target.Labels["instance"], target.Health, target.LastError)
		}
		if target.ScrapePool == "dogker-pods" {
			targets = append(targets, target.Labels["pod"])
		}
	}
	tc := n.get("web")
	owner := swarmobj.Owner{Tenant: n.name, Kind: "TenantContainer", Name: tc.Name, UID: string(tc.UID)}
	for _, task := range n.running("web") {
		tasks = append(tasks, swarmobj.PodName(owner, task.Slot, task.NodeID, task.ID))
	}
	slices.Sort(targets)
	slices.Sort(tasks)
	if !slices.Equal(targets, tasks) {
		return fmt.Errorf("targets are %v, and tasks are %v", targets, tasks)
	}

	return nil
}
