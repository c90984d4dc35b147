package runjob

import (
	"context"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// fieldOwner of what people make by these commands.
	fieldOwner = "dogker-cli"
	// maxName is how long the name of a job is at most, and generated how much the API adds to a name that it completes.
	maxName, generated = 52, 5
)

// Options say what to make.
type Options struct {
	// From is the job whose template is run.
	From types.NamespacedName
	// Name of the job to make; one that begins with that of From when empty.
	Name string
}

// Run makes a job that runs once what another one runs, and says what it is called.
func Run(ctx context.Context, c client.Client, out io.Writer, o Options) error {
	var from v1alpha1.TenantJob
	if err := c.Get(ctx, o.From, &from); err != nil {
		return fmt.Errorf("read job %q: %w", o.From.Name, err)
	}

	made := Once(&from, o.Name)
	if err := c.Create(ctx, made, client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("create job: %w", err)
	}

	fmt.Fprintf(out, "tenantjob.dogker.io/%s runs once what %s runs\n", made.Name, from.Name)

	return nil
}

// Once is a job that runs once, now, what another one runs at its ticks, with the same bounds. It belongs to nobody, so that it stays
// when the other goes.
func Once(from *v1alpha1.TenantJob, name string) *v1alpha1.TenantJob {
	made := &v1alpha1.TenantJob{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: from.Namespace, Name: name, Annotations: map[string]string{v1alpha1.AnnotationJobFrom: from.Name},
		},
		Spec: *from.Spec.DeepCopy(),
	}
	if name == "" {
		made.GenerateName = from.Name[:min(len(from.Name), maxName-generated-1)] + "-"
	}

	// What is about ticks means nothing for one run.
	made.Spec.Schedule, made.Spec.TimeZone, made.Spec.StartingDeadlineSeconds = "", "", nil
	made.Spec.Suspend = false

	return made
}
