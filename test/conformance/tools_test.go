//go:build conformance

package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tools is where real clients are that were built from their modules: where DOGKER_TOOLS says, or in a directory that is
// filled when the first test asks for one.
var tools = sync.OnceValues(func() (string, error) {
	if named := os.Getenv("DOGKER_TOOLS"); named != "" {
		return filepath.Abs(named)
	}
	dir := filepath.Join(scratch, "tools")
	out, err := exec.Command("go", "build", "-C", "../../hack/tools", "-ldflags", "-s -w", "-o", dir+"/", "tool").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build tools: %w\n%s", err, out)
	}

	return dir, nil
})

// robot is a program that works in one namespace with the token of a ServiceAccount, as CI does. It has no terminal, and
// no home but its own.
type robot struct {
	t          *testing.T
	namespace  string
	kubeconfig string
	home       string
}

// newRobot makes a namespace, and in it a ServiceAccount with a role of tenants.
func newRobot(t *testing.T, role string) *robot {
	t.Helper()
	r := &robot{t: t, namespace: shared.namespace(t), home: t.TempDir()}
	client := shared.client(t)
	if _, err := client.CoreV1().ServiceAccounts(r.namespace).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "deployer"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RbacV1().RoleBindings(r.namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "deployer"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: r.namespace, Name: "deployer"}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	issued, err := client.CoreV1().ServiceAccounts(r.namespace).CreateToken(t.Context(), "deployer", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.kubeconfig = shared.kubeconfigFor(t, r.namespace, issued.Status.Token)
	await(t, "the robot has its rights", func() bool {
		_, _, code := r.try("", "kubectl", "get", "tenantcontainers")

		return code == 0
	})

	return r
}

// kubeconfigFor writes a kubeconfig for the bearer of a token.
func (s *server) kubeconfigFor(t *testing.T, namespace, token string) string {
	t.Helper()
	cfg, err := clientcmd.LoadFromFile(s.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cfg.Contexts {
		c.Namespace = namespace
	}
	for name := range cfg.AuthInfos {
		cfg.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		t.Fatal(err)
	}

	return path
}

// try runs a command: dogker, one of the tools, or whatever is in PATH.
func (r *robot) try(stdin, name string, args ...string) (stdout, stderr string, code int) {
	r.t.Helper()
	cmd := r.command(stdin, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if cmd.ProcessState == nil {
		r.t.Fatalf("%s did not start", name)
	}

	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (r *robot) command(stdin, name string, args ...string) *exec.Cmd {
	r.t.Helper()
	switch name {
	case "dogker":
		name = binary
	case "helm", "kustomize":
		dir, err := tools()
		if err != nil {
			r.t.Fatal(err)
		}
		name = filepath.Join(dir, name)
	}
	cmd := exec.CommandContext(r.t.Context(), name, args...)
	cmd.Env = []string{"HOME=" + r.home, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + r.kubeconfig}
	cmd.Stdin = strings.NewReader(stdin)

	return cmd
}

// run runs a command that must succeed, and returns what it printed.
func (r *robot) run(name string, args ...string) string {
	r.t.Helper()

	return r.pipe("", name, args...)
}

// pipe is run with something on standard input.
func (r *robot) pipe(stdin, name string, args ...string) string {
	r.t.Helper()
	stdout, stderr, code := r.try(stdin, name, args...)
	if code != 0 {
		r.t.Fatalf("%s %s: exit code %d\n%s%s", name, strings.Join(args, " "), code, stdout, stderr)
	}

	return stdout
}

// get is one field of an object.
func (r *robot) get(object, path string) string {
	r.t.Helper()

	return r.run("kubectl", "get", object, "-o", "jsonpath={"+path+"}")
}
