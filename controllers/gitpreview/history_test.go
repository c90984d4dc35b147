package gitpreview

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// TestHistories plays pushes, deletions, time, restarts, outages, failing writes and people who meddle. Whatever happens: no
// Tenant is touched that is none of ours, there are never more than the plan allows, at rest nothing is written, and when the
// GitPreview is gone all previews are.
func TestHistories(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same histories each time
			foreign := tenant("acme-b")
			w := newWorld(t, foreign)
			w.settle()
			w.get(named("acme-b"), foreign)

			for range 20 {
				w.fail = nil
				w.event(rng)
				w.watch(rng)

				for range 3 {
					w.pass()
					w.tenants()
				}

				w.fail = nil
				w.now = w.now.Add(time.Duration(rng.IntN(15)) * time.Minute)
			}

			// A process that begins anew holds nothing back because of what has failed before.
			w.server.err, w.server.cut = nil, nil
			w.restart()
			w.later(20 * time.Minute)
			w.later(20 * time.Minute)
			w.rests()
			w.ends(foreign)
		})
	}
}

// event is something that happens.
func (w *world) event(rng *rand.Rand) {
	w.t.Helper()

	branch := "refs/heads/" + string(rune('a'+rng.IntN(5)))

	switch rng.IntN(10) {
	case 0, 1, 2, 3:
		w.server.push(branch, fmt.Sprint(1+rng.IntN(50)))
	case 4, 5:
		w.server.push(branch, "")
	case 6:
		w.restart()
	case 7:
		w.server.mu.Lock()
		w.server.err = nil
		if rng.IntN(2) == 0 {
			w.server.err = &source.Error{Reason: source.ReasonTimeout, Message: "too slow", Transient: true}
		}
		w.server.mu.Unlock()
	case 8:
		edit(w, named("small"), &v1alpha1.Plan{}, func(p *v1alpha1.Plan) { p.Spec.Previews.Max = int32(1 + rng.IntN(3)) })
	case 9:
		w.meddle(rng)
	}
}

// meddle is somebody who changes a preview by hand, or deletes it.
func (w *world) meddle(rng *rand.Rand) {
	w.t.Helper()

	names := w.previews()
	if len(names) == 0 {
		return
	}

	var t v1alpha1.Tenant

	w.get(named(names[rng.IntN(len(names))]), &t)

	if !t.DeletionTimestamp.IsZero() {
		return
	}

	switch rng.IntN(3) {
	case 0:
		w.must(client.IgnoreNotFound(w.store.Delete(w.t.Context(), &t)))
	case 1:
		for _, key := range []string{gitopsv1.AnnotationPreviewRef, gitopsv1.AnnotationPreviewSince, gitopsv1.AnnotationPreviewCommit} {
			delete(t.Annotations, key)
		}

		w.must(w.store.Update(w.t.Context(), &t))
	default:
		t.Spec.Members, t.Spec.DeletionPolicy = nil, v1alpha1.DeletionProtect
		w.must(w.store.Update(w.t.Context(), &t))
	}
}

// watch lets some writes fail, and holds each against what must never happen.
func (w *world) watch(rng *rand.Rand) {
	broken := rng.IntN(3) == 0

	w.fail = func(verb string, o client.Object) error {
		t, isTenant := o.(*v1alpha1.Tenant)
		if isTenant && t.Labels[gitopsv1.LabelPreviewUID] != "uid-shop" {
			w.t.Errorf("%s of Tenant %q, which is none of ours", verb, t.Name)
		}

		if isTenant && verb == "create" {
			var p v1alpha1.Plan

			w.get(named("small"), &p)

			if n := len(w.previews()); n >= int(p.Spec.Previews.Max) {
				w.t.Errorf("Tenant %q would be the preview number %d of %d", t.Name, n+1, p.Spec.Previews.Max)
			}
		}

		if broken && rng.IntN(3) == 0 {
			return []error{errBoom, apierrors.NewConflict(schema.GroupResource{Resource: "tenants"}, o.GetName(), errBoom)}[rng.IntN(2)]
		}

		return nil
	}
}

// ends deletes the GitPreview, and demands that what is left is what was there before it.
func (w *world) ends(foreign *v1alpha1.Tenant) {
	w.t.Helper()

	for _, name := range w.previews() {
		if !slices.ContainsFunc(w.status().Status.Previews, func(p gitopsv1.Preview) bool { return p.Tenant == name }) {
			w.t.Errorf("preview %q is not in status: %v", name, w.phases())
		}
	}

	w.must(w.store.Delete(w.t.Context(), &gitopsv1.GitPreview{ObjectMeta: metav1.ObjectMeta{Namespace: shop.Namespace, Name: shop.Name}}))

	for range 5 {
		w.pass()
		w.tenants()
	}

	if got := w.previews(); len(got) > 0 || w.get(shop, &gitopsv1.GitPreview{}) {
		w.t.Errorf("left are %v", got)
	}

	var now v1alpha1.Tenant
	if !w.get(named(foreign.Name), &now) || now.ResourceVersion != foreign.ResourceVersion {
		w.t.Error("the Tenant that is none of ours was changed")
	}
}
