package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// quantityDecimals are the digits after the point of a quantity: enough that a price of a million rupiah is off by no more
// than what rounding in the ledger is.
const quantityDecimals = 12

// focusCharge is one row of a FOCUS dataset.
type focusCharge struct {
	info  *FOCUSInfo
	entry book.Entry
	month book.Month

	category, class, frequency, description string
	// start and end of the time that it is about, in Unix time.
	start, end int64
	// billed and effective are costs, and list what it costs before anybody covers any of it.
	billed, effective, list money.Micro
	// promo and waived are what covered the rest of it, change what it did to the balance, and balance how much that is now.
	promo, waived, change, balance money.Micro
	// quantity in units, and the price of one of them; all empty where nothing is counted.
	quantity, unit, price string
	service               service
	// sku is what was sold, skuPrice by which price, meter how it is measured.
	sku, skuPrice, meter string
	resource             string
	invoice              string
}

// chargeOf is what all rows of an entry have in common.
func (d *dataset) chargeOf(e book.Entry) focusCharge {
	c := focusCharge{info: &d.info, entry: e, month: book.MonthAt(e.Effective(), d.info.UTCOffsetHours)}
	c.start = e.Time - e.Time%book.HourSeconds
	c.end = c.start + book.HourSeconds
	if e.Through > 0 {
		c.start, c.end = book.WindowStart(e.From), book.WindowEnd(e.Through)
	}
	if d.corrects(e, c.month) {
		c.class = "Correction"
	}

	return c
}

// purchase is prepaid money that came or, below zero, went back: rupiah, at a rupiah each.
func (c focusCharge) purchase(paid money.Micro) focusCharge {
	c.category, c.frequency, c.service = "Purchase", "One-Time", prepaid
	c.billed, c.list = paid, paid
	c.quantity, c.unit, c.price = paid.String(), "Rupiah", "1"
	c.sku, c.skuPrice, c.meter = "prepaid-balance", "prepaid-balance/IDR", "Prepaid Rupiah"
	c.invoice = c.entry.Key
	c.description = words("Payment back", c.entry.Order, c.entry.Reason)
	if paid > 0 {
		c.description = words("Payment", c.entry.Order, c.entry.Reason)
	}
	if c.entry.Type == book.TypeTopUp {
		c.invoice = c.entry.Order
	}

	return c
}

// credit is promotional money. It costs nothing; use that it pays for says so in x_PromoApplied.
func (c focusCharge) credit() focusCharge {
	c.category, c.frequency, c.service = "Credit", "One-Time", prepaid
	c.description = words("Promotional money", c.entry.Key, c.entry.Reason)

	return c
}

// adjustment is what was put right by hand: a cost where it takes, and less of it where it gives.
func (c focusCharge) adjustment() focusCharge {
	c.category, c.frequency, c.service = "Adjustment", "One-Time", prepaid
	c.billed, c.effective, c.list = -c.entry.Amount, -c.entry.Amount, -c.entry.Amount
	c.description = words(string(c.entry.Type), c.entry.Key, c.entry.Reason)

	return c
}

// usage is a line of what was used.
func (c focusCharge) usage(l book.Line, priceList string, s share) focusCharge {
	sold := skus[l.Meter]
	c.category, c.frequency, c.service = "Usage", "Usage-Based", sold.service
	c.list, c.effective, c.promo, c.waived = l.Charge, s.paid, s.promo, s.waived
	c.change = -s.paid - s.promo
	c.quantity, c.unit, c.price = units(l), sold.unit, l.Price.String()
	c.sku, c.meter, c.resource = string(l.Meter), sold.meter, l.Workload
	c.skuPrice = priceList + "/" + c.sku
	if priceList == "" {
		c.skuPrice = c.sku
	}
	c.description = fmt.Sprintf("%s of %s at Rp %s for one of %s", sold.meter, l.Workload, l.Price, sold.unit)

	return c
}

// units is the quantity of a line in units of its price, cut off after quantityDecimals.
func units(l book.Line) string {
	n := new(big.Int).Mul(big.NewInt(l.Quantity), big.NewInt(l.Seconds))
	n.Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(quantityDecimals), nil))
	n.Div(n, new(big.Int).SetUint64(max(l.Meter.Divisor(), 1)))
	digits := n.String()
	if len(digits) <= quantityDecimals {
		digits = strings.Repeat("0", quantityDecimals+1-len(digits)) + digits
	}
	point := len(digits) - quantityDecimals

	return digits[:point] + "." + digits[point:]
}

// words joins what there is.
func words(first, second, third string) string {
	out := first
	for _, more := range []string{second, third} {
		if more != "" {
			out += ": " + more
		}
	}

	return out
}

// row has the columns in their order.
func (c *focusCharge) row() []string {
	out := make([]string, len(focusColumns))
	for i, column := range focusColumns {
		out[i] = column.value(c)
	}

	return out
}

// consumed is the quantity where something was used: nothing is consumed by paying.
func (c *focusCharge) consumed(of string) string {
	if c.category != "Usage" {
		return ""
	}

	return of
}

func (c *focusCharge) priced(of string) string {
	if c.quantity == "" {
		return ""
	}

	return of
}

// resourceID is the whole name of what the row is about: two objects of one name, one after the other, are two resources.
func (c *focusCharge) resourceID() string {
	if c.resource == "" {
		return ""
	}

	return c.info.Tenant + "/" + c.resource
}

// workloadParts are kind and name. A workload that is named some other way is its own name.
func (c *focusCharge) workloadParts() (kind, name string) {
	if c.resource == "" {
		return "", ""
	}

	kind, name, _ = workloadOf(c.resource)

	return cmp.Or(kind, "Workload"), name
}

// tags are those that the platform itself sets.
func (c *focusCharge) tags() string {
	tags := map[string]string{"dogker.io/tenant": c.info.Tenant}
	if kind, name := c.workloadParts(); name != "" {
		tags["dogker.io/kind"], tags["dogker.io/name"] = kind, name
	}
	text, err := json.Marshal(tags)
	if err != nil {
		panic(fmt.Sprintf("tags are strings and cannot fail to encode: %v", err))
	}

	return string(text)
}

// focusColumns are the columns of FOCUS 1.2 that there is something to say in, in the order of their names, and then our
// own. Texts that somebody else may have chosen are guarded.
var focusColumns = []struct {
	name  string
	value func(c *focusCharge) string
}{
	{"BilledCost", func(c *focusCharge) string { return c.billed.String() }},
	{"BillingAccountId", func(c *focusCharge) string { return c.info.Tenant }},
	{"BillingAccountName", func(c *focusCharge) string { return guard(c.info.Name) }},
	{"BillingAccountType", func(*focusCharge) string { return "Prepaid Account" }},
	{"BillingCurrency", func(*focusCharge) string { return "IDR" }},
	{"BillingPeriodEnd", func(c *focusCharge) string { return stamp(c.month.End()) }},
	{"BillingPeriodStart", func(c *focusCharge) string { return stamp(c.month.Start()) }},
	{"ChargeCategory", func(c *focusCharge) string { return c.category }},
	{"ChargeClass", func(c *focusCharge) string { return c.class }},
	{"ChargeDescription", func(c *focusCharge) string { return guard(c.description) }},
	{"ChargeFrequency", func(c *focusCharge) string { return c.frequency }},
	{"ChargePeriodEnd", func(c *focusCharge) string { return stamp(c.end) }},
	{"ChargePeriodStart", func(c *focusCharge) string { return stamp(c.start) }},
	{"ConsumedQuantity", func(c *focusCharge) string { return c.consumed(c.quantity) }},
	{"ConsumedUnit", func(c *focusCharge) string { return c.consumed(c.unit) }},
	{"ContractedCost", func(c *focusCharge) string { return c.list.String() }},
	{"ContractedUnitPrice", func(c *focusCharge) string { return c.price }},
	{"EffectiveCost", func(c *focusCharge) string { return c.effective.String() }},
	{"InvoiceId", func(c *focusCharge) string { return guard(c.invoice) }},
	{"InvoiceIssuerName", func(c *focusCharge) string { return guard(c.info.Provider) }},
	{"ListCost", func(c *focusCharge) string { return c.list.String() }},
	{"ListUnitPrice", func(c *focusCharge) string { return c.price }},
	{"PricingCategory", func(c *focusCharge) string { return c.priced("Standard") }},
	{"PricingQuantity", func(c *focusCharge) string { return c.quantity }},
	{"PricingUnit", func(c *focusCharge) string { return c.unit }},
	{"ProviderName", func(c *focusCharge) string { return guard(c.info.Provider) }},
	{"PublisherName", func(c *focusCharge) string { return guard(c.info.Provider) }},
	{"RegionId", func(c *focusCharge) string { return guard(c.info.Region) }},
	{"ResourceId", func(c *focusCharge) string { return c.resourceID() }},
	{"ResourceName", func(c *focusCharge) string { _, name := c.workloadParts(); return guard(name) }},
	{"ResourceType", func(c *focusCharge) string { kind, _ := c.workloadParts(); return guard(kind) }},
	{"ServiceCategory", func(c *focusCharge) string { return c.service.category }},
	{"ServiceName", func(c *focusCharge) string { return c.service.name }},
	{"ServiceSubcategory", func(c *focusCharge) string { return c.service.subcategory }},
	{"SkuId", func(c *focusCharge) string { return c.sku }},
	{"SkuMeter", func(c *focusCharge) string { return c.meter }},
	{"SkuPriceId", func(c *focusCharge) string { return guard(c.skuPrice) }},
	{"SubAccountId", func(c *focusCharge) string { return c.info.Tenant }},
	{"SubAccountName", func(c *focusCharge) string { return c.info.Tenant }},
	{"SubAccountType", func(*focusCharge) string { return "Namespace" }},
	{"Tags", func(c *focusCharge) string { return c.tags() }},
	{"x_BalanceAfter", func(c *focusCharge) string { return c.balance.String() }},
	{"x_BalanceChange", func(c *focusCharge) string { return c.change.String() }},
	{"x_Hash", func(c *focusCharge) string { return c.entry.Hash }},
	{"x_LedgerSeq", func(c *focusCharge) string { return strconv.FormatInt(c.entry.Seq, 10) }},
	{"x_LedgerType", func(c *focusCharge) string { return string(c.entry.Type) }},
	{"x_PromoApplied", func(c *focusCharge) string { return c.promo.String() }},
	{"x_Waived", func(c *focusCharge) string { return c.waived.String() }},
}
