//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// console is somebody with kubectl.
type console struct {
	n          *tenant
	kubeconfig string
	env        []string // Beside that of this process.
}

// platform is whoever has the administrator's kubeconfig.
func (n *tenant) platform() *console { return &console{n: n, kubeconfig: n.server.kubeconfig()} }

// console is a member of the tenant in a role, with a token.
func (n *tenant) console(account string, role v1alpha1.TenantRole) *console {
	n.t.Helper()

	n.caller(account, role)
	asks := &authenticationv1.TokenRequest{}
	robot := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: account}}
	if err := n.api.SubResource("token").Create(n.t.Context(), robot, asks); err != nil {
		n.t.Fatal(err)
	}
	cfg, err := clientcmd.LoadFromFile(n.server.kubeconfig())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, c := range cfg.Contexts {
		c.AuthInfo, c.Namespace = account, n.name
	}
	cfg.AuthInfos = map[string]*clientcmdapi.AuthInfo{account: {Token: asks.Status.Token}}
	d := &console{n: n, kubeconfig: filepath.Join(n.t.TempDir(), account)}
	if err := clientcmd.WriteToFile(*cfg, d.kubeconfig); err != nil {
		n.t.Fatal(err)
	}

	return d
}

// command is kubectl, as the one who sits at it, where the server is reached.
func (d *console) command(args ...string) *exec.Cmd {
	cmd := d.n.server.command(binary, append([]string{"kubectl", "--namespace", d.n.name}, args...)...)
	cmd.Env = append(append(os.Environ(), "KUBECONFIG="+d.kubeconfig, "HOME="+d.n.dir), d.env...)
	cmd.WaitDelay = time.Second

	return cmd
}

// config is how libraries reach the API.
func (d *console) config() *rest.Config {
	d.n.t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", d.kubeconfig)
	if err != nil {
		d.n.t.Fatal(err)
	}
	cfg.Dial = d.n.server.within.Dial

	return cfg
}

// try runs kubectl in the tenant's namespace, unless the arguments say otherwise, and returns all that it said and its code.
func (d *console) try(in string, args ...string) (said string, code int) {
	d.n.t.Helper()
	cmd := d.command(args...)
	cmd.Stdin = strings.NewReader(in)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		d.n.t.Fatal(err)
	}
	defer time.AfterFunc(soon, func() { _ = cmd.Process.Kill() }).Stop()
	_ = cmd.Wait()

	return out.String(), cmd.ProcessState.ExitCode()
}

// says runs kubectl and is an error unless it ends with the code and says something that matches.
func (d *console) says(in string, code int, pattern string, args ...string) error {
	said, got := d.try(in, args...)
	if got != code || !regexp.MustCompile(pattern).MatchString(said) {
		return fmt.Errorf("kubectl %s: code %d, want %d, and %q, want %s", strings.Join(args, " "), got, code, said, pattern)
	}

	return nil
}

// pod is the name of the pod of a container's slot that runs.
func (d *console) pod(container string, slot int) string {
	d.n.t.Helper()
	var name string
	await(d.n.t, soon, "pod of "+container+" runs", func() error {
		said, code := d.try("", "get", "pods", "-l", fmt.Sprintf("app.kubernetes.io/name=%s,dogker.io/slot=%d", container, slot),
			"--field-selector", "status.phase=Running", "-o", "name")
		name = strings.TrimPrefix(strings.TrimSpace(said), "pod/")
		if code != 0 || name == "" || strings.Contains(name, "\n") {
			return fmt.Errorf("code %d: %q", code, said)
		}

		return nil
	})

	return name
}

// follow runs kubectl in the background, and returns what it has said so far and how to end it.
func (d *console) follow(args ...string) (said func() string, end func() int) {
	d.n.t.Helper()
	cmd := d.command(args...)
	var out tee
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		d.n.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	kill := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	d.n.t.Cleanup(kill)

	return out.String, func() int {
		select {
		case <-ended:
		case <-time.After(soon):
			kill()
		}

		return cmd.ProcessState.ExitCode()
	}
}

// tee may be written while it is read.
type tee struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.b.Write(p)
}

func (t *tee) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.b.String()
}

// streams are logs, commands and ports of a container on a node, as a member of its tenant sees them.
func (d *console) streams(t *testing.T, container string) {
	was := *d.n
	was.t = t
	d = &console{n: &was, kubeconfig: d.kubeconfig}
	pod := d.pod(container, 1)

	t.Run("Exec", func(t *testing.T) { d.commands(t, pod) })
	t.Run("Interactive", func(t *testing.T) { d.interactive(t, pod) })
	t.Run("Forward", func(t *testing.T) { d.forward(t, pod) })
	t.Run("Logs", func(t *testing.T) { d.logs(t, container, pod) })
}

func (d *console) commands(t *testing.T, pod string) {
	large := strings.Repeat("0123456789abcdef", 1<<16)
	for _, err := range []error{
		d.says("", 0, `^hello there\n$`, "exec", pod, "--", "/app", "echo", "hello", "there"),
		d.says("", 42, `command terminated with exit code 42`, "exec", pod, "--", "/app", "exit", "42"),
		d.says("", 1, `^no\ncommand terminated with exit code 1`, "exec", pod, "--", "/app", "complain", "no"),
		d.says("one\ntwo\n", 0, `^one\ntwo\n$`, "exec", "-i", pod, "--", "/app", "cat"),
		d.says("", 0, `^$`, "exec", "-i", pod, "--", "/app", "cat"),
		d.says("", 126, `(?s)nope.*no such file`, "exec", pod, "--", "/nope"),
		d.says("", 1, `container side is not valid for pod`, "exec", pod, "-c", "side", "--", "/app"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if said, code := d.try(large, "exec", "-i", pod, "--", "/app", "cat"); code != 0 || said != large {
		t.Errorf("a MiB through cat: code %d, and %d bytes came back, want the same", code, len(said))
	}
}

func (d *console) forward(t *testing.T, pod string) {
	// kubectl listens in the network of the node, where nothing else does.
	const address = "127.0.0.1:18080"
	near := &http.Client{Transport: &http.Transport{DialContext: d.n.server.within.Dial, DisableKeepAlives: true}}
	said, _ := d.follow("port-forward", pod, "18080:8080", "18081:1")

	await(t, soon, "container answers through the forwarded port", func() error {
		resp, err := near.Get("http://" + address + "/")
		if err != nil {
			return fmt.Errorf("%w: %s", err, said())
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if !strings.Contains(string(body), "version=v1") {
			return fmt.Errorf("got %q and %v", body, err)
		}

		return nil
	})

	if resp, err := near.Get("http://127.0.0.1:18081/"); err == nil {
		resp.Body.Close()
		t.Error("something answers on a port that nothing listens on")
	}
	await(t, soon, "kubectl tells that nothing listens", func() error {
		if !strings.Contains(said(), "failed to connect to port 1 of container") {
			return errors.New(said())
		}

		return nil
	})
}

// logs follows a container over the end of its task, which is the end of its pod: the next one is another pod, from which the
// log of the one before can be read.
func (d *console) logs(t *testing.T, container, pod string) {
	if err := d.says("", 0, ``, "exec", pod, "--", "/app", "log", "line one"); err != nil {
		t.Fatal(err)
	}
	said, end := d.follow("logs", "-f", pod)
	for _, line := range []string{"line two", "line three"} {
		if err := d.says("", 0, ``, "exec", pod, "--", "/app", "log", line); err != nil {
			t.Fatal(err)
		}
		await(t, soon, "followed log has "+line, func() error {
			if !strings.Contains(said(), line+"\n") {
				return errors.New(said())
			}

			return nil
		})
	}
	for _, err := range []error{
		d.says("", 0, `^line three\n$`, "logs", pod, "--tail=1"),
		d.says("", 0, `^\d{4}-\d\d-\d\dT[0-9:.]+Z line three\n$`, "logs", pod, "--tail=1", "--timestamps"),
		d.says("", 0, `line one\nline two\nline three\n$`, "logs", pod, "--since=10m"),
		d.says("", 0, `^$`, "logs", pod, "--since-time=2099-01-01T00:00:00Z"),
		d.says("", 0, `(?s)^.{5}$`, "logs", pod, "--limit-bytes=5"),
		d.says("", 0, `\[pod/`+pod+`/`+container+`\] line three\n`, "logs", "-l", "app.kubernetes.io/name="+container, "--prefix", "--all-containers"),
		d.says("", 1, `previous terminated container "`+container+`" in pod "`+pod+`" not found`, "logs", pod, "--previous"),
	} {
		if err != nil {
			t.Error(err)
		}
	}

	left := d.attached(t, pod)
	if err := d.says("", 0, ``, "delete", "pod", pod, "--wait=false"); err != nil {
		t.Fatal(err)
	}
	if code := left(); code != 0 {
		t.Errorf("kubectl attach ended with code %d, want 0 at the end of the container", code)
	}
	if code := end(); code != 0 || !strings.Contains(said(), "line three\n") {
		t.Errorf("kubectl logs -f ended with code %d, want 0 at the end of the container: %s", code, said())
	}
	// The end of a container is heard of here before the swarm tells of it.
	var next string
	await(t, soon, "another pod runs in its place", func() error {
		if next = d.pod(container, 1); next == pod {
			return fmt.Errorf("pod %q is the one that was deleted", next)
		}

		return nil
	})
	if err := d.says("", 0, `line one\nline two\nline three\n`, "logs", next, "--previous"); err != nil {
		t.Error(err)
	}
}

// usesOfK9s are the calls that k9s makes, which cannot be had here.
func (d *console) usesOfK9s(t *testing.T, pod string) {
	cfg := d.config()
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v1/namespaces/" + d.n.name + "/pods":                             `"kind":"Table"`,
		"/apis/metrics.k8s.io/v1beta1":                                         `"kind":"APIResourceList"`,
		"/apis/metrics.k8s.io/v1beta1/namespaces/" + d.n.name + "/pods":        `"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1"`,
		"/apis/metrics.k8s.io/v1/namespaces/" + d.n.name + "/pods":             `"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1"`,
		"/api/v1/namespaces/" + d.n.name + "/pods/" + pod + "/log?tailLines=1": "",
		"/api/v1/namespaces/" + d.n.name + "/pods?watch=true&timeoutSeconds=1": `"type":"ADDED"`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.Host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "/pods") && !strings.Contains(path, "metrics") {
			r.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		cancel()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s: %d %.300s, want %s", path, resp.StatusCode, body, want)
		}
	}
}
