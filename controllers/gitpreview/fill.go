package gitpreview

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/preview"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// errForeign is for an object that is in the way and not ours.
var errForeign = errors.New("there is one that is no copy")

// fill gives a preview what it is to have in its namespace, once that is there: copies first, then the GitSync that needs
// them. What is wrong with one preview is its own trouble, and holds up no other.
func (p *pass) fill(ctx context.Context, t *v1alpha1.Tenant, e preview.Existing) error {
	if t.Status.Namespace == "" || !conditions.IsTrue(t, conditions.Ready) {
		return nil
	}

	copied, err := p.copies(ctx, t, needs(&p.preview.Spec, e.Ref))
	if err == nil && copied {
		err = p.sync(ctx, t, e)
	}

	switch {
	case err == nil, apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return err
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), errors.Is(err, errForeign):
		p.troubles[t.Name] = trouble{gitopsv1.ReasonCopyFailed, err.Error()}

		return nil
	default:
		return err
	}
}

// copies brings the copies in a preview in line with what is copied. It is false when something is missing that is needed.
func (p *pass) copies(ctx context.Context, t *v1alpha1.Tenant, wanted []need) (bool, error) {
	have, err := p.copied(ctx, t)
	if err != nil {
		return false, err
	}

	complete := true

	for _, n := range wanted {
		want, err := p.original(ctx, n)

		switch {
		case apierrors.IsNotFound(err) && n.optional:
			continue
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			p.troubles[t.Name] = trouble{gitopsv1.ReasonSecretNotFound, p.unreadable(err, n.field, n.kind, n.name)}
			complete = false

			// What was copied before stays: it may be in use, and who reads it has read it.
			have = without(have, n)

			continue
		case err != nil:
			return false, fmt.Errorf("read %s %q: %w", n.kind, n.name, err)
		}

		if s, isSecret := want.(*corev1.Secret); isSecret && !copyable(s.Type) {
			p.troubles[t.Name] = trouble{gitopsv1.ReasonCopyFailed, fmt.Sprintf("%s: Secrets of type %s are not copied", n.field, s.Type)}
			complete = false

			continue
		}

		if err := p.place(ctx, t, want); err != nil {
			return false, err
		}

		have = without(have, n)
	}

	for _, o := range have {
		if err := client.IgnoreNotFound(p.cached.Delete(ctx, o, client.Preconditions{UID: new(o.GetUID())})); err != nil {
			return false, fmt.Errorf("remove copy %q: %w", client.ObjectKeyFromObject(o), err)
		}
	}

	return complete, nil
}

// copied are the copies that there are.
func (p *pass) copied(ctx context.Context, t *v1alpha1.Tenant) ([]client.Object, error) {
	var (
		secrets    corev1.SecretList
		configMaps corev1.ConfigMapList
		out        []client.Object
	)

	for _, list := range []client.ObjectList{&secrets, &configMaps} {
		if err := p.cached.List(ctx, list, client.InNamespace(t.Name), client.MatchingLabels{gitopsv1.LabelPreview: p.preview.Name}); err != nil {
			return nil, fmt.Errorf("list copies in %q: %w", t.Name, err)
		}
	}

	for i := range secrets.Items {
		out = append(out, &secrets.Items[i])
	}

	for i := range configMaps.Items {
		out = append(out, &configMaps.Items[i])
	}

	return out, nil
}

func without(list []client.Object, n need) []client.Object {
	return slices.DeleteFunc(list, func(o client.Object) bool {
		_, isSecret := o.(*corev1.Secret)

		return o.GetName() == n.name && isSecret == (n.kind == kindSecret)
	})
}

// copyable is false for Secrets that mean something in their own namespace only.
func copyable(t corev1.SecretType) bool {
	return t != corev1.SecretTypeServiceAccountToken && t != corev1.SecretTypeBootstrapToken && !strings.HasPrefix(string(t), "dogker.io/") &&
		!strings.Contains(string(t), ".dogker.io/")
}

// original is what is copied, with nothing but its content.
func (p *pass) original(ctx context.Context, n need) (client.Object, error) {
	if n.kind == kindConfigMap {
		m, err := p.accounts.ConfigMap(ctx, p.account(), n.name)
		if err != nil {
			return nil, err
		}

		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Data: m.Data, BinaryData: m.BinaryData}, nil
	}

	s, err := p.accounts.Secret(ctx, p.account(), n.name)
	if err != nil {
		return nil, err
	}

	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Type: s.Type, Data: s.Data}, nil
}

// place makes a copy, or brings one in line. What is there and is no copy is left alone.
func (p *pass) place(ctx context.Context, t *v1alpha1.Tenant, want client.Object) error {
	want.SetNamespace(t.Name)
	want.SetLabels(map[string]string{gitopsv1.LabelPreview: p.preview.Name})

	have, ok := want.DeepCopyObject().(client.Object)
	if !ok {
		panic(fmt.Sprintf("gitpreview: %T is no object", want))
	}

	err := p.cached.Get(ctx, client.ObjectKeyFromObject(want), have)
	if apierrors.IsNotFound(err) {
		slogctx.From(ctx).InfoContext(ctx, "Copying into preview", logkey.Object, client.ObjectKeyFromObject(want).String())

		return p.cached.Create(ctx, want, client.FieldOwner(fieldOwner))
	}
	if err != nil {
		return fmt.Errorf("read copy %q: %w", client.ObjectKeyFromObject(want), err)
	}

	if have.GetLabels()[gitopsv1.LabelPreview] != p.preview.Name {
		return fmt.Errorf("copy %q: %w", want.GetName(), errForeign)
	}

	right, ok := have.DeepCopyObject().(client.Object)
	if !ok {
		panic(fmt.Sprintf("gitpreview: %T is no object", have))
	}

	switch right := right.(type) {
	case *corev1.Secret:
		if s, isSecret := want.(*corev1.Secret); isSecret && !same(right.Data, s.Data) {
			right.Data = s.Data
		}
	case *corev1.ConfigMap:
		if m, isMap := want.(*corev1.ConfigMap); isMap && (!same(right.Data, m.Data) || !same(right.BinaryData, m.BinaryData)) {
			right.Data, right.BinaryData = m.Data, m.BinaryData
		}
	}

	return p.patch(ctx, have, right)
}

// same takes nothing and none for the same.
func same[V any](a, b map[string]V) bool {
	return len(a) == 0 && len(b) == 0 || equality.Semantic.DeepEqual(a, b)
}

// lookAtSync finds the GitSync of a preview, of which nothing is to be changed.
func (p *pass) lookAtSync(ctx context.Context, t *v1alpha1.Tenant) error {
	var have gitopsv1.GitSync

	err := p.cached.Get(ctx, client.ObjectKey{Namespace: t.Name, Name: p.preview.Name}, &have)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read GitSync %q of preview %q: %w", p.preview.Name, t.Name, err)
	}

	p.syncs[t.Name] = &have

	return nil
}

// sync makes the GitSync of a preview, or brings it in line.
func (p *pass) sync(ctx context.Context, t *v1alpha1.Tenant, e preview.Existing) error {
	want := p.newSync(t, e)

	var have gitopsv1.GitSync

	err := p.cached.Get(ctx, client.ObjectKeyFromObject(want), &have)
	if apierrors.IsNotFound(err) {
		slogctx.From(ctx).InfoContext(ctx, "Creating GitSync of preview", logkey.Object, client.ObjectKeyFromObject(want).String())

		return p.cached.Create(ctx, want, client.FieldOwner(fieldOwner))
	}
	if err != nil {
		return fmt.Errorf("read GitSync %q: %w", client.ObjectKeyFromObject(want), err)
	}

	p.syncs[t.Name] = &have

	if !have.DeletionTimestamp.IsZero() {
		return nil // It is made again when it is gone.
	}

	right := have.DeepCopy()
	right.Labels = with(right.Labels, want.Labels)

	// Somebody may have asked for a visit by hand; only a new commit is our business.
	if have.Annotations[gitopsv1.AnnotationPreviewCommit] != e.Commit {
		right.Annotations = with(right.Annotations, map[string]string{gitopsv1.AnnotationRequestedAt: e.Commit})
	}

	right.Annotations = with(right.Annotations, map[string]string{
		gitopsv1.AnnotationPreviewHash: want.Annotations[gitopsv1.AnnotationPreviewHash], gitopsv1.AnnotationPreviewCommit: e.Commit,
	})

	// What was written before is compared by its hash, because the API has filled in what it did not say; what somebody has
	// changed by hand shows in what it did say.
	if have.Annotations[gitopsv1.AnnotationPreviewHash] != want.Annotations[gitopsv1.AnnotationPreviewHash] ||
		!equality.Semantic.DeepDerivative(want.Spec, have.Spec) {
		right.Spec = want.Spec
	}

	return p.patch(ctx, &have, right)
}
