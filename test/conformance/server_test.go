//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// startTimeout is generous: a machine that runs other tests beside this one is slow.
	startTimeout = time.Minute
	// soon is how long anything may take that the server does by itself.
	soon = 30 * time.Second
)

var containers = v1alpha1.GroupVersion.WithResource("tenantcontainers")

// server is one dogker server and what it needs to be started again.
type server struct {
	dir    string
	listen string
	args   []string
	env    []string // Beside that of the tests.
	cmd    *exec.Cmd
	logs   bytes.Buffer
}

// newServer prepares a server on a port of loopback that was free a moment ago. It keeps the port over restarts, as
// servers do.
func newServer(dir string, args ...string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()

	return &server{dir: dir, listen: l.Addr().String(), args: args}, nil
}

// ownServer is a running server for one test.
func ownServer(t *testing.T, args ...string) *server {
	t.Helper()
	s, err := newServer(filepath.Join(t.TempDir(), "data"), args...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)

	return s
}

func (s *server) command() *exec.Cmd {
	cmd := exec.Command(binary, append([]string{"server", "--data-dir", s.dir, "--listen", s.listen}, s.args...)...)
	// There is no engine there, whatever the machine has.
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix:///no-such-engine.sock", "TMPDIR="+scratch)
	cmd.Env = append(cmd.Env, s.env...)

	return cmd
}

func (s *server) start() error {
	s.cmd = s.command()
	s.cmd.Stdout, s.cmd.Stderr = &s.logs, &s.logs
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start dogker: %w", err)
	}

	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if code, _ := s.get("/readyz"); code == http.StatusOK {
			return nil
		}
		if s.cmd.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
	}
	s.kill()

	return fmt.Errorf("dogker is not ready:\n%s", s.logs.String())
}

// get asks without credentials.
func (s *server) get(path string) (int, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	resp, err := client.Get("https://" + s.listen + path)
	if err != nil {
		return 0, err
	}

	return resp.StatusCode, resp.Body.Close()
}

// kill ends the server as a power cut would. It does nothing to a server that has ended.
func (s *server) kill() {
	if s.cmd != nil && s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// terminate asks the server to stop, and returns its exit code and how long it took.
func (s *server) terminate(t *testing.T) (code int, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}

	return s.cmd.ProcessState.ExitCode(), time.Since(begin)
}

func (s *server) kubeconfig() string { return filepath.Join(s.dir, "admin.kubeconfig") }

func (s *server) config(t *testing.T) *rest.Config {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1

	return cfg
}

func (s *server) client(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(s.config(t))
	if err != nil {
		t.Fatal(err)
	}

	return c
}

func (s *server) dynamic(t *testing.T) *dynamic.DynamicClient {
	t.Helper()
	c, err := dynamic.NewForConfig(s.config(t))
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// namespace makes a namespace for the test, and takes it away with what the test has left in it.
func (s *server) namespace(t *testing.T) string {
	t.Helper()
	client := s.client(t)
	ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "conformance-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.release(t, ns.Name)
			_ = client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
		}
	})

	return ns.Name
}

// release takes the finalizers from what is left in the namespace: without an engine nobody else will.
func (s *server) release(t *testing.T, namespace string) {
	t.Helper()
	api := s.dynamic(t).Resource(containers).Namespace(namespace)
	list, err := api.List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	for _, item := range list.Items {
		_ = api.Delete(context.Background(), item.GetName(), metav1.DeleteOptions{})
		free(t, s, namespace, item.GetName())
	}
}

// free takes the finalizers from an object that is being deleted.
func free(t *testing.T, s *server, namespace, name string) {
	t.Helper()
	_, err := s.dynamic(t).Resource(containers).Namespace(namespace).Patch(context.Background(), name,
		"application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if err != nil && !strings.Contains(err.Error(), "not found") {
		t.Error(err)
	}
}

// await waits until f says that it is so.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	awaitWithin(t, soon, what, f)
}

// awaitWithin is the same for what may take longer, or shorter.
func awaitWithin(t *testing.T, within time.Duration, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within %s", what, within)
}
