//go:build conformance

package conformance

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	engine "github.com/dogker/dogker/internal/fake/swarm/wire"
)

// quick is a swarm that takes its time for nothing.
var quick = fake.Latency{
	Orchestrate: time.Millisecond, Schedule: time.Millisecond, Dispatch: time.Millisecond,
	Prepare: time.Millisecond, Start: time.Millisecond, Stop: time.Millisecond,
}

// swarmServer is a running server with a swarm in memory.
func swarmServer(t *testing.T) (*server, *fake.Cluster) {
	t.Helper()
	cluster := fake.NewCluster(fake.Options{Nodes: []string{"node-1", "node-2", "node-3"}, Latency: quick})
	cluster.AddImage(fake.Image{Ref: "dogker.test/app:v1", ID: "sha256:" + strings.Repeat("1", 64)})
	cluster.AddImage(fake.Image{Ref: "dogker.test/app:ends", ID: "sha256:" + strings.Repeat("2", 64), Behaviour: fake.Behaviour{Exits: true, ExitCode: 3}})
	docker := httptest.NewServer(engine.Handler(cluster.Client(fake.ClientOptions{})))
	t.Cleanup(docker.CloseClientConnections)

	s, err := newServer(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	s.env = []string{"DOCKER_HOST=" + strings.Replace(docker.URL, "http", "tcp", 1)}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)

	return s, cluster
}

// shop is a container with a variable out of a Secret.
const shop = `apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: not-for-everybody}
---
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: dogker.test/app:v1
  imagePullPolicy: Never
  replicas: 3
  labels: {team: shop}
  ports: [{name: http, containerPort: 8080}]
  env:
  - {name: GREETING, value: hello}
  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: key, key: password}}}
`

// viewers lets ada look into a namespace, as the tenant controller does.
const viewers = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: viewers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dogker-tenant-viewer}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ada}]
`

// TestPods is a tour of what people do with pods and nodes in kubectl.
func TestPods(t *testing.T) {
	s, cluster := swarmServer(t)
	k := &kubectl{t: t, server: s, namespace: s.namespace(t), command: []string{"kubectl"}}
	far := &kubectl{t: t, server: s, namespace: s.namespace(t), command: []string{"kubectl"}}
	for _, k := range []*kubectl{k, far} {
		k.do(shop, "apply", "-f", "-")
		k.do("", "wait", "--for=condition=Ready", "tc/web", "--timeout=30s")
		k.do("", "wait", "--for=condition=Ready", "pod", "-l", "dogker.io/container=web", "--timeout=30s")
	}
	k.do(viewers, "apply", "-f", "-")
	one := strings.TrimPrefix(strings.Fields(k.do("", "get", "pods", "-o", "name"))[0], "pod/")

	t.Run("Columns", func(t *testing.T) {
		lines := strings.Split(strings.TrimSpace(k.do("", "get", "pods")), "\n")
		if len(lines) != 4 || strings.Join(strings.Fields(lines[0]), " ") != "NAME READY STATUS RESTARTS AGE" {
			t.Fatalf("get pods:\n%s", strings.Join(lines, "\n"))
		}
		for _, line := range lines[1:] {
			if f := strings.Fields(line); f[1] != "1/1" || f[2] != "Running" || f[3] != "0" {
				t.Errorf("a pod that runs is shown as %q", line)
			}
		}
		contains(t, "get pods -o wide", k.do("", "get", "pods", "-o", "wide"), "node-1", "node-2", "node-3")
		contains(t, "get nodes", k.do("", "get", "nodes"), "node-1", "control-plane", "worker", "Ready")
		contains(t, "get nodes -o wide", k.do("", "get", "nodes", "-o", "wide"), "docker://20.10.24")
		contains(t, "explain pods", k.do("", "explain", "pods.spec.containers"), "KIND:       Pod")
		contains(t, "api-resources", k.do("", "api-resources", "--api-group="), "pods", "po", "nodes", "no")
	})

	t.Run("Describe", func(t *testing.T) {
		contains(t, "describe pod", k.do("", "describe", "pod", one), "Node:", "team=shop", "Controlled By:  TenantContainer/web", "8080/TCP", "GREETING:  hello",
			"<set to the key 'password' in secret 'key'>", "Ready          ", "docker://")
		contains(t, "describe node", k.do("", "describe", "node", "node-1"), "Non-terminated Pods:", "web-", "control-plane")
	})

	t.Run("SecretsStaySecret", func(t *testing.T) {
		for _, format := range []string{"yaml", "json"} {
			if out := k.do("", "get", "pods", "-o", format); strings.Contains(out, "not-for-everybody") {
				t.Errorf("a pod shows the content of a Secret:\n%s", out)
			}
		}
	})

	t.Run("Selectors", func(t *testing.T) {
		for selector, want := range map[string]int{
			"-l team=shop": 3, "-l team!=shop": 0, "-l dogker.io/slot=1": 1, "-l dogker.io/slot in (1,2)": 2,
			"--field-selector status.phase=Running": 3, "--field-selector status.phase!=Running": 0,
			"--field-selector metadata.name=" + one: 1, "--field-selector metadata.namespace=" + far.namespace: 0,
			"--field-selector spec.nodeName=node-1,status.phase=Running": 1, "--chunk-size 1": 3,
		} {
			flag, value, _ := strings.Cut(selector, " ")
			if got := len(strings.Fields(k.do("", "get", "pods", "-o", "name", flag, value))); got != want {
				t.Errorf("get pods %s: %d pods, want %d", selector, got, want)
			}
		}
		if _, stderr, code := k.run("", "get", "pods", "--field-selector", "spec.image=x"); code == 0 || !strings.Contains(stderr, "spec.image") {
			t.Errorf("an unknown field: exit code %d\n%s", code, stderr)
		}
		if got := k.do("", "get", "pods", "-o", "jsonpath={.items[*].status.phase}"); got != "Running Running Running" {
			t.Errorf("jsonpath: %q", got)
		}
	})

	t.Run("Writes", func(t *testing.T) {
		for _, tc := range []struct{ words, want string }{
			{"run x --image=x", "change the TenantContainer"},
			{"label pod " + one + " a=b", "change the TenantContainer"},
			{"cordon node-1", "docker node update"},
			{"delete node node-1", "docker node update"},
		} {
			if _, stderr, _ := k.run("", strings.Fields(tc.words)...); !strings.Contains(stderr, tc.want) {
				t.Errorf("kubectl %s: want a refusal that says %q\n%s", tc.words, tc.want, stderr)
			}
		}
	})

	t.Run("Tenants", func(t *testing.T) {
		contains(t, "get pods as a viewer", k.do("", "get", "pods", "--as", "ada"), one)
		for _, words := range []string{"get pods -A", "get nodes", "get pods -w -A", "delete pod " + one, "get --raw /api/v1/namespaces/" + far.namespace + "/pods",
			"get --raw /api/v1/pods?fieldSelector=metadata.namespace=" + k.namespace, "get --raw /api/v1/watch/namespaces/" + far.namespace + "/pods",
			"get --raw /api/v1/nodes/node-1"} {
			if out, stderr, code := k.run("", append(strings.Fields(words), "--as", "ada")...); code == 0 || !strings.Contains(stderr, "orbidden") {
				t.Errorf("%s as a viewer of another namespace: exit code %d\n%s%s", words, code, out, stderr)
			}
		}
		out := k.do("", "get", "--raw", "/api/v1/namespaces/"+k.namespace+"/pods?fieldSelector=metadata.namespace="+far.namespace, "--as", "ada")
		if strings.Contains(out, far.namespace+`"`) {
			t.Errorf("a selector leads into another namespace:\n%s", out)
		}
	})

	t.Run("Ends", func(t *testing.T) {
		k.do(strings.NewReplacer("name: web", "name: bad", "app:v1", "app:ends").Replace(shop), "apply", "-f", "-")
		await(t, "a failed container is shown", func() bool {
			out := k.do("", "get", "pods", "-l", "dogker.io/container=bad")
			return strings.Contains(out, "CrashLoopBackOff") || strings.Contains(out, "Error")
		})
		k.do("", "delete", "tc", "bad", "--timeout=30s")
		k.do("", "wait", "--for=delete", "pod", "-l", "dogker.io/container=bad", "--timeout=30s")
	})

	t.Run("NodeLost", func(t *testing.T) {
		cluster.CutNode("node-3")
		k.do("", "wait", "--for=condition=Ready=false", "node/node-3", "--timeout=60s")
		cluster.HealNode("node-3")
		k.do("", "wait", "--for=condition=Ready", "node/node-3", "--timeout=60s")
	})

	t.Run("NamespacesEnd", func(t *testing.T) {
		far.do("", "delete", "tc", "web", "--timeout=30s")
		far.do("", "delete", "namespace", far.namespace, "--timeout=30s")
	})
}

// TestPodInformers: informers see what is there, over changes and a restart of the server.
func TestPodInformers(t *testing.T) {
	s, _ := swarmServer(t)
	k := &kubectl{t: t, server: s, namespace: s.namespace(t), command: []string{"kubectl"}}
	factory := informers.NewSharedInformerFactory(s.client(t), 0)
	pods := factory.Core().V1().Pods()
	informer := pods.Informer()
	if err := informer.SetWatchErrorHandler(func(*cache.Reflector, error) {}); err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	if !cache.WaitForCacheSync(t.Context().Done(), informer.HasSynced) {
		t.Fatal("the informer does not sync")
	}
	same := func(want int) {
		t.Helper()
		await(t, fmt.Sprintf("the informer has %d pods, as they are", want), func() bool {
			list, err := s.client(t).CoreV1().Pods(k.namespace).List(t.Context(), metav1.ListOptions{})
			if err != nil || len(list.Items) != want {
				return false
			}
			for _, p := range list.Items {
				got, known, _ := informer.GetStore().GetByKey(k.namespace + "/" + p.Name)
				if !known || got.(*corev1.Pod).ResourceVersion != p.ResourceVersion {
					return false
				}
			}

			return len(informer.GetStore().List()) == want
		})
	}

	k.do(shop, "apply", "-f", "-")
	same(3)
	k.do("", "scale", "tc/web", "--replicas=40")
	same(40)
	k.do("", "scale", "tc/web", "--replicas=5")
	same(5)

	if code, _ := s.terminate(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	same(5)
	k.do("", "scale", "tc/web", "--replicas=12")
	same(12)
	k.do("", "delete", "tc", "web", "--timeout=30s")
	same(0)
}
