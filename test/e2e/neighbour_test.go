//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

const (
	// pidsOfPlan is what a Plan gives a container that does not say how many processes it needs.
	pidsOfPlan = 256
	// configMapsOfPlan are what the noisy tenant may have, with the one that Kubernetes puts into every namespace.
	configMapsOfPlan = 30
	// floodClients call the API at the same time, and floodTime is how long.
	floodClients = 64
	floodTime    = 10 * time.Second
)

// TestNoisyNeighbour: one tenant does its worst, in its containers and at the API. It is held by its own limits, and the
// other one's containers, calls and rollouts go on. How fast is what the benchmark of that name measures.
func TestNoisyNeighbour(t *testing.T) {
	c := newCell(t, lab.Options{Versions: []string{"v1"}})
	if err := c.api.Create(t.Context(), &v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "e2e"},
		Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{
			Containers: new(int64(20)), Replicas: new(int64(40)), ConfigMaps: new(int64(configMapsOfPlan)),
		}},
	}); err != nil {
		t.Fatal(err)
	}
	noisy, _ := c.declared(t, "noisy")
	quiet, _ := c.declared(t, "quiet")

	noisy.run(app("good", "v1"))
	quiet.run(app("web", "v1", replicas(2)))
	good, web := noisy.taskIDs("good"), quiet.taskIDs("web")

	noisy.create(app("bomb", "v1", env("APP_FORK_BOMB", "true"), little))
	noisy.create(app("hog", "v1", env("APP_EAT", "1024"), little))
	noisy.create(app("writer", "v1", env("APP_WRITE_DISK", "16"), little))

	noisy.wantBombHeld("bomb")
	noisy.wantKilledForMemory("hog")
	noisy.ready("writer")
	noisy.wantObjectsRefused()
	noisy.annotate(v1alpha1.AnnotationDeleteData, noisy.name)
	wantFloodQueued(t, noisy, quiet)

	quiet.run(app("late", "v1"))
	if now := quiet.taskIDs("web"); !maps.Equal(now, web) {
		t.Errorf("tasks of the quiet tenant: %v before, %v after", web, now)
	}
	if now := noisy.taskIDs("good"); !maps.Equal(now, good) {
		t.Errorf("tasks of the noisy tenant's other container: %v before, %v after", good, now)
	}
	if err := says(quiet.get("web"), conditions.Ready, metav1.ConditionTrue, ""); err != nil {
		t.Errorf("the quiet tenant's container: %v", err)
	}
}

// little gives a container a part of a CPU, so that the test itself gets one.
func little(tc *v1alpha1.TenantContainer) {
	tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{
		CPU: new(resource.MustParse("200m")), Memory: new(resource.MustParse("128Mi")),
	}}
}

// wantBombHeld waits until the container has all the processes that it may have, and has been refused more.
func (n *tenant) wantBombHeld(name string) {
	n.t.Helper()

	n.ready(name)
	group, err := pidsGroup(n.process(name))
	if err != nil {
		n.t.Fatal(err)
	}
	await(n.t, soon, "the fork bomb meets its limit", func() error {
		most, err1 := numberIn(filepath.Join(group, "pids.max"))
		now, err2 := numberIn(filepath.Join(group, "pids.current"))
		refused, err3 := numberIn(filepath.Join(group, "pids.events"))
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		if most != pidsOfPlan || now != pidsOfPlan || refused == 0 {
			return fmt.Errorf("%d processes of at most %d, %d refused", now, most, refused)
		}

		return nil
	})
}

// pidsGroup is the directory of the cgroup that counts the processes of a process' container.
func pidsGroup(pid int) (string, error) {
	const root = "/sys/fs/cgroup"
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		// HIERARCHY:CONTROLLERS:PATH, and with cgroup v2 no controllers.
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) == 3 && fields[1] == "pids":
			return filepath.Join(root, "pids", fields[2]), nil
		case len(fields) == 3 && fields[0] == "0" && fields[1] == "" && exists(filepath.Join(root, fields[2], "pids.max")):
			return filepath.Join(root, fields[2]), nil
		}
	}

	return "", fmt.Errorf("process %d is in no cgroup that counts processes:\n%s", pid, content)
}

func exists(path string) bool {
	_, err := os.Stat(path)

	return err == nil
}

// numberIn reads the last number of a file.
func numberIn(file string) (int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(content))
	if len(fields) == 0 {
		return 0, fmt.Errorf("%s is empty", file)
	}

	return strconv.Atoi(fields[len(fields)-1])
}

// wantKilledForMemory waits until a task of the container was killed, as the kernel kills what is beyond its limit.
func (n *tenant) wantKilledForMemory(name string) {
	n.t.Helper()

	const killed = 128 + 9
	await(n.t, atLast, "the memory hog is killed", func() error {
		tasks, err := n.tasks(name)
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if s := task.Status; s.State == swarm.TaskStateFailed && s.ContainerStatus != nil && s.ContainerStatus.ExitCode == killed {
				return nil
			}
		}

		return fmt.Errorf("no task of %d was", len(tasks))
	})
}

// wantObjectsRefused lets a member make far more objects than the quota allows. No more than that are ever there.
func (n *tenant) wantObjectsRefused() {
	n.t.Helper()

	attempts := 1000
	if long() {
		attempts = 10_000
	}
	robot := n.caller("hoarder")

	var next, taken, refused atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(attempts); i = next.Add(1) {
				got, err := robot.ask(n.t.Context(), http.MethodPost, configMapsOf(n.name), fmt.Sprintf(`{"metadata":{"name":"object-%d"}}`, i))
				switch {
				case err != nil:
					n.t.Errorf("object %d: %v", i, err)
				case got.code == http.StatusCreated:
					taken.Add(1)
				case got.code == http.StatusForbidden && strings.Contains(got.body, "exceeded quota"):
					refused.Add(1)
				default:
					n.t.Errorf("object %d: %d: %s", i, got.code, got.body)
				}
			}
		})
	}
	wg.Wait()
	n.t.Logf("of %d objects %d were taken and %d refused", attempts, taken.Load(), refused.Load())

	var list corev1.ConfigMapList
	if err := n.api.List(n.t.Context(), &list, client.InNamespace(n.name)); err != nil {
		n.t.Fatal(err)
	}
	if taken.Load() != configMapsOfPlan-1 || len(list.Items) != configMapsOfPlan {
		n.t.Errorf("%d objects were taken and %d are there: the quota is %d, with the one that was there", taken.Load(), len(list.Items), configMapsOfPlan)
	}
}

// wantFloodQueued lets 64 clients of one tenant call the API without a pause, by tokens of several accounts. They wait in
// that tenant's own queue, and every call of the other one is answered at the first attempt.
func wantFloodQueued(t *testing.T, noisy, quiet *tenant) {
	t.Helper()

	cfg, err := noisy.server.config()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := admin.FlowcontrolV1().FlowSchemas().Get(t.Context(), "dogker-tenants", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	robots := []*caller{noisy.caller("first"), noisy.caller("second")}
	calm := quiet.caller("calm")

	f := startFlood(t.Context(), noisy, quiet, robots)
	queued := ""
	for begin, i := time.Now(), 0; time.Since(begin) < floodTime; i++ {
		got, err := calm.must(t.Context(), http.MethodGet, containersOf(quiet.name)+"/web", "")
		if err == nil && i%2 == 1 {
			got, err = calm.must(t.Context(), http.MethodPatch, containersOf(quiet.name)+"/web", fmt.Sprintf(`{"metadata":{"annotations":{"asked":"%d"}}}`, i))
		}
		if err != nil {
			t.Errorf("a call of the quiet tenant: %v", err)
		} else if uid := got.header.Get(flowcontrolv1.ResponseHeaderMatchedFlowSchemaUID); uid != string(schema.UID) {
			t.Fatalf("a call of the quiet tenant has flow schema %q, want %q", uid, schema.UID)
		}
		if queued == "" {
			queued = waiting(t, admin, "dogker:tenant:noisy")
		}
		time.Sleep(20 * time.Millisecond)
	}
	answers := f.end()

	t.Logf("answers to the flood: %v; one that waited: %s", answers, queued)
	if queued == "" && answers[http.StatusTooManyRequests] == 0 {
		t.Errorf("no call of the flood had to wait or was refused: %v", answers)
	}
}

// waiting is a request of that flow which is in a queue now; empty when there is none. It fails the test when an account
// of the tenant is a flow of its own.
func waiting(t *testing.T, admin kubernetes.Interface, flow string) string {
	t.Helper()

	dump, err := admin.Discovery().RESTClient().Get().AbsPath("/debug/api_priority_and_fairness/dump_requests").Do(t.Context()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(dump)) {
		if strings.Contains(line, "system:serviceaccount:noisy:") {
			t.Errorf("an account of a tenant is a flow of its own: %s", line)
		}
		// The fourth column is the place in the queue, and -1 for a request that is being served.
		columns := strings.Fields(strings.ReplaceAll(line, ",", " "))
		if len(columns) > 4 && columns[4] == flow && columns[3] != "-1" {
			return strings.Join(columns, " ")
		}
	}

	return ""
}

// callFlood is a flood of calls while it lasts.
type callFlood struct {
	stop    func()
	mu      sync.Mutex
	answers map[int]int
}

func startFlood(ctx context.Context, noisy, quiet *tenant, robots []*caller) *callFlood {
	ctx, cancel := context.WithCancel(ctx)
	f := &callFlood{answers: map[int]int{}}

	var wg sync.WaitGroup
	f.stop = func() { cancel(); wg.Wait() }
	for i := range floodClients {
		robot := robots[i%len(robots)]
		wg.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				got, err := answer{}, error(nil)
				switch n % 4 {
				case 0:
					got, err = robot.ask(ctx, http.MethodPost, configMapsOf(noisy.name), fmt.Sprintf(`{"metadata":{"name":"more-%d-%d"}}`, i, n))
				case 1:
					got, err = robot.ask(ctx, http.MethodGet, containersOf(quiet.name), "")
				case 2:
					got, err = robot.ask(ctx, http.MethodPatch, containersOf(noisy.name)+"/good", fmt.Sprintf(`{"metadata":{"annotations":{"n":"%d"}}}`, n))
				default:
					got, err = robot.ask(ctx, http.MethodGet, containersOf(noisy.name), "")
				}
				if err == nil {
					f.mu.Lock()
					f.answers[got.code]++
					f.mu.Unlock()
				}
			}
		})
	}

	return f
}

// end ends the flood and returns how often it got which answer.
func (f *callFlood) end() map[int]int {
	f.stop()

	return f.answers
}
