package predeploy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/predeploy"
)

const pinned = "shop@sha256:6d7dcec7f9ba7cf3ea9ba1fbc4fbc3bfcc5d9a6c9b0d5c43e9c2b4a0f7c3f2d1"

func shop() *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{}
	tc.Namespace, tc.Name, tc.UID = "acme", "shop", "5b1e"
	tc.Spec.Image = "shop:2"
	tc.Spec.Args = []v1alpha1.Text{"serve"}
	tc.Spec.Env = []v1alpha1.EnvVar{{Name: "DB", Value: new(v1alpha1.Text("db"))}, {Name: "MODE", Value: new(v1alpha1.Text("serve"))}}
	tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}
	tc.Spec.Rollout = &v1alpha1.Rollout{PreDeploy: &v1alpha1.PreDeploy{
		Args: []v1alpha1.Text{"migrate"}, Env: []v1alpha1.EnvVar{{Name: "MODE", Value: new(v1alpha1.Text("migrate"))}},
	}}

	return tc
}

func TestJob(t *testing.T) {
	tc := shop()
	job := predeploy.Job(tc, &tc.Spec, "hash1", pinned)

	if job.Spec.Template.Image != pinned || !predeploy.Owned(job, tc) || job.Spec.Schedule != "" || *job.Spec.BackoffLimit != 0 || *job.Spec.ActiveDeadlineSeconds != 600 {
		t.Errorf("job %+v", job)
	}
	if diff := cmp.Diff([]v1alpha1.Text{"migrate"}, job.Spec.Template.Args); diff != "" {
		t.Errorf("args (-want +got):\n%s", diff)
	}

	var env []string
	for _, e := range job.Spec.Template.Env {
		env = append(env, e.Name+"="+string(*e.Value))
	}
	if got := strings.Join(env, " "); got != "DB=db MODE=migrate" {
		t.Errorf("env %s", got)
	}
	if len(job.Spec.Template.Volumes) > 0 {
		t.Errorf("the job has the container's volumes, which the old tasks may be writing to")
	}
	if len(tc.Spec.Env) != 2 || *tc.Spec.Env[1].Value != "serve" {
		t.Errorf("the container was changed: %+v", tc.Spec.Env)
	}

	tc.Spec.Rollout.PreDeploy = nil
	if job := predeploy.Job(tc, &tc.Spec, "hash1", pinned); job != nil {
		t.Errorf("nothing is asked for, and %s is to be run", job.Name)
	}
}

// TestNamesTellJobsApart: whatever makes it another thing to try is in the name, and nothing else.
func TestNamesTellJobsApart(t *testing.T) {
	seen := map[string]string{}

	for what, change := range map[string]func(tc *v1alpha1.TenantContainer, hash, image *string){
		"as it is":      func(*v1alpha1.TenantContainer, *string, *string) {},
		"made anew":     func(tc *v1alpha1.TenantContainer, _, _ *string) { tc.UID = "5b1f" },
		"template":      func(_ *v1alpha1.TenantContainer, hash, _ *string) { *hash = "hash2" },
		"image":         func(_ *v1alpha1.TenantContainer, _, image *string) { *image = "shop:2" },
		"other command": func(tc *v1alpha1.TenantContainer, _, _ *string) { tc.Spec.Rollout.PreDeploy.Args[0] = "migrate2" },
		"long name":     func(tc *v1alpha1.TenantContainer, _, _ *string) { tc.Name = strings.Repeat("a-", 30) + "b" },
	} {
		tc, hash, image := shop(), "hash1", pinned
		change(tc, &hash, &image)

		job := predeploy.Job(tc, &tc.Spec, hash, image)
		if other, taken := seen[job.Name]; taken {
			t.Errorf("%s and %s have the same job", what, other)
		}
		seen[job.Name] = what

		if len(job.Name) > 52 || strings.Contains(job.Name, "--pre") {
			t.Errorf("%s: the name %q does not fit", what, job.Name)
		}
		if again := predeploy.Job(tc, &tc.Spec, hash, image); again.Name != job.Name {
			t.Errorf("%s: %s is %s the next time", what, job.Name, again.Name)
		}
	}
}

func TestJudge(t *testing.T) {
	cases := map[string]struct {
		reason string
		set    func(*v1alpha1.TenantJob)
		want   predeploy.Verdict
		says   string
	}{
		"New": {"Nobody has looked at it.", func(*v1alpha1.TenantJob) {}, predeploy.Waiting, "has to succeed first"},
		"Running": {"It says what it is about.", func(j *v1alpha1.TenantJob) {
			conditions.MarkWaiting(j, metav1.ConditionFalse, "Active", "no suitable node")
		}, predeploy.Waiting, "no suitable node"},
		"Passed": {"It has succeeded.", func(j *v1alpha1.TenantJob) { conditions.Set(j, "Complete", metav1.ConditionTrue, "X", "") }, predeploy.Passed, ""},
		"Failed": {"It has not.", func(j *v1alpha1.TenantJob) {
			conditions.Set(j, "Failed", metav1.ConditionTrue, "BackoffLimitExceeded", "exit code 3")
		}, predeploy.Failed, "has failed (BackoffLimitExceeded): exit code 3"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			job := &v1alpha1.TenantJob{}
			tc.set(job)

			verdict, why := predeploy.Judge(job)
			if verdict != tc.want || !strings.Contains(why, tc.says) {
				t.Errorf("%s: %v %q, want %v %q", tc.reason, verdict, why, tc.want, tc.says)
			}
		})
	}
}
