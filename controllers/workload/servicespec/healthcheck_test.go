package servicespec_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

func checkOf(t *testing.T, h v1alpha1.HealthCheck, r *v1alpha1.Rollout) (*container.HealthConfig, time.Duration) {
	t.Helper()

	in := inputOf(minimal())
	in.Template.HealthCheck, in.Rollout = &h, r
	spec := build(t, in)

	return spec.TaskTemplate.ContainerSpec.Healthcheck, spec.UpdateConfig.Monitor
}

func exec1(h v1alpha1.HealthCheck) v1alpha1.HealthCheck {
	h.Exec = &v1alpha1.ExecCheck{Command: []v1alpha1.CheckText{"/app", "-check"}}

	return h
}

func TestHealthCheck(t *testing.T) {
	cases := map[string]struct {
		reason string
		check  v1alpha1.HealthCheck
		want   container.HealthConfig
	}{
		"Defaults": {
			reason: "Kubernetes' defaults, but for a timeout that a busy node can keep.",
			check:  exec1(v1alpha1.HealthCheck{}),
			want:   container.HealthConfig{Test: []string{"CMD", "/app", "-check"}, Interval: 10 * time.Second, Timeout: 5 * time.Second, Retries: 3},
		},
		"AllSet": {
			reason: "Each has a field in Swarm.",
			check: exec1(v1alpha1.HealthCheck{
				PeriodSeconds: new(int32(1)), TimeoutSeconds: new(int32(2)), FailureThreshold: new(int32(3)), StartPeriodSeconds: new(int32(4)),
			}),
			want: container.HealthConfig{
				Test: []string{"CMD", "/app", "-check"}, Interval: time.Second, Timeout: 2 * time.Second, Retries: 3, StartPeriod: 4 * time.Second,
			},
		},
		"Disabled": {
			reason: "The only way to turn the image's own check off.",
			check:  v1alpha1.HealthCheck{Disabled: true, PeriodSeconds: new(int32(1))},
			want:   container.HealthConfig{Test: []string{"NONE"}},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := checkOf(t, tc.check, nil)
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMonitor(t *testing.T) {
	cases := map[string]struct {
		reason  string
		check   v1alpha1.HealthCheck
		rollout *v1alpha1.Rollout
		want    time.Duration
	}{
		"UntilUnhealthyIsNoticed": {
			reason: "A task that passes once and then fails is called unhealthy after three checks of 10 s and their timeouts of 5 s.",
			check:  exec1(v1alpha1.HealthCheck{}), want: 45 * time.Second,
		},
		"StartPeriodDoesNotCount": {
			reason: "A running task has passed once, and from then on its start period shields it no longer.",
			check:  exec1(v1alpha1.HealthCheck{StartPeriodSeconds: new(int32(600))}), want: 45 * time.Second,
		},
		"AtLeastSwarmsOwn": {
			reason: "A quick check makes nothing quicker than the default.",
			check:  exec1(v1alpha1.HealthCheck{PeriodSeconds: new(int32(1)), TimeoutSeconds: new(int32(1)), FailureThreshold: new(int32(1))}),
			want:   5 * time.Second,
		},
		"AtMostHalfOfTheDeadline": {
			reason:  "A rollout must be able to end before it counts as failed.",
			check:   exec1(v1alpha1.HealthCheck{PeriodSeconds: new(int32(300))}),
			rollout: &v1alpha1.Rollout{ProgressDeadlineSeconds: new(int32(100))}, want: 50 * time.Second,
		},
		"AtMostWhatCouldBeAskedFor": {
			reason:  "An hour is the most that monitorSeconds takes.",
			check:   exec1(v1alpha1.HealthCheck{PeriodSeconds: new(int32(3600))}),
			rollout: &v1alpha1.Rollout{ProgressDeadlineSeconds: new(int32(86400))}, want: time.Hour,
		},
		"AsDeclared": {
			reason:  "Who says how long gets that long.",
			check:   exec1(v1alpha1.HealthCheck{}),
			rollout: &v1alpha1.Rollout{MonitorSeconds: new(int32(1))}, want: time.Second,
		},
		"DisabledCheck": {
			reason: "No check, nothing to wait for.",
			check:  v1alpha1.HealthCheck{Disabled: true}, want: 5 * time.Second,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, got := checkOf(t, tc.check, tc.rollout); got != tc.want {
				t.Errorf("%s\ngot %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestHealthScriptsChooseATool runs the scripts in a shell where only some tools exist, and those write down how they
// were called.
func TestHealthScriptsChooseATool(t *testing.T) {
	get := v1alpha1.HealthCheck{HTTPGet: &v1alpha1.HTTPCheck{Port: 8080, Path: "/a?b=c&d=e;f"}, TimeoutSeconds: new(int32(7))}
	tcp := v1alpha1.HealthCheck{TCPSocket: &v1alpha1.TCPCheck{Port: 5432}}

	cases := map[string]struct {
		reason string
		check  v1alpha1.HealthCheck
		tools  string
		fail   bool
		called string
		code   int
	}{
		"CurlFirst": {
			reason: "It calls redirects healthy without following them.",
			check:  get, tools: "curl wget", called: "curl -fsS -m 7 -o /dev/null http://127.0.0.1:8080/a?b=c&d=e;f proxy=",
		},
		"CurlFails": {reason: "One is the code for unhealthy; no second tool gets to vote.", check: get, tools: "curl wget", fail: true,
			called: "curl -fsS -m 7 -o /dev/null http://127.0.0.1:8080/a?b=c&d=e;f proxy=", code: 1},
		"Wget":        {reason: "Small images have it.", check: get, tools: "wget", called: "wget -q -T 7 -O /dev/null http://127.0.0.1:8080/a?b=c&d=e;f proxy="},
		"WgetFails":   {reason: "The same.", check: get, tools: "wget", fail: true, called: "wget -q -T 7 -O /dev/null http://127.0.0.1:8080/a?b=c&d=e;f proxy=", code: 1},
		"NoHTTPTool":  {reason: "A check that cannot be made has failed, and says why.", check: get, code: 1},
		"NetcatFirst": {reason: "It is the smaller one.", check: tcp, tools: "nc bash", called: "nc -z -w 5 127.0.0.1 5432 proxy=http://proxyhttp://proxy"},
		"NetcatFails": {reason: "The same.", check: tcp, tools: "nc", fail: true, called: "nc -z -w 5 127.0.0.1 5432 proxy=http://proxyhttp://proxy", code: 1},
		"Bash":        {reason: "It opens connections by itself.", check: tcp, tools: "bash", called: "bash -c exec 3<>/dev/tcp/127.0.0.1/5432 proxy=http://proxyhttp://proxy"},
		"NoTCPTool":   {reason: "The same.", check: tcp, code: 1},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, tool := range strings.Fields(tc.tools) {
				script := "#!/bin/sh\necho \"${0##*/} $* proxy=$http_proxy$HTTP_PROXY\" >> \"$CALLED\"\n"
				if tc.fail {
					script += "exit 22\n"
				}
				if err := os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}

			health, _ := checkOf(t, tc.check, nil)
			called := filepath.Join(dir, "called")
			code, output := runCheck(t, health, "PATH="+dir, "CALLED="+called, "http_proxy=http://proxy", "HTTP_PROXY=http://proxy")
			if code != tc.code {
				t.Errorf("%s\nexit code: got %d, want %d", tc.reason, code, tc.code)
			}
			raw, _ := os.ReadFile(called)
			if got := strings.TrimSpace(string(raw)); got != tc.called {
				t.Errorf("%s\ncalled: got %q, want %q", tc.reason, got, tc.called)
			}
			if tc.tools == "" && !strings.Contains(output, "use exec") {
				t.Errorf("%s\noutput: got %q", tc.reason, output)
			}
		})
	}
}

// runCheck does what the engine does with CMD-SHELL.
func runCheck(t *testing.T, h *container.HealthConfig, env ...string) (code int, output string) {
	t.Helper()

	if len(h.Test) != 2 || h.Test[0] != "CMD-SHELL" {
		t.Fatalf("test: got %q, want a script", h.Test)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", h.Test[1])
	cmd.Env = env
	raw, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}

	return cmd.ProcessState.ExitCode(), string(raw)
}

// only is a PATH with one tool in it.
func only(t *testing.T, tool string) string {
	t.Helper()

	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
		t.Fatal(err)
	}

	return dir
}

func portOf(t *testing.T, s *httptest.Server) int32 {
	t.Helper()

	_, text, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}

	return int32(port)
}

// TestBashOpensTheConnection tries the one tool that every machine of a developer has.
func TestBashOpensTheConnection(t *testing.T) {
	dir := only(t, "bash")
	server := httptest.NewServer(http.NotFoundHandler())
	health, _ := checkOf(t, v1alpha1.HealthCheck{TCPSocket: &v1alpha1.TCPCheck{Port: portOf(t, server)}}, nil)

	if code, output := runCheck(t, health, "PATH="+dir); code != 0 {
		t.Errorf("open port: got exit code %d\n%s", code, output)
	}
	server.Close()
	if code, _ := runCheck(t, health, "PATH="+dir); code != 1 {
		t.Errorf("closed port: got exit code %d, want 1", code)
	}
}

func TestHealthURLIsOneWord(t *testing.T) {
	in := inputOf(minimal())
	in.Template.HealthCheck = &v1alpha1.HealthCheck{HTTPGet: &v1alpha1.HTTPCheck{Port: 80, Path: "/';touch /tmp/x;'"}}
	spec, err := servicespec.Build(in)
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	script := "#!/bin/sh\nfor last; do :; done; printf %s \"$last\" > \"$CALLED\"\n"
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	called := filepath.Join(dir, "called")
	runCheck(t, spec.TaskTemplate.ContainerSpec.Healthcheck, "PATH="+dir, "CALLED="+called)

	raw, _ := os.ReadFile(called)
	if want := "http://127.0.0.1:80/';touch /tmp/x;'"; string(raw) != want {
		t.Errorf("the shell made %q of %q", raw, want)
	}
}
