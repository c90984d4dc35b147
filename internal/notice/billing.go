package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/solvency"
)

// Labels of incidents that are notices of the ledger: its ID there, and the last entry that it is about.
const (
	LabelNotice = "notice"
	LabelEntry  = "entry"
)

// warnings are the kinds that somebody should do something about, and critical those because of which nothing runs.
var (
	warnings = map[string]bool{
		string(solvency.LowBalance): true, string(solvency.GraceBegan): true, string(solvency.ResumeShortfall): true,
		string(solvency.BudgetReached): true, billing.PaymentReversed: true, billing.ChargedBack: true, billing.RefundVoided: true,
	}
	critical = map[string]bool{string(solvency.WasSuspended): true, string(solvency.WasCapped): true, string(solvency.WasHeld): true}
)

// Notification is a notice of the ledger for a Receiver.
func Notification(n book.Notice, to alert.ReceiverRef) alert.Notification {
	account := alert.ObjectRef{Kind: "BillingAccount", Namespace: n.Tenant, Name: billingv1.AccountName}
	severity := alert.SeverityInfo
	switch {
	case critical[n.Kind]:
		severity = alert.SeverityCritical
	case warnings[n.Kind]:
		severity = alert.SeverityWarning
	}
	at := time.Unix(n.Time, 0).UTC()
	id := sha256.Sum256([]byte(n.Tenant + "\x00" + n.ID + "\x00" + to.Namespace + "\x00" + to.Name))

	return alert.Notification{
		ID: "billing-" + hex.EncodeToString(id[:16]), Tenant: n.Tenant, Receiver: to, Topic: alert.TopicBilling, Source: account,
		Title: account.Kind, GroupKey: account.Kind + "/" + n.ID, Status: alert.StatusInformed, Severity: severity, At: at,
		Incidents: []alert.Incident{{
			Fingerprint: hex.EncodeToString(id[16:24]), Status: alert.StatusInformed, Reason: n.Kind, Severity: severity, Subject: account,
			Labels: map[string]string{LabelNotice: n.ID, LabelEntry: strconv.FormatInt(n.Seq, 10)}, Facts: n.Data, StartsAt: at,
		}},
	}
}

// Text is a notice of the ledger in a sentence or two of English.
func Text(n book.Notice) string {
	return Say(Notification(n, alert.ReceiverRef{}), English).Text()
}

// EventType of a notice of the ledger.
func EventType(n book.Notice) string {
	if warnings[n.Kind] || critical[n.Kind] {
		return corev1.EventTypeWarning
	}

	return corev1.EventTypeNormal
}
