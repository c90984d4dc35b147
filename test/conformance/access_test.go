//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestSecretsAreEncrypted looks for the content of a Secret in every file that the server has written.
func TestSecretsAreEncrypted(t *testing.T) {
	const content = "correct horse battery staple"
	s := ownServer(t)
	_, err := s.client(t).CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "password"},
		StringData: map[string]string{"password": content},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client(t).CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "canary"},
		Data:       map[string]string{"canary": "a plain canary sings"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.terminate(t)

	if found := filesWith(t, s.dir, "a plain canary sings"); len(found) == 0 {
		t.Fatal("the search does not find what is stored in plain text")
	}
	if found := filesWith(t, s.dir, content); len(found) > 0 {
		t.Errorf("the Secret lies in plain text in %v", found)
	}

	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	secret, err := s.client(t).CoreV1().Secrets("default").Get(t.Context(), "password", metav1.GetOptions{})
	if err != nil || string(secret.Data["password"]) != content {
		t.Errorf("after a restart the Secret reads %q, %v", secret.Data["password"], err)
	}
}

func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return found
}

// TestFilesArePrivate: nothing in the data directory can be read by other users.
func TestFilesArePrivate(t *testing.T) {
	info, err := os.Stat(shared.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("the data directory has mode %o, want 700", got)
	}
	for _, name := range []string{"admin.kubeconfig", "pki/ca.pem", "pki/server.pem", "pki/admin.pem", "pki/service-account.key", "secrets/encryption.yaml", "secrets/digest.key", "audit/audit.log"} {
		info, err := os.Stat(filepath.Join(shared.dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, got)
		}
	}
}

// TestOnlyTheAPIListens: a server that serves all addresses has one port, and its clients find themselves in its
// certificate.
func TestOnlyTheAPIListens(t *testing.T) {
	s, err := newServer(filepath.Join(t.TempDir(), "data"), "--tls-san", "cloud.example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.listen)
	s.listen = "0.0.0.0:" + port
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()

	if got := listeners(t, s.cmd.Process.Pid); len(got) != 1 || !strings.HasSuffix(got[0], ":"+port) {
		t.Errorf("it listens on %v, want port %s only", got, port)
	}

	cfg := s.config(t)
	for _, name := range []string{"localhost", "127.0.0.1", "cloud.example.com"} {
		other := rest.CopyConfig(cfg)
		other.ServerName = name
		client, err := kubernetes.NewForConfig(other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("as %q: %v", name, err)
		}
	}
}

// listeners are the addresses of the TCP sockets on which the process listens, as /proc has them: local address and port
// in hexadecimal are turned into a port.
func listeners(t *testing.T, pid int) []string {
	t.Helper()
	inodes := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(strings.TrimPrefix(target, "socket:"), "[]")] = true
		}
	}

	var found []string
	for _, family := range []string{"tcp", "tcp6"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, family))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			const listening = "0A"
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != listening || !inodes[fields[9]] {
				continue
			}
			address, hex, _ := strings.Cut(fields[1], ":")
			var port int
			if _, err := fmt.Sscanf(hex, "%X", &port); err != nil {
				t.Fatal(err)
			}
			found = append(found, fmt.Sprintf("%s:%d", address, port))
		}
	}

	return found
}

// TestAnonymous: whoever has no credentials learns whether the server is well, and nothing else.
func TestAnonymous(t *testing.T) {
	for path, want := range map[string]int{
		"/readyz":            http.StatusOK,
		"/livez":             http.StatusOK,
		"/version":           http.StatusOK,
		"/metrics":           http.StatusForbidden,
		"/api/v1/namespaces": http.StatusForbidden,
		"/apis/dogker.io/v1alpha1/tenantcontainers": http.StatusForbidden,
		"/debug/pprof/": http.StatusForbidden,
	} {
		if got, err := shared.get(path); err != nil || got != want {
			t.Errorf("GET %s: %d, %v; want %d", path, got, err, want)
		}
	}
}

// TestRoles: a binding to one of Kubernetes' own roles is enough to use our kinds.
func TestRoles(t *testing.T) {
	ns := shared.namespace(t)
	admin := &kubectl{t: t, server: shared, namespace: ns, command: []string{"kubectl"}}
	for _, role := range []string{"view", "edit", "admin"} {
		admin.do("", "create", "serviceaccount", role)
		admin.do("", "create", "rolebinding", role, "--clusterrole", role, "--serviceaccount", ns+":"+role)
	}

	for _, tc := range []struct {
		role, verb, resource string
		want                 bool
	}{
		{"view", "get", "tenantcontainers.dogker.io", true},
		{"view", "watch", "containerrevisions.dogker.io", true},
		{"view", "create", "tenantcontainers.dogker.io", false},
		{"view", "get", "secrets", false},
		{"edit", "create", "tenantcontainers.dogker.io", true},
		{"edit", "patch", "tenantcontainers.dogker.io/scale", true},
		{"edit", "update", "tenantcontainers.dogker.io/status", false},
		{"edit", "create", "containerrevisions.dogker.io", false},
		{"admin", "delete", "tenantcontainers.dogker.io", true},
		{"admin", "patch", "containerrevisions.dogker.io", false},
	} {
		resource, sub, _ := strings.Cut(tc.resource, "/")
		args := []string{"auth", "can-i", tc.verb, resource, "--as", "system:serviceaccount:" + ns + ":" + tc.role}
		if sub != "" {
			args = append(args, "--subresource", sub)
		}
		await(t, fmt.Sprintf("%s may %s %s: %v", tc.role, tc.verb, tc.resource, tc.want), func() bool {
			_, _, code := admin.run("", args...)
			return (code == 0) == tc.want
		})
	}
}

// TestServiceAccountToken: a token lets its bearer do what its roles allow, in its own namespace only, until the account
// is gone.
func TestServiceAccountToken(t *testing.T) {
	ns, foreign := shared.namespace(t), shared.namespace(t)
	client := shared.client(t)
	if _, err := client.CoreV1().ServiceAccounts(ns).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "ci"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RbacV1().RoleBindings(ns).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "ci"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "ci", Namespace: ns}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := client.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), "ci", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	cfg := rest.AnonymousClientConfig(shared.config(t))
	cfg.BearerToken = token.Status.Token
	bearer, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "bearer may create", func() bool {
		_, err := bearer.Resource(containers).Namespace(ns).Create(t.Context(), container("web"), metav1.CreateOptions{})
		return err == nil
	})
	if _, err := bearer.Resource(containers).Namespace(foreign).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("in another namespace the bearer got %v, want forbidden", err)
	}

	if err := client.CoreV1().ServiceAccounts(ns).Delete(t.Context(), "ci", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "token is void", func() bool {
		_, err := bearer.Resource(containers).Namespace(ns).List(t.Context(), metav1.ListOptions{})
		return apierrors.IsUnauthorized(err)
	})
}

// TestAudit: the log says who asked for what, and never what a Secret holds.
func TestAudit(t *testing.T) {
	const content = "audited battery staple"
	ns := shared.namespace(t)
	if _, err := shared.client(t).CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "password"},
		StringData: map[string]string{"password": content},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	raw, err := os.ReadFile(filepath.Join(shared.dir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "audit log", string(raw), `"requestURI":"/api/v1/namespaces/`+ns+`/secrets`, `"username":"dogker:admin"`, `"level":"Metadata"`)
	for _, forbidden := range []string{content, `"requestObject"`, `"responseObject"`} {
		if strings.Contains(string(raw), forbidden) {
			t.Errorf("the audit log holds %q", forbidden)
		}
	}
}

// TestMetrics: one path serves the metrics of Kubernetes' libraries and of our controllers, each family once.
func TestMetrics(t *testing.T) {
	raw, err := shared.client(t).RESTClient().Get().AbsPath("/metrics").DoRaw(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	contains(t, "metrics", string(raw), "apiserver_request_duration_seconds_bucket", "controller_runtime_", "workqueue_depth", "go_goroutines", "etcd_request_duration_seconds")
	for _, family := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if n := strings.Count(string(raw), "# TYPE "+family+" "); n != 1 {
			t.Errorf("%s is served %d times", family, n)
		}
	}
}
