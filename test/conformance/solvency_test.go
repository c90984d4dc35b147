//go:build conformance

package conformance

import (
	"fmt"
	"testing"
)

const solvencyWorld = `apiVersion: billing.dogker.io/v1alpha1
kind: PriceList
metadata: {name: solvency}
spec: {prices: {cpu: "1000", replica: "10"}}
---
apiVersion: billing.dogker.io/v1alpha1
kind: Coupon
metadata: {name: solvency}
# Of the code SOLVENCY-1.
spec: {codeSHA256: 60641d67226f1bb7f164a8525ad33761b7c1635ae2ed66509076d7b227212a96, amount: "5000", maxRedemptions: 1}
---
apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: solvency}
spec:
  priceListName: solvency
  billing: {topUps: {minAmount: "10000", maxAmount: "50000", maxPending: 1}}
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: solvency}
spec:
  planName: solvency
  deletionPolicy: Delete
  members: [{kind: User, name: payer, roles: [owner]}]
`

// TestSolvency: what a balance cannot carry is refused with what it costs and what is missing, whoever asks and however; what
// makes it no dearer passes; and what the platform decides about money no tenant does. kubectl prints what things cost.
func TestSolvency(t *testing.T) {
	s := ownServer(t)
	k := &kubectl{t: t, server: s, namespace: "solvency", command: []string{"kubectl"}}
	k.do(solvencyWorld, "apply", "-f", "-")
	k.do("", "wait", "--for=jsonpath={.status.phase}=Active", "billingaccount/default", "--timeout=30s")
	web := func(replicas int) string {
		return fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n"+
			"spec: {image: 'registry.example/shop:1.4', replicas: %d, resources: {requests: {cpu: 500m}}}\n", replicas)
	}
	refused := func(what, stdin string, says []string, args ...string) {
		t.Helper()
		_, stderr, code := k.run(stdin, args...)
		if code == 0 {
			t.Errorf("%s: it was done", what)
			return
		}
		contains(t, what, stderr, says...)
	}

	for _, dryRun := range []string{"--dry-run=none", "--dry-run=server"} {
		refused("a container without money", web(2),
			[]string{"(InsufficientBalance)", "Rp 1020 an hour more", "Rp 0 are there", "Rp 1020 are missing"}, "apply", "--as", "payer", "-f", "-", dryRun)
	}
	k.do(web(0), "apply", "-f", "-") // What has no tasks costs nothing.
	refused("more tasks without money", "", []string{"(InsufficientBalance)", "Rp 510 are missing"}, "scale", "--as", "payer", "tenantcontainer/web", "--replicas=1")

	refused("a guess", "", []string{`spec.couponCodes[0]: Invalid value: "SOLVENCY-2": this code is not accepted`},
		"patch", "--as", "payer", "billingaccount/default", "--type=merge", "-p", `{"spec":{"couponCodes":["SOLVENCY-2"]}}`)
	k.do("", "patch", "--as", "payer", "billingaccount/default", "--type=merge", "-p", `{"spec":{"couponCodes":["solvency-1"]}}`)
	k.do("", "wait", "--for=jsonpath={.status.available}=5000", "billingaccount/default", "--timeout=30s")
	_, said, code := k.run(web(2), "apply", "--as", "payer", "-f", "-")
	if code != 0 {
		t.Fatalf("with money: %s", said)
	}
	contains(t, "what kubectl prints", said, `Warning: web costs Rp 1020 an hour, about Rp 744600 a month; everything of tenant "solvency" costs Rp 1020 an hour then`)
	refused("more than there is", "", []string{"(InsufficientBalance)", "Rp 5100 are needed", "Rp 100 are missing"}, "scale", "--as", "payer", "tenantcontainer/web", "--replicas=10")

	for what, patch := range map[string]string{
		"spec.hold": `{"spec":{"hold":{"reason":"Mine"}}}`,
		"metadata.annotations[dogker.io/write-off]":   `{"metadata":{"annotations":{"dogker.io/write-off":"mine"}}}`,
		"metadata.annotations[billing.dogker.io/any]": `{"metadata":{"annotations":{"billing.dogker.io/any":"mine"}}}`,
		"metadata.finalizers[0]":                      `{"metadata":{"finalizers":null}}`,
	} {
		refused(what, "", []string{"(Forbidden)", what}, "patch", "--as", "payer", "billingaccount/default", "--type=merge", "-p", patch)
	}
	k.do("", "patch", "billingaccount/default", "--type=merge", "-p", `{"spec":{"hold":{"reason":"Abuse"}}}`)
	k.do("", "wait", "--for=jsonpath={.status.phase}=Hold", "billingaccount/default", "--timeout=30s")
	refused("more under a hold", "", []string{"(AccountOnHold)", "spec.hold"}, "scale", "--as", "payer", "tenantcontainer/web", "--replicas=3")
	k.do("", "scale", "--as", "payer", "tenantcontainer/web", "--replicas=1") // Less always passes.

	refused("a small payment", billingObject("TopUp", "small", `amount: "9999"`), []string{"spec.amount", `"9999"`, "at least 10000"}, "apply", "--as", "payer", "-f", "-")
	k.do(billingObject("TopUp", "first", `amount: "10000"`), "apply", "--as", "payer", "-f", "-")
	refused("a second one", billingObject("TopUp", "second", `amount: "10000"`), []string{"1 TopUps", "its plan allows 1"}, "apply", "--as", "payer", "-f", "-")
	refused("prices for the past", billingObject("PriceList", "past", `prices: {}, effectiveFrom: "2020-01-01T00:00:00Z"`), []string{"spec.effectiveFrom", "2020-01-01T00:00:00Z", "must not be in the past"}, "apply", "-f", "-")
	refused("a successor of nothing", billingObject("PriceList", "next", `prices: {}, replaces: nothing`), []string{"spec.replaces", `"nothing"`, "must be a PriceList that there is"}, "apply", "-f", "-")
	record := billingObject("Statement", "2020-01", `from: "2020-01-01T00:00:00Z", to: "2020-02-01T00:00:00Z", currency: IDR, `+
		`opening: "0", paidIn: "0", given: "0", adjusted: "0", used: "0", waived: "0", closing: "9"`)
	refused("a record", record, []string{"(Forbidden)", "Dogker alone writes it"}, "apply", "-f", "-")
}
