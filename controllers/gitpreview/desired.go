package gitpreview

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/preview"
)

const (
	// maxDisplayName and maxMember are as long as the API lets these be.
	maxDisplayName = 128
	maxMember      = 253
)

// newTenant is the preview of a reference. It gets its port when it is made, and keeps it.
func (p *pass) newTenant(e preview.Existing, port int32) *v1alpha1.Tenant {
	t := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: e.Tenant}}
	if port > 0 {
		t.Spec.PortRange = &v1alpha1.PortRange{From: port, To: port}
	}

	p.shape(t, e)

	return t
}

// shape gives a preview everything that is its tenant's and its reference's. What the platform has added stays.
func (p *pass) shape(t *v1alpha1.Tenant, e preview.Existing) {
	t.Labels = with(t.Labels, map[string]string{
		gitopsv1.LabelPreviewOf: p.preview.Namespace, gitopsv1.LabelPreview: p.preview.Name, gitopsv1.LabelPreviewUID: string(p.preview.UID),
	})
	t.Annotations = with(t.Annotations, map[string]string{
		gitopsv1.AnnotationPreviewRef: e.Ref, gitopsv1.AnnotationPreviewCommit: e.Commit,
		gitopsv1.AnnotationPreviewSince: e.Since.UTC().Format(time.RFC3339),
		// It goes with everything in it: what is worth keeping is not kept in a preview.
		v1alpha1.AnnotationDeleteData: t.Name,
	})
	t.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	t.Spec.DisplayName = displayName(p.preview.Namespace, e.Ref)

	if p.rules != nil {
		t.Spec.PlanName = p.rules.PlanName
	}

	if p.parent != nil {
		t.Spec.Contacts, t.Spec.Members = p.parent.Spec.Contacts, members(p.parent)
		suspend(t, p.parent)
	}
}

// with is a map with all of another.
func with(have, more map[string]string) map[string]string {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]string{}
	}

	maps.Copy(out, more)

	return out
}

func displayName(parent, ref string) string {
	runes := []rune(parent + ": " + strings.TrimPrefix(strings.TrimPrefix(ref, "refs/"), "heads/"))

	return string(runes[:min(len(runes), maxDisplayName)])
}

// members are those of the tenant, as they are called elsewhere: a ServiceAccount of its namespace is a user there.
func members(parent *v1alpha1.Tenant) []v1alpha1.Member {
	var out []v1alpha1.Member

	for _, m := range parent.Spec.Members {
		if m.Kind == v1alpha1.MemberServiceAccount {
			m.Kind, m.Name = v1alpha1.MemberUser, "system:serviceaccount:"+parent.Name+":"+m.Name
		}

		// A name that has no room there is nobody's: better no rights than somebody else's.
		if len(m.Name) > maxMember {
			continue
		}

		same := func(o v1alpha1.Member) bool { return o.Kind == m.Kind && o.Name == m.Name }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Roles = slices.Compact(slices.Sorted(slices.Values(slices.Concat(out[i].Roles, m.Roles))))
		} else {
			out = append(out, m)
		}
	}

	return out
}

// suspend holds the containers of a preview at nothing while those of its tenant are. What a person has said of the preview
// itself stays.
func suspend(t, parent *v1alpha1.Tenant) {
	ourReason := fmt.Sprintf("tenant %q is suspended", parent.Name)
	_, byPerson := parent.Annotations[v1alpha1.AnnotationSuspend]
	_, byBilling := parent.Annotations[v1alpha1.AnnotationBillingSuspend]
	have, suspended := t.Annotations[v1alpha1.AnnotationSuspend]

	switch {
	case (byPerson || byBilling) && !suspended:
		t.Annotations[v1alpha1.AnnotationSuspend] = ourReason
	case !byPerson && !byBilling && have == ourReason:
		delete(t.Annotations, v1alpha1.AnnotationSuspend)
	}
}

// newSync is the GitSync of a preview.
func (p *pass) newSync(t *v1alpha1.Tenant, e preview.Existing) *gitopsv1.GitSync {
	g, template := p.preview, p.preview.Spec.Template

	s := &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: t.Name, Name: g.Name}}
	s.Labels = map[string]string{gitopsv1.LabelPreview: g.Name}
	s.Spec = gitopsv1.GitSyncSpec{
		URL: g.Spec.URL, SecretRef: g.Spec.SecretRef, Ref: refOf(e.Ref), Path: template.Path, Ignore: template.Ignore,
		Verify: template.Verify, Decryption: template.Decryption, Wait: template.Wait, Prune: true,
		Interval: template.Interval, Timeout: template.Timeout, PostBuild: &gitopsv1.PostBuild{},
		// What is not said would be filled in with the same.
		ServiceAccountName: gitopsv1.AccountName, DeletionPolicy: gitopsv1.DeletionMirrorPrune,
	}

	var declared map[string]string
	if b := template.PostBuild; b != nil {
		s.Spec.PostBuild.SubstituteFrom, declared = b.SubstituteFrom, b.Substitute
	}

	s.Spec.PostBuild.Substitute = with(declared, preview.Variables(p.preview.Namespace, e.Ref, portOf(t)))
	s.Annotations = map[string]string{
		gitopsv1.AnnotationPreviewHash: hashOf(s.Spec), gitopsv1.AnnotationPreviewCommit: e.Commit,
		// A new commit is a new value, so that it is fetched as soon as it is seen, and once.
		gitopsv1.AnnotationRequestedAt: e.Commit,
	}

	return s
}

// refOf is a reference as a GitSync names it.
func refOf(ref string) *gitopsv1.GitRef {
	if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return &gitopsv1.GitRef{Branch: branch}
	}

	return &gitopsv1.GitRef{Name: ref}
}

// portOf is the port that is a preview's own; 0 for none.
func portOf(t *v1alpha1.Tenant) int32 {
	if t.Spec.PortRange == nil {
		return 0
	}

	return t.Spec.PortRange.From
}

// hashOf tells whether a spec is the one that was written before.
func hashOf(spec gitopsv1.GitSyncSpec) string {
	// What is text, numbers and maps of text can always be marshalled.
	raw, _ := json.Marshal(spec)
	sum := sha256.Sum256(raw)

	return hex.EncodeToString(sum[:8])
}

// need is an object that previews get a copy of. field is what names it.
type need struct {
	field, kind, name string
	optional          bool
}

// needs are all objects that the preview of a reference gets a copy of, each once, in the order in which the spec names them.
func needs(spec *gitopsv1.GitPreviewSpec, ref string) []need {
	if preview.IsPull(ref) && !(spec.PullRequests != nil && spec.PullRequests.AllowSecrets) {
		return nil
	}

	var out []need

	add := func(n need) {
		same := func(o need) bool { return o.kind == n.kind && o.name == n.name }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].optional = out[i].optional && n.optional
		} else {
			out = append(out, n)
		}
	}
	secret := func(field string, r gitopsv1.SecretReference) {
		add(need{field: field + ".name", kind: kindSecret, name: string(r.Name)})
	}

	if spec.SecretRef != nil {
		secret("spec.secretRef", *spec.SecretRef)
	}

	for i, c := range spec.Copy {
		add(need{field: fmt.Sprintf("spec.copy[%d].name", i), kind: c.Kind, name: string(c.Name)})
	}

	if v := spec.Template.Verify; v != nil {
		secret("spec.template.verify.secretRef", v.SecretRef)
	}

	if d := spec.Template.Decryption; d != nil {
		secret("spec.template.decryption.secretRef", d.SecretRef)
	}

	if b := spec.Template.PostBuild; b != nil {
		for i, from := range b.SubstituteFrom {
			add(need{fmt.Sprintf("spec.template.postBuild.substituteFrom[%d].name", i), cmp.Or(from.Kind, kindSecret), string(from.Name), from.Optional})
		}
	}

	return out
}

// The kinds of what is copied.
const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)
