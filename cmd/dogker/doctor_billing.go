package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/swarm"
)

// diagnoseBilling says which accounts and payments somebody has to look at. It says nothing where nobody is billed, or where
// no server answers, which is said elsewhere.
func diagnoseBilling(ctx context.Context, dataDir string) []swarm.Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	cfg, err := clientcmd.BuildConfigFromFlags("", datadir.At(dataDir).AdminKubeconfig())
	if err != nil {
		return nil
	}
	scheme := runtime.NewScheme()
	if err := billingv1.AddToScheme(scheme); err != nil {
		return nil
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil
	}
	var accounts billingv1.BillingAccountList
	var topUps billingv1.TopUpList
	if c.List(ctx, &accounts) != nil || c.List(ctx, &topUps) != nil || len(accounts.Items) == 0 {
		return nil
	}

	return billingFindings(accounts.Items, topUps.Items)
}

// billingFindings are about what is found by conditions.
func billingFindings(accounts []billingv1.BillingAccount, topUps []billingv1.TopUp) []swarm.Finding {
	const what = "Billing"
	var broken, unmetered, running, review []string
	var stopped int
	for i := range accounts {
		a := &accounts[i]
		if ready := meta.FindStatusCondition(a.Status.Conditions, "Ready"); ready != nil && ready.Reason == billingv1.ReasonLedgerBroken {
			broken = append(broken, a.Namespace)
		}
		if meta.IsStatusConditionTrue(a.Status.Conditions, billingv1.ConditionNotMetered) {
			unmetered = append(unmetered, a.Namespace)
		}
		if meta.IsStatusConditionTrue(a.Status.Conditions, billingv1.ConditionStillRunning) {
			running = append(running, a.Namespace)
		}
		if meta.IsStatusConditionTrue(a.Status.Conditions, billingv1.ConditionSuspended) {
			stopped++
		}
	}
	for i := range topUps {
		if meta.IsStatusConditionTrue(topUps[i].Status.Conditions, billingv1.ConditionNeedsReview) {
			review = append(review, topUps[i].Namespace+"/"+topUps[i].Name)
		}
	}

	var findings []swarm.Finding
	for _, f := range []struct {
		level          swarm.Level
		names          []string
		detail, remedy string
	}{
		{swarm.LevelProblem, broken, "the ledger contradicts itself, and nothing is charged, of tenants", "dogker ledger verify; see docs/runbooks/ledger.md"},
		{swarm.LevelWarning, unmetered, "what is used is not measured, and so not charged, of tenants", "see docs/runbooks/metering.md"},
		{swarm.LevelWarning, running, "containers run on though their account is suspended, of tenants", "see docs/runbooks/suspension.md"},
		{swarm.LevelWarning, review, "a person has to look at payments", "kubectl describe topup; see docs/runbooks/payments-review.md"},
	} {
		if len(f.names) > 0 {
			findings = append(findings, swarm.Finding{Level: f.level, What: what, Detail: f.detail + " " + some(f.names), Remedy: f.remedy})
		}
	}
	if len(findings) == 0 {
		detail := fmt.Sprintf("%d accounts, %d of them stopped, and nothing that somebody has to look at", len(accounts), stopped)
		findings = append(findings, swarm.Finding{Level: swarm.LevelOK, What: what, Detail: detail})
	}

	return findings
}

// some names the first few.
func some(names []string) string {
	const most = 5
	slices.Sort(names)
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}

	return strings.Join(names, ", ")
}
