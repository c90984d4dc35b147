//go:build conformance

package conformance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// minimal is the least that is a container.
const minimal = `apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: registry.example/shop:1.4
  ports: [{name: http, containerPort: 8080}]
`

// kubectls are the clients that every test of commands runs with.
var kubectls = map[string][]string{
	"Own":      {"kubectl"},
	"Embedded": {"", "kubectl"},
}

// kubectl runs commands in one namespace as administrator.
type kubectl struct {
	t         *testing.T
	server    *server
	namespace string
	command   []string
	env       []string
}

// withKubectls runs the test with each kubectl, each in a namespace of its own.
func withKubectls(t *testing.T, test func(t *testing.T, k *kubectl)) {
	for name, command := range kubectls {
		t.Run(name, func(t *testing.T) {
			test(t, &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: command})
		})
	}
}

// run runs a command, and returns what it printed and its exit code.
func (k *kubectl) run(stdin string, args ...string) (stdout, stderr string, code int) {
	k.t.Helper()
	argv := append([]string{}, k.command...)
	if argv[0] == "" {
		argv[0] = binary
	}
	argv = append(append(argv, args...), "--namespace", k.namespace)

	cmd := exec.CommandContext(k.t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(append(os.Environ(), "KUBECONFIG="+k.server.kubeconfig()), k.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()

	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// do runs a command that must succeed, and returns what it printed.
func (k *kubectl) do(stdin string, args ...string) string {
	k.t.Helper()
	stdout, stderr, code := k.run(stdin, args...)
	if code != 0 {
		k.t.Fatalf("kubectl %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}

	return stdout
}

// field is one field of the container web.
func (k *kubectl) field(path string) string {
	k.t.Helper()
	return k.do("", "get", "tenantcontainer", "web", "-o", "jsonpath={"+path+"}")
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

func TestApply(t *testing.T) {
	for name, flags := range map[string][]string{"ClientSide": nil, "ServerSide": {"--server-side"}} {
		t.Run(name, func(t *testing.T) {
			withKubectls(t, func(t *testing.T, k *kubectl) {
				apply := append([]string{"apply", "-f", "-"}, flags...)
				diff := append([]string{"diff", "-f", "-"}, flags...)

				k.do(minimal, apply...)
				contains(t, "defaults", k.field(".spec.replicas")+k.field(".spec.mode")+k.field(".spec.ports[0].protocol"), "1", "Replicated", "TCP")
				if out, _, code := k.run(minimal, diff...); code != 0 {
					t.Errorf("diff after apply: exit code %d\n%s", code, out)
				}

				before := k.field(".metadata.resourceVersion")
				k.do(minimal, apply...)
				if after := k.field(".metadata.resourceVersion"); after != before {
					t.Errorf("applying the same again moved the resourceVersion from %s to %s", before, after)
				}

				changed := strings.Replace(minimal, "shop:1.4", "shop:1.5", 1)
				if out, _, code := k.run(changed, diff...); code != 1 || !strings.Contains(out, "shop:1.5") {
					t.Errorf("diff of a change: exit code %d\n%s", code, out)
				}
				k.do(changed, apply...)
				if diff := cmp.Diff("registry.example/shop:1.5", k.field(".spec.image")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestDryRun(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		out := k.do(minimal, "apply", "--dry-run=server", "-f", "-", "-o", "yaml")
		contains(t, "dry run", out, "replicas: 1", "dogker.io/swarm")
		if _, _, code := k.run("", "get", "tc", "web"); code == 0 {
			t.Error("a dry run created the object")
		}
	})
}

func TestColumns(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.do(minimal, "apply", "-f", "-")

		contains(t, "get", k.do("", "get", "tc"), "NAME", "READY", "STATUS", "TASKS", "IMAGE", "REVISION", "AGE", "registry.example/shop:1.4")
		contains(t, "get -o wide", k.do("", "get", "tc", "-o", "wide"), "MESSAGE", "SERVICE")
		contains(t, "get by category", k.do("", "get", "dogker"), "tenantcontainer.dogker.io/web")
		contains(t, "get revisions", k.do("", "get", "rev", "--ignore-not-found")+"ok", "ok")
		contains(t, "describe", k.do("", "describe", "tc", "web"), "Name:", "web", "Image:", "registry.example/shop:1.4")
	})
}

func TestScale(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.do(minimal, "apply", "-f", "-")
		k.do("", "scale", "tc", "web", "--replicas", "3", "--current-replicas", "1")
		if got := k.field(".spec.replicas"); got != "3" {
			t.Errorf("replicas are %s, want 3", got)
		}

		_, stderr, code := k.run("", "scale", "tc", "web", "--replicas", "10001")
		if code == 0 {
			t.Error("scaled beyond the limit")
		}
		contains(t, "refusal", stderr, "spec.replicas", "10001", "less than or equal to 10000")

		k.do(`{"spec":{"mode":"Global","replicas":null}}`, "patch", "tc", "web", "--type", "merge", "--patch-file", "/dev/stdin")
		if _, stderr, code = k.run("", "scale", "tc", "web", "--replicas", "2"); code == 0 {
			t.Error("scaled a global container")
		}
		contains(t, "refusal", stderr, "replicas must not be set when mode is Global")
	})
}

func TestPatch(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.do(minimal, "apply", "-f", "-")
		k.do("", "patch", "tc", "web", "--type", "merge", "-p", `{"spec":{"image":"registry.example/shop:2"}}`)
		k.do("", "patch", "tc", "web", "--type", "json", "-p", `[{"op":"add","path":"/spec/ports/-","value":{"containerPort":9090}}]`)
		contains(t, "spec", k.field(".spec"), "registry.example/shop:2", "9090")

		_, stderr, code := k.run("", "patch", "tc", "web", "--type", "merge", "-p", `{"spec":{"replicas":-1}}`)
		if code == 0 {
			t.Error("a patch made a good spec bad")
		}
		contains(t, "refusal", stderr, "spec.replicas", "-1", "greater than or equal to 0")
	})
}

func TestEdit(t *testing.T) {
	editor := filepath.Join(t.TempDir(), "editor")
	script := "#!/bin/sh\nsed -i 's/shop:1.4/shop:1.6/' \"$1\"\n"
	if err := os.WriteFile(editor, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}

	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.env = []string{"KUBE_EDITOR=" + editor}
		k.do(minimal, "apply", "-f", "-")
		k.do("", "edit", "tc", "web")
		if diff := cmp.Diff("registry.example/shop:1.6", k.field(".spec.image")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDelete(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.do(minimal, "apply", "-f", "-")
		k.do("", "delete", "tc", "web", "--wait=false")
		if k.field(".metadata.deletionTimestamp") == "" {
			t.Error("the object vanished before Swarm was asked")
		}

		free(t, k.server, k.namespace, "web")
		await(t, "deletion", func() bool {
			_, _, code := k.run("", "get", "tc", "web")
			return code != 0
		})
	})
}

func TestWait(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		k.do(minimal, "apply", "-f", "-")
		k.do("", "patch", "tc", "web", "--subresource", "status", "--type", "merge", "-p",
			`{"status":{"conditions":[{"type":"Probe","status":"True","reason":"Probed","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`)
		k.do("", "wait", "tc", "web", "--for=condition=Probe", "--timeout=10s")
	})
}

// TestKubeconfigOfDataDir: without any kubeconfig, the embedded kubectl uses the one of the data directory, and never
// one that lies in the caller's home.
func TestKubeconfigOfDataDir(t *testing.T) {
	home := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		env  string
	}{
		"ByFlag":        {args: []string{"--data-dir", shared.dir, "kubectl", "get", "namespaces"}},
		"ByEnvironment": {args: []string{"kubectl", "get", "namespaces"}, env: "DOGKER_DATA_DIR=" + shared.dir},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(binary, tc.args...)
			cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), tc.env}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			contains(t, "namespaces", string(out), "dogker-system")
		})
	}
}

func TestCompletion(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"", "kubectl"}}
	k.do(minimal, "apply", "-f", "-")

	cmd := exec.Command(binary, "__complete", "kubectl", "--namespace", k.namespace, "get", "tc", "w")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+shared.kubeconfig())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "completion", string(out), "web\n")
}
