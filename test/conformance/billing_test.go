//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// billingObject is an object of billing in YAML, with a spec as a flow mapping.
func billingObject(kind, name, spec string) string {
	return fmt.Sprintf("apiVersion: billing.dogker.io/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n", kind, name, spec)
}

// amounts that are none, in whichever field they are: rupiah are whole, above zero and text.
var badAmounts = map[string]string{
	"Zero": `"0"`, "Negative": `"-1"`, "Fraction": `"1.5"`, "Exponent": `"1e5"`, "Plus": `"+5"`, "Space": `" 5"`, "Empty": `""`,
	"Separators": `"10,000"`, "ThirteenDigits": `"1000000000000"`, "LeadingZero": `"0100"`, "NaN": `"NaN"`, "Infinity": `"Infinity"`,
	"Hexadecimal": `"0x10"`, "FullWidthDigits": `"１００"`, "Newline": `"5\n"`,
	"Number": "50000", "NumberOver2To53": "9007199254740993", "Float": "5.0e4",
}

// TestBadAmounts: money that cannot be read in one way only is refused, in every field that takes it.
func TestBadAmounts(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}

	for field, object := range map[string]func(string) string{
		"spec.amount": func(v string) string { return billingObject("TopUp", "bad", "amount: "+v) },
		"spec.maxAmount": func(v string) string {
			return billingObject("Coupon", "bad", goodHash+", percent: 5, maxRedemptions: 1, maxAmount: "+v)
		},
		"spec.budget.monthlyCap": func(v string) string {
			return billingObject("BillingAccount", "default", "budget: {monthlyCap: "+v+"}")
		},
	} {
		for name, value := range badAmounts {
			if field == "spec.maxAmount" && name == "Empty" {
				continue // Absent, and then something else is missing.
			}
			t.Run(field+"/"+name, func(t *testing.T) {
				_, stderr, code := k.run(object(value), "apply", "-f", "-")
				if code == 0 {
					t.Fatalf("%s: %s was accepted", field, value)
				}
				contains(t, "the refusal", stderr, field)
			})
		}
	}
}

var goodHash = "codeSHA256: " + strings.Repeat("a", 64)

// TestBillingRefusals: what cannot be a price, a payment, a refund or a coupon is refused with the field, its value and what
// is allowed.
func TestBillingRefusals(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}

	list := func(spec string) string { return billingObject("PriceList", "bad", spec) }
	topUp := func(spec string) string { return billingObject("TopUp", "bad", `amount: "50000", `+spec) }
	refund := func(spec string) string { return billingObject("Refund", "bad", `topUpName: a, reason: x, `+spec) }
	coupon := func(spec string) string { return billingObject("Coupon", "bad", goodHash+", maxRedemptions: 1, "+spec) }
	account := func(spec string) string { return billingObject("BillingAccount", "default", spec) }
	plan := func(spec string) string {
		return "apiVersion: dogker.io/v1alpha1\nkind: Plan\nmetadata: {name: bad}\nspec: {billing: {" + spec + "}}\n"
	}

	for name, tc := range map[string]struct {
		yaml string
		says []string
	}{
		"PriceNegative":      {list(`prices: {cpu: "-1"}`), []string{"spec.prices.cpu", `"-1"`, "should match"}},
		"PriceSevenDecimals": {list(`prices: {cpu: "0.1234567"}`), []string{"spec.prices.cpu", `"0.1234567"`, "should match"}},
		"PriceTooHigh":       {list(`prices: {memory: "1000000000000"}`), []string{"spec.prices.memory", "should match"}},
		"PriceNumber":        {list(`prices: {cpu: 150}`), []string{"spec.prices.cpu", "integer", "string"}},
		"PriceOfNothing":     {list(`prices: {gpu: "1"}`), []string{`unknown field "spec.prices.gpu"`}},
		"EgressPriced":       {list(`prices: {egress: "10"}`), []string{"spec.prices", "egress must be 0 or absent"}},
		"NoPrices":           {list(""), []string{"spec.prices", "Required"}},
		"OtherCurrency":      {list(`currency: USD, prices: {cpu: "1"}`), []string{"spec.currency", `"USD"`, `"IDR"`}},
		"HalfAnHour":         {list(`prices: {}, effectiveFrom: "2099-01-01T00:30:00Z"`), []string{"spec.effectiveFrom", "whole hour"}},
		"NoTime":             {list(`prices: {}, effectiveFrom: tomorrow`), []string{"spec.effectiveFrom", "tomorrow"}},
		"ListNameTooLong":    {billingObject("PriceList", strings.Repeat("a", 64), "prices: {}"), []string{"PriceList", strings.Repeat("a", 64), "no longer than 63 characters"}},
		"ReplacesWithDots":   {list(`prices: {}, replaces: a.b`), []string{"spec.replaces", `"a.b"`}},

		"NoAmount":         {billingObject("TopUp", "bad", "methods: [gopay]"), []string{"spec.amount", "Required"}},
		"UnknownMethod":    {topUp("methods: [cash]"), []string{"spec.methods[0]", `"cash"`, `"gopay"`}},
		"MethodTwice":      {topUp("methods: [gopay, gopay]"), []string{"spec.methods[1]", "Duplicate"}},
		"CodeWithSpace":    {topUp("couponCode: 'a b c d'"), []string{"spec.couponCode", "a b c d", "should match"}},
		"CodeTooShort":     {topUp("couponCode: abc"), []string{"spec.couponCode", `"abc"`, "at least 4"}},
		"ExpiresTooSoon":   {topUp("expirationSeconds: 60"), []string{"spec.expirationSeconds", "60", "greater than or equal to 300"}},
		"ExpiresTooLate":   {topUp("expirationSeconds: 604801"), []string{"spec.expirationSeconds", "604801", "less than or equal to 604800"}},
		"ReturnByHTTP":     {topUp("returnURL: 'http://shop.example'"), []string{"spec.returnURL", "http://shop.example", "should match"}},
		"ReturnByScript":   {topUp("returnURL: 'javascript:alert(1)'"), []string{"spec.returnURL", "should match"}},
		"ForgedOrder":      {topUp("orderID: dk-1"), []string{`unknown field "spec.orderID"`}},
		"TopUpNameTooLong": {billingObject("TopUp", strings.Repeat("a", 64), `amount: "1"`), []string{"TopUp", strings.Repeat("a", 64), "no longer than 63 characters"}},

		"RefundByHandUnproved": {refund("method: Manual"), []string{"spec", "evidence must say how it was paid back"}},
		"EvidenceOfGateway":    {refund("evidence: Transfer 1"), []string{"spec", "evidence must only be set when method is Manual"}},
		"RefundOtherwise":      {refund("method: Cash"), []string{"spec.method", `"Cash"`, `"Gateway"`}},
		"RefundWithoutReason":  {billingObject("Refund", "bad", "topUpName: a"), []string{"spec.reason", "Required"}},

		"CodeInPlain":      {billingObject("Coupon", "bad", `codeSHA256: WELCOME, amount: "5", maxRedemptions: 1`), []string{"spec.codeSHA256", "WELCOME", "should match"}},
		"AmountAndPercent": {coupon(`amount: "5", percent: 5, maxAmount: "5"`), []string{"spec", "exactly one of amount and percent"}},
		"NothingGiven":     {coupon(""), []string{"spec", "exactly one of amount and percent"}},
		"PercentUnbounded": {coupon("percent: 5"), []string{"spec", "maxAmount must bound"}},
		"BoundOfFixed":     {coupon(`amount: "5", maxAmount: "5"`), []string{"spec", "maxAmount must only be set with percent"}},
		"MoreThanAll":      {coupon(`percent: 101, maxAmount: "5"`), []string{"spec.percent", "101", "less than or equal to 100"}},
		"ValidBackwards":   {coupon(`amount: "5", validFrom: "2099-02-01T00:00:00Z", validUntil: "2099-01-01T00:00:00Z"`), []string{"spec", "validFrom must be before validUntil"}},
		"NeverRedeemed":    {billingObject("Coupon", "bad", goodHash+`, amount: "5", maxRedemptions: 0`), []string{"spec.maxRedemptions", "greater than or equal to 1"}},
		"ForUnknownMeter":  {coupon(`amount: "5", meter: gpu`), []string{"spec.meter", `"gpu"`, `"cpu"`}},

		"SecondAccount":   {billingObject("BillingAccount", "other", ""), []string{"metadata.name", `"other"`, "must be default"}},
		"RunwayOfSeconds": {account(`warnings: {runways: [30s]}`), []string{"spec.warnings.runways[0]", "30s"}},
		"RunwayTooLong":   {account(`warnings: {runways: [2161h]}`), []string{"spec.warnings.runways[0]", "from 1m to 2160h"}},
		"RunwayOfNothing": {account(`warnings: {runways: [""]}`), []string{"spec.warnings.runways[0]"}},
		"NoRunways":       {account(`warnings: {runways: []}`), []string{"spec.warnings.runways", "at least 1"}},
		"OffsetOfNowhere": {account("utcOffsetHours: 15"), []string{"spec.utcOffsetHours", "15", "less than or equal to 14"}},
		"UnknownAction":   {account(`budget: {monthlyCap: "5", action: Stop}`), []string{"spec.budget.action", `"Stop"`, `"Suspend"`}},
		"CodesTwice":      {account("couponCodes: [abcd, abcd]"), []string{"spec.couponCodes[1]", "Duplicate"}},

		"RunwayOfAMoment":     {plan("minRunwaySeconds: 59"), []string{"spec.billing.minRunwaySeconds", "59", "greater than or equal to 60"}},
		"NegativeGrace":       {plan("gracePeriodSeconds: -1"), []string{"spec.billing.gracePeriodSeconds", "-1"}},
		"FractionOfOverdraft": {plan(`overdraft: "0.5"`), []string{"spec.billing.overdraft", `"0.5"`, "should match"}},
		"SettlesDaily":        {plan("settlementHours: 12"), []string{"spec.billing.settlementHours", "12", "1", "24"}},
		"BoundsBackwards":     {plan(`topUps: {minAmount: "20", maxAmount: "10"}`), []string{"spec.billing.topUps", "minAmount must not be above maxAmount"}},
		"UnknownStorageRule":  {plan("suspendedStorage: Free"), []string{"spec.billing.suspendedStorage", `"Free"`, `"Waive"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := k.run(tc.yaml, "apply", "-f", "-")
			if code == 0 {
				t.Fatal("it was accepted")
			}

			contains(t, "the refusal", stderr, tc.says...)
		})
	}
}

// TestPricesAreRecords: what somebody was charged by stays what it was.
func TestPricesAreRecords(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	k.do(billingObject("PriceList", "record", `prices: {cpu: "150"}`), "apply", "-f", "-")

	for name, patch := range map[string]string{
		"Cheaper":      `{"spec":{"prices":{"cpu":"1"}}}`,
		"AnotherMeter": `{"spec":{"prices":{"memory":"1"}}}`,
		"FromThePast":  `{"spec":{"effectiveFrom":"2020-01-01T00:00:00Z"}}`,
		"OfAnother":    `{"spec":{"replaces":"other"}}`,
		"AnotherNote":  `{"spec":{"taxNote":"none"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := k.run("", "patch", "pricelist", "record", "--type", "merge", "-p", patch)
			if code == 0 {
				t.Fatal("it was changed")
			}
			contains(t, "the refusal", stderr, "spec", "is immutable: make another PriceList with spec.replaces")
		})
	}
}

// TestBillingByKubectl: the kinds explain themselves, and are found by their short names.
func TestBillingByKubectl(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}

	contains(t, "explain", k.do("", "explain", "topup.spec.expirationSeconds"), "minutes to seven days")
	contains(t, "explain of an account", k.do("", "explain", "ba.spec.budget.action"), "Warn", "Suspend")
	contains(t, "explain of prices", k.do("", "explain", "prl.spec.prices.memory"), "GiB")
	contains(t, "explain of a refund", k.do("", "explain", "rf.spec.evidence"), "reference of a transfer")
	contains(t, "explain of a coupon", k.do("", "explain", "cp.spec.codeSHA256"), "of the code in capitals")
	contains(t, "explain of a statement", k.do("", "explain", "st.spec.closing"), "Closing")
}

// TestBillingSamples applies the samples in their order, as the guide does.
func TestBillingSamples(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	apply := func(file string) { k.do("", "apply", "-f", "../../manifests/samples/"+file) }

	apply("billing.yaml")
	k.do("", "wait", "--for=jsonpath={.status.namespace}=initech", "tenant/initech", "--timeout=30s")
	k.namespace = "initech"
	k.do("", "wait", "--for=create", "billingaccount/default", "--timeout=30s")
	apply("billing-tenant.yaml")
	apply("billing-complete.yaml")
	contains(t, "the tenant's objects", k.do("", "get", "billingaccounts,topups,refunds"), "default", "november", "december", "november-part", "november-rest")
	contains(t, "prices", k.do("", "get", "pricelists"), "standard", "standard-2100")
}
