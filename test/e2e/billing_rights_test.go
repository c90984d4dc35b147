//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/payment"
)

// billingPath is where objects of billing are.
func billingPath(namespace, resource, name string) string {
	path := "/apis/billing.dogker.io/v1alpha1/"
	if namespace != "" {
		path += "namespaces/" + namespace + "/"
	}

	return strings.TrimSuffix(path+resource+"/"+name, "/")
}

// TestTenantsDoNotTouchMoney lets somebody with a real token try everything that would change a price, a balance, what is
// somebody else's, or that it is suspended.
func TestTenantsDoNotTouchMoney(t *testing.T) {
	t.Parallel()
	b := sharedBillingCell(t)
	p, other := b.payer(t, "poor", rash()), b.payer(t, "rich", rash())
	other.pays("money", "777000")
	p.pays("money", "20000")
	thief := p.caller("thief", v1alpha1.RoleOwner, v1alpha1.RoleBilling)
	before := snapshot(t, b.cell, p, other)

	const merge = http.MethodPatch
	for name, try := range map[string]struct {
		reason             string
		method, path, body string
	}{
		"ChangePrice": {
			reason: "Whoever pays does not say how much.",
			method: merge, path: billingPath("", "pricelists", "poor"), body: `{"spec":{"prices":{"replica":"0"}}}`,
		},
		"MakePrices": {
			reason: "Prices of one's own are cheap ones.",
			method: http.MethodPost, path: billingPath("", "pricelists", ""),
			body: `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"PriceList","metadata":{"name":"free"},"spec":{"prices":{},"replaces":"poor"}}`,
		},
		"ChangePlan": {
			reason: "A plan without prices is free.",
			method: merge, path: "/apis/dogker.io/v1alpha1/plans/poor", body: `{"spec":{"priceListName":null}}`,
		},
		"LeavePlan": {
			reason: "Somebody else's plan may be cheaper.",
			method: merge, path: "/apis/dogker.io/v1alpha1/tenants/poor", body: `{"spec":{"planName":"rich"}}`,
		},
		"WriteBalance": {
			reason: "The balance is in the ledger; but nobody should be shown a wrong one either.",
			method: merge, path: billingPath("poor", "billingaccounts", "default") + "/status", body: `{"status":{"available":"999999999"}}`,
		},
		"SetHold": {
			reason: "A hold is the platform's word.",
			method: merge, path: billingPath("poor", "billingaccounts", "default"), body: `{"spec":{"hold":{"reason":"Mine"}}}`,
		},
		"WriteOff": {
			reason: "A debt is given up by whom it is owed to.",
			method: merge, path: billingPath("poor", "billingaccounts", "default"), body: `{"metadata":{"annotations":{"dogker.io/write-off":"please"}}}`,
		},
		"WriteOrder": {
			reason: "The order of a payment decides whom it is credited to.",
			method: merge, path: billingPath("poor", "topups", "money") + "/status", body: `{"status":{"orderID":"dk-aaaaaa-00000000000000000000000000"}}`,
		},
		"ChangeAmount": {
			reason: "What is paid is what was asked for.",
			method: merge, path: billingPath("poor", "topups", "money"), body: `{"spec":{"amount":"900000"}}`,
		},
		"MakeRefund": {
			reason: "The platform gives money back.",
			method: http.MethodPost, path: billingPath("poor", "refunds", ""),
			body: `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"Refund","metadata":{"name":"mine"},"spec":{"topUpName":"money","reason":"x"}}`,
		},
		"MakeCoupon": {
			reason: "The platform gives money away.",
			method: http.MethodPost, path: billingPath("", "coupons", ""),
			body: `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"Coupon","metadata":{"name":"mine"},"spec":{"codeSHA256":"` + strings.Repeat("a", 64) + `","amount":"1000","maxRedemptions":1}}`,
		},
		"ReadCoupons": {
			reason: "Hashes of codes can be guessed at leisure.",
			method: http.MethodGet, path: billingPath("", "coupons", ""),
		},
		"MakeStatement": {
			reason: "A statement is a record of the platform.",
			method: http.MethodPost, path: billingPath("poor", "statements", ""),
			body: `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"Statement","metadata":{"name":"2026-01"},"spec":{}}`,
		},
		"Resume": {
			reason: "Who is suspended does not resume himself.",
			method: merge, path: "/apis/dogker.io/v1alpha1/tenants/poor", body: `{"metadata":{"annotations":{"billing.dogker.io/suspend":null}}}`,
		},
		"SuspendOther": {
			reason: "Nobody stops somebody else.",
			method: merge, path: "/apis/dogker.io/v1alpha1/tenants/rich", body: `{"metadata":{"annotations":{"billing.dogker.io/suspend":"Unpaid"}}}`,
		},
		"ReadOther": {
			reason: "What others pay is their business.",
			method: http.MethodGet, path: billingPath("rich", "topups", "money"),
		},
		"ReadOthersAccount": {
			reason: "What others have is their business.",
			method: http.MethodGet, path: billingPath("rich", "billingaccounts", "default"),
		},
		"ReadAll": {
			reason: "So is what all have.",
			method: http.MethodGet, path: billingPath("", "billingaccounts", ""),
		},
		"DeleteOther": {
			reason: "A payment of somebody else is not called off.",
			method: http.MethodDelete, path: billingPath("rich", "topups", "money"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := thief.ask(t.Context(), try.method, try.path, try.body)
			if err != nil {
				t.Fatal(err)
			}
			if got.code != http.StatusForbidden && got.code != http.StatusUnprocessableEntity && got.code != http.StatusMethodNotAllowed {
				t.Errorf("%s\ngot %d: %s", try.reason, got.code, got.body)
			}
		})
	}
	if after := snapshot(t, b.cell, p, other); !slices.Equal(before, after) {
		t.Errorf("something has changed:\n%s\n%s", before, after)
	}

	// Not even an administrator decides in place of billing.
	owner := p.owner()
	changed := owner.DeepCopy()
	changed.Annotations = map[string]string{v1alpha1.AnnotationBillingSuspend: "Unpaid"}
	if err := p.api.Patch(t.Context(), changed, client.MergeFrom(owner)); err == nil {
		t.Error("an administrator has suspended a tenant in place of billing")
	}

	// What is a tenant's own to decide, it decides.
	for what, ask := range map[string][3]string{
		"a top-up": {http.MethodPost, billingPath("poor", "topups", ""), `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"TopUp","metadata":{"name":"own"},"spec":{"amount":"20000"}}`},
		"a budget": {merge, billingPath("poor", "billingaccounts", "default"), `{"spec":{"budget":{"monthlyCap":"100000"}}}`},
		"a look":   {http.MethodGet, billingPath("poor", "statements", ""), ""},
	} {
		if _, err := thief.must(t.Context(), ask[0], ask[1], ask[2]); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// snapshot is what nobody may have changed: money, and whether it is suspended.
func snapshot(t *testing.T, c *cell, payers ...*payer) []string {
	t.Helper()

	var all []string
	for _, p := range payers {
		a, err := p.account()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(a.Status.Paid, a.Status.LedgerSequence, a.Status.LedgerHash, a.Spec.Hold, p.owner().Spec.PlanName,
			p.owner().Annotations[v1alpha1.AnnotationBillingSuspend]))
		var list billing.PriceList
		if err := c.api.Get(t.Context(), client.ObjectKey{Name: p.name}, &list); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(list.Spec.Prices))
	}

	return all
}

// TestWebhookTellsNothing asks the webhook as strangers do. Whether an order exists, what was wrong and whose it is cannot be
// told from the answers, and nobody is credited by them.
func TestWebhookTellsNothing(t *testing.T) {
	t.Parallel()
	b := sharedBillingCell(t)
	p := b.payer(t, "hooked", rash())
	order := p.topUp("open", "123000").Status.OrderID

	settled := func(order, signature string) string {
		body, _ := json.Marshal(map[string]string{
			"order_id": order, "status_code": "200", "gross_amount": "123000.00", "transaction_status": "settlement", "fraud_status": "accept",
			"transaction_id": "tx-1", "merchant_id": "G000000000", "currency": "IDR", "signature_key": signature,
		})

		return string(body)
	}
	forged := payment.Sign(order, "200", "123000.00", mustKey(t, "SB-Mid-server-guessed"))
	const nobody = "dk-aaaaaa-01ARZ3NDEKTSV4RRFFQ69G5FAV"

	known, unknown := b.notify(t, http.MethodPost, settled(order, forged)), b.notify(t, http.MethodPost, settled(nobody, forged))
	if known != unknown || !strings.HasPrefix(known, "401") {
		t.Errorf("the answers to forged notifications differ, or are not 401:\nof an order that exists:\n%s\nand of none:\n%s", known, unknown)
	}
	for body, want := range map[string]string{
		"{":                                      "400",
		settled("../../topups", forged):          "400",
		strings.Repeat("x", 65<<10):              "413",
		strings.Repeat(`{"a":`, 10000):           "400",
		settled(order, "not even a hash"):        "401",
		settled(order, strings.Repeat("0", 128)): "401",
	} {
		if got := b.notify(t, http.MethodPost, body); !strings.HasPrefix(got, want) {
			t.Errorf("%.60s: got %s, want %s", body, got, want)
		}
	}
	if got := b.notify(t, http.MethodGet, ""); !strings.HasPrefix(got, "405") {
		t.Errorf("GET: got %s", got)
	}

	// Whoever has seen a good signature can say anything with it, and is not believed: the gateway is asked.
	signed := payment.Sign(order, "200", "123000.00", mustKey(t, serverKey))
	if got := b.notify(t, http.MethodPost, settled(order, signed)); !strings.HasPrefix(got, "200") {
		t.Errorf("a signed notification: got %s", got)
	}
	stays(t, instant, "nothing is credited that was not paid", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}

		return wantf(a.Status.Available, "0", "balance")
	})
}

func mustKey(t *testing.T, text string) payment.ServerKey {
	t.Helper()

	key, err := payment.NewServerKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return key
}

// notify sends to the webhook, and returns all that can be seen of its answer.
func (b *billingCell) notify(t *testing.T, method, body string) string {
	t.Helper()

	req, err := http.NewRequestWithContext(t.Context(), method, b.webhook, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: instant}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date")
	var header bytes.Buffer
	if err := resp.Header.Write(&header); err != nil {
		t.Fatal(err)
	}

	return fmt.Sprintf("%d %s%s", resp.StatusCode, header.String(), text)
}
