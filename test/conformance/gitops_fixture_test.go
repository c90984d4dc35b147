//go:build conformance

package conformance

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/internal/gitops/apply"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// wire counts what goes to the API, and cuts the connection when it is told to.
type wire struct {
	mu sync.Mutex
	// reads are GETs and lists, trials are dry-runs, writes all others.
	reads, trials, writes int
	// writesLeft is how many writes get through before everything fails, as for a process that dies; negative for all.
	writesLeft int
}

var errCut = errors.New("the process has died")

func (w *wire) count(r *http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()

	switch {
	case w.writesLeft == 0:
		return errCut
	case r.Method == http.MethodGet:
		w.reads++
	case r.URL.Query().Get("dryRun") != "":
		w.trials++
	default:
		w.writes++
		w.writesLeft--
	}

	return nil
}

// syncer is a sync in a namespace of its own, and what it has on record.
type syncer struct {
	t        *testing.T
	applier  *apply.Applier
	wire     *wire
	request  delivery.Request
	recorded []inventory.Entry
}

// newSyncer makes a namespace with a ServiceAccount that has a role of tenants, and a sync that acts as it.
func newSyncer(t *testing.T, role string) *syncer {
	t.Helper()
	namespace := shared.namespace(t)
	client := shared.client(t)
	if _, err := client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "deployer"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if role != "" {
		if _, err := client.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "deployer"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "deployer"}},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	g := &syncer{t: t, request: delivery.Request{
		Sync: types.NamespacedName{Namespace: namespace, Name: "shop"}, ServiceAccount: "deployer", Prune: true,
	}}
	g.restart()
	if role != "" {
		robot, err := apply.As(shared.config(t), namespace, "deployer")
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the ServiceAccount has its rights", func() bool {
			_, err := kubernetes.NewForConfigOrDie(robot).CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})

			return err == nil
		})
	}

	return g
}

// restart loses all that a process keeps in memory.
func (g *syncer) restart() {
	g.t.Helper()
	cfg := shared.config(g.t)
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		g.t.Fatal(err)
	}
	kinds, err := apiutil.NewDynamicRESTMapper(cfg, client)
	if err != nil {
		g.t.Fatal(err)
	}

	g.wire = &wire{writesLeft: -1}
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { return &through{wire: g.wire, inner: rt} })
	g.applier = apply.New(cfg, kinds, apply.Options{Poll: 20 * time.Millisecond})
}

// through is a transport that goes over a wire.
type through struct {
	wire  *wire
	inner http.RoundTripper
}

func (t *through) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.wire.count(r); err != nil {
		return nil, err
	}

	return t.inner.RoundTrip(r)
}

// with is the request for a repository that has these files.
func (g *syncer) with(files map[string]string) delivery.Request {
	g.t.Helper()
	r := g.request
	r.Objects, r.Recorded = repository(g.t, files), g.recorded

	return r
}

// sync makes the namespace what the files say, and forgets what went over the wire before.
func (g *syncer) sync(files map[string]string) (apply.Result, error) {
	g.t.Helper()

	return g.do(g.with(files))
}

func (g *syncer) do(r delivery.Request) (apply.Result, error) {
	g.wire.mu.Lock()
	g.wire.reads, g.wire.trials, g.wire.writes = 0, 0, 0
	g.wire.mu.Unlock()

	result, err := g.applier.Sync(g.t.Context(), r, 0, func(_ context.Context, entries []inventory.Entry) error {
		g.recorded = entries

		return nil
	})
	g.recorded = result.Inventory

	return result, err
}

// must is sync where nothing stands against it.
func (g *syncer) must(files map[string]string) apply.Result {
	g.t.Helper()
	result, err := g.sync(files)
	if err != nil {
		g.t.Fatalf("sync: %v\n%s", err, result.Changes)
	}

	return result
}

// rests demands that looking again writes nothing and asks about nothing.
func (g *syncer) rests(files map[string]string) {
	g.t.Helper()
	result := g.must(files)
	if got := result.Changes.Written(); len(got) > 0 || g.wire.writes+g.wire.trials > 0 {
		g.t.Errorf("nothing has changed, and there were %d writes and %d dry-runs:\n%s", g.wire.writes, g.wire.trials, got)
	}
}

// repository is what files of YAML are built to.
func repository(t *testing.T, files map[string]string) []source.Object {
	t.Helper()
	var out []source.Object
	for _, file := range slices.Sorted(maps.Keys(files)) {
		line := 1
		for _, document := range strings.Split(files[file], "---\n") {
			raw, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if string(raw) != "null" {
				out = append(out, source.Object{File: file, Line: line, JSON: raw})
			}
			line += strings.Count(document, "\n") + 1
		}
	}

	return out
}

func configMap(name string, pairs ...string) string {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata:\n"
	for i := 0; i < len(pairs); i += 2 {
		text += "  " + pairs[i] + ": " + `"` + pairs[i+1] + `"` + "\n"
	}

	return text
}

func tenantContainer(name, spec string) string {
	return "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: " + name + "}\nspec: {image: registry.example/shop:1.4, " + spec + "}\n"
}

// data is that of a ConfigMap; nil for one that is not there.
func (g *syncer) data(name string) map[string]string {
	cm, err := shared.client(g.t).CoreV1().ConfigMaps(g.request.Sync.Namespace).Get(g.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	if cm.Data == nil {
		return map[string]string{}
	}

	return cm.Data
}

// patch is a change by hand, by somebody who works with that manager.
func (g *syncer) patch(manager, name, patch string) {
	g.t.Helper()
	_, err := shared.client(g.t).CoreV1().ConfigMaps(g.request.Sync.Namespace).Patch(g.t.Context(), name, types.MergePatchType,
		[]byte(patch), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		g.t.Fatal(err)
	}
}
