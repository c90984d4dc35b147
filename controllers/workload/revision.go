package workload

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// newRevision is the record of the target.
func newRevision(s *situation) *v1alpha1.ContainerRevision {
	tc := s.tc
	rev := &v1alpha1.ContainerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:            fmt.Sprintf("%s-%d", tc.Name, s.target.number),
			Namespace:       tc.Namespace,
			Labels:          map[string]string{v1alpha1.LabelContainer: tc.Name},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(tc, containerKind)},
		},
		Spec: v1alpha1.ContainerRevisionSpec{
			Container:     v1alpha1.DNSLabel(tc.Name),
			Revision:      s.target.number,
			TemplateHash:  s.templateHash,
			Template:      *s.template.DeepCopy(),
			ResolvedImage: s.image,
			ImageProof:    s.proof.DeepCopy(),
		},
	}

	if why := tc.Annotations[v1alpha1.AnnotationChangeCause]; why != "" {
		rev.Annotations = map[string]string{v1alpha1.AnnotationChangeCause: why}
	}

	for _, c := range s.supply.contents {
		rev.Spec.Contents = append(rev.Spec.Contents, v1alpha1.RevisionContent{Path: c.Path, SwarmName: c.swarmName})
	}

	if len(s.supply.env.Referenced()) > 0 {
		rev.Spec.EnvSecret = rev.Name + "-env"
	}

	return rev
}

var containerKind = v1alpha1.GroupVersion.WithKind(kind)

// envSecret holds the variables of a revision that came from Secrets and ConfigMaps.
func envSecret(rev *v1alpha1.ContainerRevision, referenced map[string][]byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:            rev.Spec.EnvSecret,
			Namespace:       rev.Namespace,
			Labels:          map[string]string{v1alpha1.LabelContainer: string(rev.Spec.Container)},
			OwnerReferences: rev.OwnerReferences,
		},
		Type: envSecretType,
		Data: referenced,
	}
}

// parseInt reads a number from a label that anybody may have changed.
func parseInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}

	return n, true
}
