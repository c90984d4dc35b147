package topup

import (
	"crypto/sha256"
	"encoding/hex"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/payment"
)

// finding is what a person has to look at; none when its reason is empty.
type finding struct {
	reason, message string
	// digest stands for exactly this finding.
	digest string
}

// doubt makes a finding, with the evidence.
func (p *pass) doubt(reason, message string, s payment.Status) finding {
	text := message + evidence(s)
	sum := sha256.Sum256([]byte(p.id + "\x00" + text))
	digest := hex.EncodeToString(sum[:4])

	return finding{reason: reason, digest: digest, message: text + "; review " + digest}
}

// showFinding shows what was found, or that there is nothing any more.
func (p *pass) showFinding() {
	t := p.topUp

	if p.found.reason == "" || t.Annotations[billingv1.AnnotationReviewed] == p.found.digest {
		conditions.Delete(t, billingv1.ConditionNeedsReview)

		return
	}

	if had := conditions.Get(t, billingv1.ConditionNeedsReview); had == nil || had.Message != p.found.message {
		p.event(corev1.EventTypeWarning, p.found.reason, p.found.message)
	}

	conditions.Set(t, billingv1.ConditionNeedsReview, metav1.ConditionTrue, p.found.reason, p.found.message)
}

// forgiveFinding takes away what the platform has taken note of since the gateway was asked.
func (p *pass) forgiveFinding() {
	shown := conditions.Get(p.topUp, billingv1.ConditionNeedsReview)
	digest := p.topUp.Annotations[billingv1.AnnotationReviewed]

	if shown != nil && len(digest) == reviewLength && len(shown.Message) > reviewLength && shown.Message[len(shown.Message)-reviewLength:] == digest {
		conditions.Delete(p.topUp, billingv1.ConditionNeedsReview)
	}
}

// reviewLength is how many characters a digest has.
const reviewLength = 8
