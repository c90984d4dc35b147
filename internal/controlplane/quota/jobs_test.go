package quota

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestJobsAreChargedWhileTheyMayRun: two tasks at a time of a job are charged until it can have no run any more.
func TestJobsAreChargedWhileTheyMayRun(t *testing.T) {
	run := []v1alpha1.JobRun{{Name: "report-x"}}

	cases := map[string]struct {
		reason string
		change func(*v1alpha1.TenantJob)
		memory string
	}{
		"New":       {"It is about to run.", func(*v1alpha1.TenantJob) {}, "128Mi"},
		"Running":   {"It runs.", func(j *v1alpha1.TenantJob) { j.Status.Active = run }, "128Mi"},
		"Over":      {"It has run, and is kept for its record.", func(j *v1alpha1.TenantJob) { j.Status.History = run }, "0"},
		"Scheduled": {"It will run again.", func(j *v1alpha1.TenantJob) { j.Spec.Schedule, j.Status.History = "@daily", run }, "128Mi"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j := &v1alpha1.TenantJob{}
			j.Spec.Parallelism = new(int32(2))
			j.Spec.Template.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Memory: new(resource.MustParse("64Mi"))}}
			before := j.DeepCopy()
			tc.change(j)

			raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(j)
			if err != nil {
				t.Fatal(err)
			}

			for what, o := range map[string]runtime.Object{"typed": j, "unstructured": &unstructured.Unstructured{Object: raw}} {
				got, err := jobs(nil).Usage(o)
				if err != nil {
					t.Fatal(err)
				}
				if memory := got[v1alpha1.ResourceLimitsMemory]; memory.Cmp(resource.MustParse(tc.memory)) != 0 {
					t.Errorf("%s, %s: %s of memory are charged, want %s", tc.reason, what, &memory, tc.memory)
				}
				if count := got[v1alpha1.ResourceJobs]; count.Value() != 1 {
					t.Errorf("%s, %s: %s jobs are counted", tc.reason, what, &count)
				}
			}

			if changed := Changed(jobsResource, before, j); changed != (tc.memory == "0") {
				t.Errorf("%s: counted anew is %t", tc.reason, changed)
			}
		})
	}
}
