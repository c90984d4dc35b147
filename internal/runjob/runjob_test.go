package runjob

import (
	"bytes"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func nightly(name string) *v1alpha1.TenantJob {
	return &v1alpha1.TenantJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name},
		Spec: v1alpha1.TenantJobSpec{
			Schedule: "30 2 * * *", TimeZone: "Asia/Jakarta", StartingDeadlineSeconds: new(int64(60)), Suspend: true,
			BackoffLimit: new(int32(2)), Template: v1alpha1.JobTemplate{Image: "registry.example/shop:1.4"},
		},
	}
}

func TestRun(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(nightly("nightly")).Build()

	var out bytes.Buffer
	if err := Run(t.Context(), c, &out, Options{From: types.NamespacedName{Namespace: "acme", Name: "nightly"}, Name: "now"}); err != nil {
		t.Fatal(err)
	}
	if want := "tenantjob.dogker.io/now runs once what nightly runs\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}

	var made v1alpha1.TenantJob
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "now"}, &made); err != nil {
		t.Fatal(err)
	}
	switch s := made.Spec; {
	case s.Schedule != "" || s.TimeZone != "" || s.StartingDeadlineSeconds != nil || s.Suspend:
		t.Errorf("it does not run once, now: %+v", s)
	case *s.BackoffLimit != 2 || s.Template.Image != "registry.example/shop:1.4":
		t.Errorf("it runs something else: %+v", s)
	case made.Annotations[v1alpha1.AnnotationJobFrom] != "nightly":
		t.Errorf("it does not say what it was made of: %v", made.Annotations)
	}

	err := Run(t.Context(), c, &out, Options{From: types.NamespacedName{Namespace: "acme", Name: "none"}})
	if err == nil || !strings.Contains(err.Error(), `read job "none"`) {
		t.Errorf("a job that is not there was run: %v", err)
	}
}

// TestGeneratedNamesFit: with what the API adds to a name that it completes, it is no longer than names of jobs may be.
func TestGeneratedNamesFit(t *testing.T) {
	for _, name := range []string{"a", strings.Repeat("a", maxName)} {
		if got := Once(nightly(name), "").GenerateName; len(got)+generated > maxName || !strings.HasPrefix(name, strings.TrimSuffix(got, "-")) {
			t.Errorf("%q becomes %q", name, got)
		}
	}
}
