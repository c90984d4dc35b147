package admission

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// TestCost: what makes the rate greater needs an hour of it on the balance; everything else passes whatever is there.
func TestCost(t *testing.T) {
	cases := map[string]struct {
		reason    string
		balance   int64
		phase     solvency.Phase
		down      error
		sub       string
		now, old  runtime.Object
		namespace string
		code      int32
		why       metav1.StatusReason
		says      []string
		warns     string
	}{
		"CreateWithMoney": {
			reason: "Two hundred an hour are there, for what there is and for what comes.", balance: 200,
			now: tc(1, "1"), warns: `web costs Rp 100 an hour, about Rp 73000 a month; everything of tenant "shop" costs Rp 200 an hour then`,
		},
		"CreateWithout": {
			reason: "A rupiah is missing.", balance: 199, now: tc(1, "1"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance,
			says: []string{"Rp 100 an hour more", "Rp 200 an hour then", "for 1h0m0s", "Rp 199 are there", "Rp 1 are missing", "TopUp"},
		},
		"CreateStopped":  {reason: "What has no tasks costs nothing.", now: stopped(tc(1, "1")), warns: "web costs Rp 0 an hour"},
		"Start":          {reason: "Whoever takes the annotation off starts it.", old: stopped(tc(1, "1")), now: tc(1, "1"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"Stop":           {reason: "Stopping is free.", old: tc(1, "1"), now: stopped(tc(1, "1")), warns: "web costs Rp 0 an hour"},
		"MoreCPU":        {reason: "A larger task costs more.", balance: 149, old: tc(1, "1"), now: tc(1, "1500m"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"MoreCPUAndPaid": {reason: "It is there.", balance: 150, old: tc(1, "1"), now: tc(1, "1500m"), warns: "costs Rp 150 an hour then"},
		"LessCPU":        {reason: "Less always passes, in debt and without a ledger.", balance: -1000, down: errBoom, old: tc(1, "1"), now: tc(1, "500m"), warns: "web costs Rp 50 an hour"},
		"RollBack": {
			reason: "What runs in its place costs more.", balance: 149, old: tc(1, "1"), now: rolledBack(tc(1, "1"), 1), code: http.StatusForbidden,
			why: billingv1.ReasonInsufficientBalance, says: []string{"Rp 50 an hour more"},
		},
		"RollBackAndPaid": {reason: "It is there.", balance: 150, old: tc(1, "1"), now: rolledBack(tc(1, "1"), 1), warns: "costs Rp 150 an hour then"},
		"RollBackToLess":  {reason: "The rate is that of what is declared, until that is made less.", balance: -1000, old: tc(1, "1"), now: rolledBack(tc(1, "1"), 2)},
		"RolledBack":      {reason: "More than what runs is more.", balance: 199, old: rolledBack(tc(1, "1"), 1), now: rolledBack(tc(1, "2"), 1), code: http.StatusForbidden, why: "", says: []string{"Rp 50 an hour more"}},
		"RollForward":     {reason: "Back to what is declared is less.", balance: -1000, down: errBoom, old: rolledBack(tc(1, "1"), 1), now: tc(1, "1"), warns: "web costs Rp 100 an hour"},
		"RollBackToNone":  {reason: "Nothing runs in its place.", balance: -1000, old: tc(1, "1"), now: rolledBack(tc(1, "1"), 7)},
		"SamePrice":       {reason: "What costs the same says nothing.", balance: -1000, old: tc(2, "500m"), now: tc(1, "1")},
		"OtherEdit":       {reason: "An edit of something else passes.", balance: -1000, phase: solvency.Suspended, old: tc(1, "1"), now: edited(tc(1, "1"))},
		"ScaleUp":         {reason: "So does a scale.", balance: 100, sub: "scale", old: scale(1), now: scale(2), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"ScaleUpAndPaid":  {reason: "It is there.", balance: 200, sub: "scale", old: scale(1), now: scale(2), warns: "web costs Rp 200 an hour"},
		"ScaleDown":       {reason: "Fewer always pass.", balance: -1000, down: errBoom, sub: "scale", old: scale(3), now: scale(0), warns: "web costs Rp 0 an hour"},
		"Status":          {reason: "What is reported costs nothing.", balance: -1000, down: errBoom, sub: "status", old: tc(1, "1"), now: tc(9, "9")},
		"Suspended": {
			reason: "Whose containers do not run learns why, and what it takes.", balance: -100, phase: solvency.Suspended, now: tc(1, "1"),
			code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance, says: []string{"is Suspended", "Rp 300 are missing"},
		},
		"OnHold": {
			reason: "Money does not lift a hold.", balance: 1_000_000, phase: solvency.Held, now: tc(1, "1"),
			code: http.StatusForbidden, why: "AccountOnHold", says: []string{"spec.hold"},
		},
		"NoLedger": {reason: "Nothing is let in on credit.", balance: 1_000_000, down: errBoom, now: tc(1, "1"), code: http.StatusServiceUnavailable, why: metav1.StatusReasonServiceUnavailable},
		"NotBilled": {
			reason: "A plan without prices costs nothing.", down: errBoom, namespace: "free", now: tc(9, "9"),
		},
		"NoTenant": {reason: "Nor does a namespace without tenant.", down: errBoom, namespace: "default", now: tc(9, "9")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t, revision(1, "1500m"), revision(2, "500m"))
			m.balance, m.phase, m.down = money.Micro(tc.balance)*money.Rupiah, tc.phase, tc.down
			namespace := tc.namespace
			if namespace == "" {
				namespace = "shop"
			}
			err := m.ask("owner", "tenantcontainers", namespace, tc.sub, tc.now, tc.old)
			check(t, tc.reason, err, tc.code, tc.why, tc.says...)
			if said := strings.Join(m.warnings, "\n"); err == nil && (tc.warns == "") != (said == "") || !strings.Contains(said, tc.warns) {
				t.Errorf("%s\nwarned %q, want %q", tc.reason, said, tc.warns)
			}
		})
	}
}

func edited(c *v1alpha1.TenantContainer) *v1alpha1.TenantContainer {
	c.Spec.Image = "nginx:2"

	return c
}

func rolledBack(c *v1alpha1.TenantContainer, to int64) *v1alpha1.TenantContainer {
	c.Spec.RollbackTo = &to

	return c
}

// revision is one of the container of so many vCPUs.
func revision(number int64, cpu string) *v1alpha1.ContainerRevision {
	return &v1alpha1.ContainerRevision{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ContainerRevision"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("web-%d", number), Labels: map[string]string{v1alpha1.LabelContainer: "web"},
		},
		Spec: v1alpha1.ContainerRevisionSpec{Container: "web", Revision: number, Template: v1alpha1.TenantContainerSpec{Resources: cpus(cpu)}},
	}
}

// TestCostUnknown: while nobody knows whose a namespace is, or what its plan says, less passes and more does not.
func TestCostUnknown(t *testing.T) {
	cases := map[string]struct {
		reason   string
		sub      string
		now, old runtime.Object
		code     int32
	}{
		"Create":    {"It would be let in on credit.", "", tc(1, "1"), nil, http.StatusInternalServerError},
		"Start":     {"So would what was stopped.", "", tc(1, "1"), stopped(tc(1, "1")), http.StatusInternalServerError},
		"More":      {"Fewer larger ones may cost more.", "", tc(1, "2"), tc(2, "1"), http.StatusInternalServerError},
		"Stop":      {"Nothing costs nothing.", "", stopped(tc(1, "1")), tc(1, "1"), 0},
		"Less":      {"By whatever prices it is less.", "", tc(1, "500m"), tc(1, "1"), 0},
		"ScaleDown": {"Fewer are less.", "scale", scale(1), scale(3), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			m.plugin.SetDirectory(directory{reader: m.plugin.reader, err: errBoom})
			check(t, "No tenant: "+tc.reason, m.ask("owner", "tenantcontainers", "shop", tc.sub, tc.now, tc.old), tc.code, "")

			m = newMarket(t, &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "lost"}, Spec: v1alpha1.TenantSpec{PlanName: "none"}},
				&v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "lost", Name: "web"}})
			check(t, "No plan: "+tc.reason, m.ask("owner", "tenantcontainers", "lost", tc.sub, tc.now, tc.old), tc.code, "")
		})
	}
}

// TestCostOfLoopback: Dogker itself is asked nothing.
func TestCostOfLoopback(t *testing.T) {
	m := newMarket(t)
	m.down = errBoom
	if err := m.ask(Loopback, "tenantcontainers", "shop", "", tc(9, "9"), nil); err != nil {
		t.Error(err)
	}
}
