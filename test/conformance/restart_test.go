//go:build conformance

package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// container is a TenantContainer of one line.
func container(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "dogker.io/v1alpha1",
		"kind":       "TenantContainer",
		"metadata":   map[string]any{"name": name},
		"spec":       map[string]any{"image": "registry.example/shop:1.4"},
	}}
}

func create(t *testing.T, s *server, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	got, err := s.dynamic(t).Resource(containers).Namespace(namespace).Create(t.Context(), container(name), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	return got
}

// versions are the resourceVersions of all containers and of what bootstrap has made, by name.
func versions(t *testing.T, s *server) map[string]string {
	t.Helper()
	found := map[string]string{}
	list, err := s.dynamic(t).Resource(containers).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		found[item.GetNamespace()+"/"+item.GetName()] = string(item.GetUID()) + " " + item.GetResourceVersion()
	}
	crds := containers
	crds.Group, crds.Version, crds.Resource = "apiextensions.k8s.io", "v1", "customresourcedefinitions"
	if list, err = s.dynamic(t).Resource(crds).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		found[item.GetName()] = item.GetResourceVersion()
	}

	return found
}

// TestRestart: whatever ends a server, the next one on the same data directory holds every object as it was, and writes
// nothing to those that are as they should be.
func TestRestart(t *testing.T) {
	s := ownServer(t)
	for i := range 20 {
		create(t, s, "default", fmt.Sprintf("web-%d", i))
	}
	settle(t, s)
	before := versions(t, s)
	kubeconfig, err := os.Stat(s.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}

	for name, stop := range map[string]func(){
		"Killed":     s.kill,
		"Terminated": func() { s.terminate(t) },
	} {
		t.Run(name, func(t *testing.T) {
			stop()
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, versions(t, s)); diff != "" {
				t.Errorf("objects changed (-before +after):\n%s", diff)
			}
		})
	}

	after, err := os.Stat(s.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(kubeconfig, after) || !after.ModTime().Equal(kubeconfig.ModTime()) {
		t.Error("admin.kubeconfig was written again though nothing in it had to change")
	}
}

// settle waits until the controllers have said what they have to say about objects without an engine.
func settle(t *testing.T, s *server) {
	t.Helper()
	last := versions(t, s)
	quiet := 0
	await(t, "quiet", func() bool {
		time.Sleep(200 * time.Millisecond)
		now := versions(t, s)
		if cmp.Equal(last, now) {
			quiet++
		} else {
			quiet = 0
		}
		last = now
		return quiet >= 10
	})
}

// TestTerminate: SIGTERM ends a server that somebody watches with exit code 0, well within ten seconds.
func TestTerminate(t *testing.T) {
	s := ownServer(t)
	for range 20 {
		w, err := s.dynamic(t).Resource(containers).Watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
	}

	code, took := s.terminate(t)
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, s.logs.String())
	}
	if took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestSecondStart: while a server runs, another on the same data directory is refused in one line that says by whom.
func TestSecondStart(t *testing.T) {
	second, err := newServer(shared.dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := second.command().CombinedOutput()
	var exit *exec.ExitError
	if !asExit(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the second server ended with %v, want exit code 1", err)
	}
	contains(t, "message", string(out), shared.dir, fmt.Sprintf("pid %d", shared.cmd.Process.Pid))
	if lines := strings.Count(strings.TrimSpace(string(out)), "\n"); lines != 0 {
		t.Errorf("the message has more than one line:\n%s", out)
	}
	if code, _ := shared.get("/readyz"); code != 200 {
		t.Errorf("the first server answers %d", code)
	}
}

func asExit(err error, target **exec.ExitError) bool {
	exit, ok := err.(*exec.ExitError)
	*target = exit

	return ok
}

// TestLostStore: a server whose store has vanished does not begin with an empty one, because its controllers would take
// everything that runs for orphans.
func TestLostStore(t *testing.T) {
	s := ownServer(t)
	s.kill()
	if err := os.RemoveAll(filepath.Join(s.dir, "etcd")); err != nil {
		t.Fatal(err)
	}

	out, err := s.command().CombinedOutput()
	if err == nil {
		t.Error("the server started")
	}
	contains(t, "message", string(out), "etcd is empty", "restore a backup")
}

// TestForeignKeys: a store is not served with keys that are not its own.
func TestForeignKeys(t *testing.T) {
	s := ownServer(t)
	s.kill()
	if err := os.RemoveAll(filepath.Join(s.dir, "pki")); err != nil {
		t.Fatal(err)
	}

	out, err := s.command().CombinedOutput()
	if err == nil {
		t.Error("the server started")
	}
	contains(t, "message", string(out), "is not the one in this data directory", "copy the directories pki and secrets")
}

// TestWatchResumes: a watch that comes back after a restart goes on after the last change that it has seen, and misses
// none.
func TestWatchResumes(t *testing.T) {
	s := ownServer(t)
	last := create(t, s, "default", "seen").GetResourceVersion()
	for i := range 5 {
		create(t, s, "default", fmt.Sprintf("missed-%d", i))
	}
	settle(t, s)
	s.kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}

	w, err := s.dynamic(t).Resource(containers).Namespace("default").Watch(t.Context(), metav1.ListOptions{ResourceVersion: last})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	create(t, s, "default", "live")

	got := added(t, w, 6)
	want := []string{"missed-0", "missed-1", "missed-2", "missed-3", "missed-4", "live"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events after the restart (-want +got):\n%s", diff)
	}
}

// added are the names of the next n objects that the watch reports as new.
func added(t *testing.T, w watch.Interface, n int) []string {
	t.Helper()
	var names []string
	timeout := time.After(soon)
	for len(names) < n {
		select {
		case e, open := <-w.ResultChan():
			switch {
			case !open:
				t.Fatalf("the watch ended after %v", names)
			case e.Type == watch.Error:
				t.Fatalf("the watch failed after %v: %v", names, e.Object)
			case e.Type == watch.Added:
				names = append(names, e.Object.(*unstructured.Unstructured).GetName())
			}
		case <-timeout:
			t.Fatalf("the watch stalled after %v", names)
		}
	}

	return names
}

// TestCompaction: a watch from before a compaction is told so with 410, and an informer lists again and misses nothing.
func TestCompaction(t *testing.T) {
	s := ownServer(t)
	first := create(t, s, "default", "first").GetResourceVersion()
	seen := informer(t, s)
	for i := range 5 {
		create(t, s, "default", fmt.Sprintf("later-%d", i))
	}

	s.kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	compact(t, s)

	w, err := s.dynamic(t).Resource(containers).Watch(t.Context(), metav1.ListOptions{ResourceVersion: first})
	if err == nil {
		defer w.Stop()
		e := <-w.ResultChan()
		err = apierrors.FromObject(e.Object)
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("a watch from before the compaction got %v, want 410", err)
	}

	create(t, s, "default", "last")
	await(t, "informer has all", func() bool { return len(seen()) == 7 })
}

// informer keeps a cache of all containers, as every controller does, and returns the names in it.
func informer(t *testing.T, s *server) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	factory := dynamicinformer.NewDynamicSharedInformerFactory(s.dynamic(t), 0)
	i := factory.ForResource(containers).Informer()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
		t.Fatal("the informer did not fill its cache")
	}

	return i.GetStore().ListKeys
}

// compact makes the store forget everything but the present.
func compact(t *testing.T, s *server) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + filepath.Join(s.dir, "etcd", "client.sock")}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	now, err := client.Get(t.Context(), "x", clientv3.WithKeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Compact(t.Context(), now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
}

// TestDeepDataDir: the path of a unix socket is limited, the depth of a data directory is not.
func TestDeepDataDir(t *testing.T) {
	s, err := newServer(filepath.Join(t.TempDir(), strings.Repeat("deep/", 30), "data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()

	if _, err := s.client(t).CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"},
	}, metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
}
