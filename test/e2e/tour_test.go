//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// stop is one command of the tour: who gives it, what it is, with what code it ends and what it says.
type stop struct {
	who     string // platform, tenant, viewer or other
	command string // {near} and {far} are pods on the server's own node and on another, {theirs} is one of the other tenant.
	code    int
	says    string
}

// tour is what people do with kubectl. Stock kubectl, its exit codes and its output are the contract.
var tour = []stop{
	{"platform", "get nodes", 0, `(?s)^NAME +STATUS +ROLES +AGE +VERSION.*node1 +Ready.*node2 +Ready.*node3 +Ready`},
	{"platform", "get nodes -o wide", 0, `(?s)INTERNAL-IP.*node1.*docker://`},
	{"platform", "get nodes -o name", 0, `^node/node1\nnode/node2\nnode/node3\n$`},
	{"platform", "get node node2", 0, `node2 +Ready`},
	{"platform", "get node node9", 1, `nodes "node9" not found`},
	{"platform", "get no node1 -o jsonpath={.status.nodeInfo.operatingSystem}", 0, `^linux$`},
	{"platform", "describe node node1", 0, `(?s)Name: +node1.*Conditions:.*Ready +True.*Capacity:.*cpu:`},
	{"platform", "get nodes -l kubernetes.io/hostname=node2 -o name", 0, `^node/node2\n$`},
	{"platform", "get nodes --field-selector metadata.name=node3 -o name", 0, `^node/node3\n$`},
	{"platform", "wait --for=condition=Ready node/node1 --timeout=20s", 0, `condition met`},
	{"platform", "delete node node3", 1, `(?i)method|not allowed|forbidden|cannot`},
	{"platform", "get pods -A", 0, `(?s)NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE.*acme +web-1-.*1/1 +Running.*globex +db-1-`},
	{"platform", "get pods -A -o wide --field-selector spec.nodeName=node3", 0, `(?s)web-\d-\S+ .*node3`},
	{"platform", "get pods -n globex", 0, `db-1-\S+ +1/1 +Running`},
	{"platform", "get pods -n nowhere", 0, `No resources found in nowhere namespace`},
	{"platform", "logs {theirs} -n globex --tail=0", 0, `^$`},
	{"platform", "top nodes", 0, `(?s)NAME +CPU\(cores\) +CPU\(?%\)? +MEMORY\(bytes\) +MEMORY\(?%\)?.*node1 +\d+m +\d+% +\d+Mi +\d+%.*node2.*node3`},
	{"platform", "top node node2", 0, `node2 +\d+m`},
	{"platform", "top nodes --no-headers --sort-by=memory", 0, `(?s)^node\d +\d+m.*\n$`},
	{"platform", "top pods -A", 0, `(?s)NAMESPACE +NAME.*acme +web-\d.*globex +db-1`},
	{"platform", "api-resources --api-group=metrics.k8s.io", 0, `(?s)nodes +metrics.k8s.io/v1 +false +NodeMetrics.*pods +metrics.k8s.io/v1 +true +PodMetrics`},
	{"platform", "get --raw /api/v1/nodes/node2/proxy/metrics/cadvisor", 0, `container_cpu_usage_seconds_total`},
	{"platform", "get --raw /api/v1/nodes/node2/proxy/configz", 1, `(?i)not.?found|nodes answer for`},
	{"platform", "auth can-i create pods/exec -n acme", 0, `^yes`},

	{"tenant", "get pods", 0, `(?s)NAME +READY +STATUS +RESTARTS +AGE.*web-1-.*web-2-.*web-3-`},
	{"tenant", "get po -o name -l app.kubernetes.io/name=web", 0, `^(pod/web-\d-\S+\n){3}$`},
	{"tenant", "get pods -l app.kubernetes.io/name=nothing", 0, `No resources found in acme namespace`},
	{"tenant", "get pod {near} -o jsonpath={.spec.nodeName}", 0, `^node1$`},
	{"tenant", "get pod {far} -o jsonpath={.status.phase}", 0, `^Running$`},
	{"tenant", "get pod {near} -o yaml", 0, `(?s)kind: Pod.*ownerReferences:.*kind: TenantContainer\n +name: web`},
	{"tenant", "get pods --sort-by=.metadata.name -o custom-columns=N:.metadata.name,C:.spec.containers[*].name", 0, `(?s)N +C.*web-1-\S+ +web`},
	{"tenant", "describe pod {far}", 0, `(?s)Name: +web-\d.*Namespace: +acme.*Node: +node[23].*Containers:.*web:.*State: +Running`},
	{"tenant", "get pod web-9-nothing", 1, `pods "web-9-nothing" not found`},
	{"tenant", "wait --for=condition=Ready pod/{near} --timeout=20s", 0, `condition met`},
	{"tenant", "explain pod.status.phase", 0, `(?s)KIND: +Pod.*FIELD: phase`},
	{"tenant", "run nginx --image=nginx", 1, `(?i)cannot|forbidden|not allowed|method`},
	{"tenant", "get pods -A", 1, `pods is forbidden: User "\S+" cannot list resource "pods" in API group "" at the cluster scope`},
	{"tenant", "get pods -n globex", 1, `forbidden.*in the namespace "globex"`},
	{"tenant", "get nodes", 1, `nodes is forbidden`},
	{"tenant", "logs {near}", 0, ``},
	{"tenant", "logs {far} --tail=1", 0, ``},
	{"tenant", "logs {near} -c web --timestamps --since=1h", 0, ``},
	{"tenant", "logs -l app.kubernetes.io/name=web --prefix --all-containers --tail=5", 0, ``},
	{"tenant", "logs {near} -c side", 1, `container side is not valid for pod web-`},
	{"tenant", "logs {near} --previous", 1, `previous terminated container "web" in pod "web-\S+" not found`},
	{"tenant", "logs web-9-nothing", 1, `pods "web-9-nothing" not found`},
	{"tenant", "logs {theirs} -n globex", 1, `forbidden`},
	{"tenant", "logs {theirs}", 1, `pods "db-\S+" not found`},
	{"tenant", "exec {near} -- /app echo near", 0, `^near\n$`},
	{"tenant", "exec {far} -- /app echo far", 0, `^far\n$`},
	{"tenant", "exec {far} -- /app exit 7", 7, `command terminated with exit code 7`},
	{"tenant", "exec {near} -c web -- /app -check", 0, `200 OK`},
	{"tenant", "exec {theirs} -n globex -- /app echo in", 1, `forbidden`},
	{"tenant", "attach {theirs} -n globex", 1, `forbidden`},
	{"tenant", "port-forward {theirs} -n globex :8080", 1, `forbidden`},
	{"tenant", "top pods", 0, `(?s)NAME +CPU\(cores\) +MEMORY\(bytes\).*web-1-\S+ +\d+m +\d+Mi`},
	{"tenant", "top pods --containers", 0, `(?s)POD +NAME +CPU\(cores\) +MEMORY\(bytes\).*web-1-\S+ +web +\d+m`},
	{"tenant", "top pods --sum --sort-by=cpu -l app.kubernetes.io/name=web", 0, `(?s)web-.*\d+m +\d+Mi\s*$`},
	{"tenant", "top pod {near}", 0, `web-\S+ +\d+m`},
	{"tenant", "top pods -n globex", 1, `forbidden`},
	{"tenant", "top nodes", 1, `forbidden`},
	{"tenant", "get --raw /api/v1/namespaces/acme/pods/{far}:8080/proxy/", 0, `version=v1`},
	{"tenant", "get --raw /api/v1/namespaces/acme/pods/{far}:1/proxy/", 1, `(?i)refused|unable|error trying to reach`},
	{"tenant", "get --raw /api/v1/namespaces/acme/pods/{theirs}:8080/proxy/", 1, `(?i)not.?found`},
	{"tenant", "get --raw /api/v1/namespaces/globex/pods/{theirs}:8080/proxy/", 1, `forbidden`},
	{"tenant", "auth can-i get pods/log", 0, `^yes`},

	{"viewer", "get pods", 0, `web-1-`},
	{"viewer", "logs {near} --tail=1", 0, ``},
	{"viewer", "exec {near} -- /app echo in", 1, `forbidden`},
	{"viewer", "port-forward {near} :8080", 1, `forbidden`},

	{"other", "get pods", 0, `db-1-`},
	{"other", "logs {near} -n acme", 1, `forbidden`},
	{"other", "exec {near} -n acme -- /app echo in", 1, `forbidden`},
}

// TestTour takes kubectl round three nodes with agents, as the platform and as tenants.
func TestTour(t *testing.T) {
	t.Parallel()
	c := prepareCell(t, lab.Options{Nodes: 3, Managers: 1})
	c.server.args, c.server.within = withAgents(t, c.lab), c.lab.Nodes[0]
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	acme, _ := c.declared(t, "acme")
	globex, _ := c.declared(t, "globex")
	acme.create(app("web", "v1", replicas(3)))
	globex.create(app("db", "v1"))
	acme.create(app("streams", "v1", func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname==node2"}}
	}))
	for _, name := range []string{"web", "streams"} {
		acme.ready(name)
	}
	globex.ready("db")

	desks := map[string]*console{
		"platform": acme.platform(), "tenant": acme.console("dev", v1alpha1.RoleDeveloper),
		"viewer": acme.console("auditor", v1alpha1.RoleViewer), "other": globex.console("dev", v1alpha1.RoleDeveloper),
	}
	names := desks["tenant"].places("web")
	fill := strings.NewReplacer("{near}", names["node1"], "{far}", names["node2"], "{theirs}", desks["other"].pod("db", 1))
	await(t, atLast, "two rounds of samples of all nodes and pods", func() error {
		if err := desks["platform"].says("", 0, `(?s)node1 +\d.*node2 +\d.*node3 +\d`, "top", "nodes"); err != nil {
			return err
		}

		return desks["tenant"].says("", 0, `(?s)web-1.*web-2.*web-3`, "top", "pods")
	})

	for i, s := range tour {
		t.Run(fmt.Sprintf("%02d-%s", i+1, s.who), func(t *testing.T) {
			if err := desks[s.who].says("", s.code, s.says, strings.Fields(fill.Replace(s.command))...); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("OwnNode", func(t *testing.T) { desks["tenant"].interactive(t, names["node1"]) })
	streamed := desks["tenant"].pod("streams", 1)
	t.Run("Streams", func(t *testing.T) { desks["tenant"].streams(t, "streams") })
	t.Run("K9s", func(t *testing.T) { desks["tenant"].usesOfK9s(t, names["node1"]) })
	t.Run("Seats", func(t *testing.T) { desks["tenant"].seats(t, desks["platform"], names["node1"]) })
	t.Run("Audit", func(t *testing.T) {
		// Requests name commands and their arguments. What is typed then, and what comes back, is nobody's business.
		desks["tenant"].audited(t, "system:serviceaccount:acme:dev", streamed, typed, "xxxxxxxx")
	})
	t.Run("WithoutAgent", func(t *testing.T) {
		desks["tenant"].withoutAgent(t, desks["platform"], c.lab.Nodes[1], "streams")
	})
}

// places are the names of the pods of a container that has one on each node, by node.
func (d *console) places(container string) map[string]string {
	d.n.t.Helper()
	places := map[string]string{}
	await(d.n.t, soon, "each node has a pod of "+container, func() error {
		said, _ := d.try("", "get", "pods", "-l", "app.kubernetes.io/name="+container, "-o", `jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{"\n"}{end}`)
		clear(places)
		for line := range strings.Lines(said) {
			node, pod, _ := strings.Cut(strings.TrimSpace(line), " ")
			places[node] = pod
		}
		if len(places) != 3 {
			return fmt.Errorf("got %q", said)
		}

		return nil
	})

	return places
}
