package rollout

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/yamltext"
)

// History prints the revisions, oldest first, with a mark at the one that runs.
func (r *Rollout) History(ctx context.Context, now time.Time) error {
	tc, err := r.get(ctx)
	if err != nil {
		return err
	}

	revs, err := r.revisions(ctx)
	if err != nil {
		return err
	}

	w := tabwriter.NewWriter(r.Out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "REVISION\tOUTCOME\tIMAGE\tAGE\tCAUSE")

	for _, v := range revs {
		mark := ""
		if v.Spec.Revision == tc.Status.Revision {
			mark = " *"
		}

		cause := v.Annotations[v1alpha1.AnnotationChangeCause]
		if cause == "" {
			cause = v.Status.Message
		}

		fmt.Fprintf(w, "%d%s\t%s\t%s\t%s\t%s\n", v.Spec.Revision, mark, v.Status.Outcome, v.Spec.Template.Image,
			duration.HumanDuration(now.Sub(v.CreationTimestamp.Time)), cause)
	}

	return w.Flush()
}

// Show prints the template of one revision.
func (r *Rollout) Show(ctx context.Context, revision int64) error {
	text, err := r.template(ctx, revision)
	if err != nil {
		return err
	}

	_, err = fmt.Fprint(r.Out, text)

	return err
}

// Diff prints how two revisions differ, as diff -u does.
func (r *Rollout) Diff(ctx context.Context, from, to int64) error {
	a, err := r.template(ctx, from)
	if err != nil {
		return err
	}

	b, err := r.template(ctx, to)
	if err != nil {
		return err
	}

	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(a), FromFile: fmt.Sprintf("%s revision %d", r.Key.Name, from),
		B: difflib.SplitLines(b), ToFile: fmt.Sprintf("%s revision %d", r.Key.Name, to),
		Context: 3,
	})
	if err != nil {
		return fmt.Errorf("compare revisions: %w", err)
	}

	_, err = fmt.Fprint(r.Out, text)

	return err
}

// template is what a revision holds, as YAML: the template, the image that ran, and the contents by their names in
// Swarm, which change with the content.
func (r *Rollout) template(ctx context.Context, revision int64) (string, error) {
	revs, err := r.revisions(ctx)
	if err != nil {
		return "", err
	}

	for _, v := range revs {
		if v.Spec.Revision != revision {
			continue
		}

		data, err := yamltext.Marshal(map[string]any{
			"template": v.Spec.Template, "resolvedImage": v.Spec.ResolvedImage, "contents": v.Spec.Contents,
		})
		if err != nil {
			return "", fmt.Errorf("encode revision %d: %w", revision, err)
		}

		return string(data), nil
	}

	return "", fmt.Errorf("revision %d is not in the history of %q", revision, r.Key.Name)
}
