package gitpreview

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/preview"
)

// maxMessage is how much of what a preview says is shown: a hundred of them are in one status.
const maxMessage = 256

// underWay are the reasons for which a GitSync is not ready and has not failed.
var underWay = []string{gitopsv1.ReasonProgressing, gitopsv1.ReasonDependencyNotReady, gitopsv1.ReasonSuspended}

// phase is how a preview stands: as what it lacks, as its Tenant, or as its GitSync.
func (p *pass) phase(t *v1alpha1.Tenant, e preview.Existing) (phase gitopsv1.PreviewPhase, reason, message string) {
	if e.Deleting {
		return gitopsv1.PreviewDeleting, "", short(deletionOf(t))
	}

	if trouble, has := p.troubles[t.Name]; has {
		return gitopsv1.PreviewFailed, trouble.reason, short(trouble.message)
	}

	if ready := conditions.Get(t, conditions.Ready); ready == nil || ready.Status != metav1.ConditionTrue {
		if ready == nil {
			return gitopsv1.PreviewProgressing, "", ""
		}

		return gitopsv1.PreviewProgressing, ready.Reason, short(ready.Message)
	}

	return phaseOf(p.syncs[t.Name])
}

// phaseOf is how the GitSync of a preview stands.
func phaseOf(s *gitopsv1.GitSync) (phase gitopsv1.PreviewPhase, reason, message string) {
	if s == nil {
		return gitopsv1.PreviewProgressing, "", ""
	}

	ready := conditions.Get(s, conditions.Ready)
	current := s.Status.ObservedGeneration == s.Generation && s.Status.LastHandledReconcileAt == s.Annotations[gitopsv1.AnnotationRequestedAt]

	switch {
	case ready == nil, !current && ready.Status == metav1.ConditionTrue:
		return gitopsv1.PreviewProgressing, "", ""
	case ready.Status == metav1.ConditionTrue:
		return gitopsv1.PreviewReady, "", ""
	case ready.Status == metav1.ConditionUnknown, slices.Contains(underWay, ready.Reason):
		return gitopsv1.PreviewProgressing, ready.Reason, short(ready.Message)
	default:
		return gitopsv1.PreviewFailed, ready.Reason, short(ready.Message)
	}
}

func short(s string) string {
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage-1]) + "…"
	}

	return s
}
