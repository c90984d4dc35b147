package notice

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/solvency"
)

func TestText(t *testing.T) {
	cases := map[string]struct {
		reason string
		notice book.Notice
		want   string
		event  string
	}{
		"Low": {
			"All that is known is said.",
			book.Notice{Kind: string(solvency.LowBalance), Data: map[string]string{billing.DataAvailable: "2400", billing.DataRunway: "24h0m0s", billing.DataRate: "412.500000"}},
			"The balance is low: Rp 2,400 are left, which last for 24 hours at Rp 412.5 an hour.", corev1.EventTypeWarning,
		},
		"LowOfNothing": {
			"What is not known leaves no hole.",
			book.Notice{Kind: string(solvency.LowBalance), Data: map[string]string{billing.DataAvailable: "2400"}},
			"The balance is low: Rp 2,400 are left.", corev1.EventTypeWarning,
		},
		"Suspended": {
			"Who is stopped is told what it takes.",
			book.Notice{Kind: string(solvency.WasSuspended), Data: map[string]string{billing.DataMissing: "1200"}},
			"The balance is used up, and containers are stopped. Nothing is deleted. They run again as soon as Rp 1,200 are paid.", corev1.EventTypeWarning,
		},
		"Paid": {
			"Good news is none to act on.",
			book.Notice{Kind: billing.PaymentReceived, Data: map[string]string{billing.DataAmount: "50000.000000", billing.DataAvailable: "50000"}},
			"A payment of Rp 50,000 has arrived. Rp 50,000 can be used.", corev1.EventTypeNormal,
		},
		"Small": {
			"Decimals that count stay.",
			book.Notice{Kind: billing.RefundPosted, Data: map[string]string{billing.DataAmount: "0.500000"}},
			"Rp 0.5 went back to the payer.", corev1.EventTypeNormal,
		},
		"NoTime": {
			"What is no time stays what it is.",
			book.Notice{Kind: string(solvency.GraceBegan), Data: map[string]string{billing.DataGraceEnds: "10.x00"}},
			"The balance is used up. Containers run on until it is topped up, but no longer than until 10.x00.", corev1.EventTypeWarning,
		},
		"Unknown": {
			"A newer version may have written it.",
			book.Notice{Kind: "MoonRose", Data: map[string]string{"b": "2", "a": "1"}},
			"MoonRose: a 1, b 2", corev1.EventTypeNormal,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Text(tc.notice); got != tc.want {
				t.Errorf("%s\ngot  %s\nwant %s", tc.reason, got, tc.want)
			}
			if got := EventType(tc.notice); got != tc.event {
				t.Errorf("%s\ngot %s, want %s", tc.reason, got, tc.event)
			}
		})
	}
}
