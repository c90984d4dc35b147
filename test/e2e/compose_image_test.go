//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// programs are the files that stacks start by a name of their own: entrypoints, and what health checks call without a shell.
var programs = []string{
	"bin/sh", "bin/bash", "bin/curl", "bin/wget", "bin/pg_isready", "bin/redis-cli", "bin/mc", "bin/nginx", "usr/bin/feedling", "healthcheck.sh", "cron.sh",
}

// standinImage is one image for all applications.
type standinImage struct {
	image  v1.Image
	digest string
}

// buildStandin compiles test/e2e/standin and puts it on nothing, under each of the names.
func buildStandin(t *testing.T) *standinImage {
	t.Helper()
	file := filepath.Join(t.TempDir(), "standin")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "./standin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the stand-in: %v\n%s", err, said)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	files, err := standinFiles(program)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	about, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	about = about.DeepCopy()
	about.OS, about.Architecture = "linux", "amd64"
	about.Config.Entrypoint, about.Config.Env = []string{"/standin"}, []string{"PATH=/bin"}
	if img, err = mutate.ConfigFile(img, about); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}

	return &standinImage{img, digest.String()}
}

func standinFiles(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	headers := []*tar.Header{
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, {Name: "standin", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(program))},
	}
	for _, name := range programs {
		headers = append(headers, &tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: "/standin"})
	}
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if h.Size > 0 {
			if _, err := w.Write(program); err != nil {
				return nil, err
			}
		}
	}

	return out.Bytes(), w.Close()
}

// runIn runs the program under test in a folder, with these variables and no others.
func runIn(dir string, environ []string, args ...string) (stdout, stderr string, err error) {
	var out, said strings.Builder
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(environ, "HOME=/nonexistent"), &out, &said
	err = cmd.Run()

	return out.String(), said.String(), err
}

// developer makes a service account a developer of the tenant, and returns a kubeconfig of its.
func (n *tenant) developer(account string) string {
	n.t.Helper()
	n.caller(account)
	asks := &authenticationv1.TokenRequest{}
	robot := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: account}}
	if err := n.api.SubResource("token").Create(n.t.Context(), robot, asks); err != nil {
		n.t.Fatal(err)
	}
	admin, err := n.server.config()
	if err != nil {
		n.t.Fatal(err)
	}

	file := filepath.Join(n.t.TempDir(), "kubeconfig")
	err = clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: admin.Host, CertificateAuthority: admin.CAFile, CertificateAuthorityData: admin.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{account: {Token: asks.Status.Token}},
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: account, Namespace: n.name}},
		CurrentContext: "c",
	}, file)
	if err != nil {
		n.t.Fatal(err)
	}

	return file
}
