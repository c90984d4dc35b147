package main

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/swarm"
)

// accountWith has one condition that is True, or with a reason, is not.
func accountWith(tenant, condition, reason string) billingv1.BillingAccount {
	status := metav1.ConditionTrue
	if condition == "Ready" {
		status = metav1.ConditionFalse
	}

	return billingv1.BillingAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: billingv1.AccountName},
		Status:     billingv1.BillingAccountStatus{Conditions: []metav1.Condition{{Type: condition, Status: status, Reason: reason}}},
	}
}

func TestBillingFindings(t *testing.T) {
	fine := accountWith("fine", billingv1.ConditionSuspended, billingv1.ReasonInsufficientBalance)
	var many []billingv1.BillingAccount
	for i := range 7 {
		many = append(many, accountWith(fmt.Sprintf("t%d", i), billingv1.ConditionNotMetered, "x"))
	}
	doubtful := billingv1.TopUp{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "first"},
		Status:     billingv1.TopUpStatus{Conditions: []metav1.Condition{{Type: billingv1.ConditionNeedsReview, Status: metav1.ConditionTrue}}},
	}
	cases := map[string]struct {
		reason   string
		accounts []billingv1.BillingAccount
		topUps   []billingv1.TopUp
		want     []string
	}{
		"Fine":   {"Who is stopped because he did not pay is in order.", []billingv1.BillingAccount{fine}, []billingv1.TopUp{{}}, []string{"ok: 1 accounts, 1 of them stopped, and nothing that somebody has to look at"}},
		"Broken": {"Charging has stopped.", []billingv1.BillingAccount{accountWith("b", "Ready", billingv1.ReasonLedgerBroken), accountWith("a", "Ready", billingv1.ReasonLedgerBroken)}, nil, []string{"problem: the ledger contradicts itself, and nothing is charged, of tenants a, b"}},
		"Many":   {"A list that nobody reads is cut short.", many, nil, []string{"warning: what is used is not measured, and so not charged, of tenants t0, t1, t2, t3, t4 and 2 more"}},
		"Both": {
			"Each has its own line.", []billingv1.BillingAccount{accountWith("acme", billingv1.ConditionStillRunning, "x")}, []billingv1.TopUp{doubtful},
			[]string{"warning: containers run on though their account is suspended, of tenants acme", "warning: a person has to look at payments acme/first"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range billingFindings(tc.accounts, tc.topUps) {
				got = append(got, fmt.Sprintf("%s: %s", f.Level, f.Detail))
				if (f.Level == swarm.LevelOK) != (f.Remedy == "") {
					t.Errorf("%s\nremedy %q of %+v", tc.reason, f.Remedy, f)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
