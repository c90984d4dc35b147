package ledger

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rowOf is one row of a dataset, by column.
type rowOf map[string]string

func (r rowOf) decimal(column string) *big.Rat {
	n, ok := new(big.Rat).SetString(r[column])
	if !ok {
		return new(big.Rat)
	}

	return n
}

// nulls say when a column is null.
type nulls func(r rowOf) (must, mustNot bool)

func never(rowOf) (bool, bool)     { return false, true }
func sometimes(rowOf) (bool, bool) { return false, false }

// sold are the columns about prices: they are there for what is used or bought, and never for taxes.
func sold(r rowOf) (bool, bool) {
	category := r["ChargeCategory"]

	return category == "Tax", (category == "Usage" || category == "Purchase") && r["ChargeClass"] != "Correction"
}

// used are the columns about consumption.
func used(r rowOf) (bool, bool) {
	return r["ChargeCategory"] != "Usage", r["ChargeCategory"] == "Usage" && r["ChargeClass"] != "Correction"
}

// with is null where another column is, and not where it is not.
func with(other string) nulls {
	return func(r rowOf) (bool, bool) { return r[other] == "", r[other] != "" }
}

// focusRule is what FOCUS 1.2 demands of a column. The source is the page of the specification, below specification/ of its
// repository at the tag v1.2.
type focusRule struct {
	column, level, kind string
	null                nulls
	allowed             []string
	source              string
	check               func(r rowOf) error
}

// product holds a cost against quantity and unit price.
func product(cost, price string) func(rowOf) error {
	return func(r rowOf) error {
		if r[price] == "" {
			if r[cost] != r["BilledCost"] {
				return fmt.Errorf("without a unit price it must be BilledCost, %s", r["BilledCost"])
			}
			return nil
		}
		if r["PricingQuantity"] == "" || r["ChargeClass"] == "Correction" {
			return nil
		}
		want := new(big.Rat).Mul(r.decimal("PricingQuantity"), r.decimal(price))
		off := new(big.Rat).Sub(r.decimal(cost), want)
		if off.Abs(off).Cmp(precision(r)) > 0 {
			return fmt.Errorf("it differs from quantity times price, %s, by %s", want.FloatString(9), off.FloatString(9))
		}
		return nil
	}
}

// precision is what docs/reference/ledger.md publishes: a millionth of a rupiah for each minute that a row is about.
func precision(r rowOf) *big.Rat {
	from, err1 := time.Parse(time.RFC3339, r["ChargePeriodStart"])
	to, err2 := time.Parse(time.RFC3339, r["ChargePeriodEnd"])
	if err1 != nil || err2 != nil {
		return new(big.Rat)
	}

	return big.NewRat(int64(to.Sub(from)/time.Minute)+1, 1_000_000)
}

var focusRules = []focusRule{
	{"BilledCost", "Mandatory", "Decimal", never, nil, "columns/billedcost.md", nil},
	{"BillingAccountId", "Mandatory", "String", never, nil, "columns/billingaccountid.md", nil},
	{"BillingAccountName", "Mandatory", "String", never, nil, "columns/billingaccountname.md", nil},
	{"BillingAccountType", "Conditional", "String", with("BillingAccountId"), nil, "columns/billingaccounttype.md", nil},
	{"BillingCurrency", "Mandatory", "Currency", never, []string{"IDR"}, "columns/billingcurrency.md", nil},
	{"BillingPeriodEnd", "Mandatory", "DateTime", never, nil, "columns/billingperiodend.md", nil},
	{"BillingPeriodStart", "Mandatory", "DateTime", never, nil, "columns/billingperiodstart.md", func(r rowOf) error {
		if r["BillingPeriodStart"] >= r["BillingPeriodEnd"] {
			return fmt.Errorf("it is not before the end, %s", r["BillingPeriodEnd"])
		}
		return nil
	}},
	{"ChargeCategory", "Mandatory", "String", never, []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}, "columns/chargecategory.md", nil},
	{"ChargeClass", "Mandatory", "String", sometimes, []string{"Correction"}, "columns/chargeclass.md", nil},
	{"ChargeDescription", "Mandatory", "String", never, nil, "columns/chargedescription.md", nil},
	{"ChargeFrequency", "Recommended", "String", never, []string{"One-Time", "Recurring", "Usage-Based"}, "columns/chargefrequency.md", func(r rowOf) error {
		if r["ChargeCategory"] == "Purchase" && r["ChargeFrequency"] == "Usage-Based" {
			return fmt.Errorf("a purchase is not usage-based")
		}
		return nil
	}},
	{"ChargePeriodEnd", "Mandatory", "DateTime", never, nil, "columns/chargeperiodend.md", nil},
	{"ChargePeriodStart", "Mandatory", "DateTime", never, nil, "columns/chargeperiodstart.md", func(r rowOf) error {
		if r["ChargePeriodStart"] >= r["ChargePeriodEnd"] {
			return fmt.Errorf("it is not before the end, %s", r["ChargePeriodEnd"])
		}
		return nil
	}},
	{"ConsumedQuantity", "Conditional", "Decimal", used, nil, "columns/consumedquantity.md", nil},
	{"ConsumedUnit", "Conditional", "Unit", with("ConsumedQuantity"), nil, "columns/consumedunit.md", nil},
	{"ContractedCost", "Mandatory", "Decimal", never, nil, "columns/contractedcost.md", product("ContractedCost", "ContractedUnitPrice")},
	{"ContractedUnitPrice", "Conditional", "Price", sold, nil, "columns/contractedunitprice.md", nil},
	{"EffectiveCost", "Mandatory", "Decimal", never, nil, "columns/effectivecost.md", func(r rowOf) error {
		switch category := r["ChargeCategory"]; {
		case category == "Purchase" && r.decimal("EffectiveCost").Sign() != 0:
			return fmt.Errorf("a purchase that covers future charges has none")
		case category != "Purchase" && category != "Usage" && r["EffectiveCost"] != r["BilledCost"]:
			return fmt.Errorf("it must be BilledCost, %s", r["BilledCost"])
		default:
			return nil
		}
	}},
	{"InvoiceId", "Recommended", "String", sometimes, nil, "columns/invoiceid.md", nil},
	{"InvoiceIssuerName", "Mandatory", "String", never, nil, "columns/invoiceissuer.md", nil},
	{"ListCost", "Mandatory", "Decimal", never, nil, "columns/listcost.md", product("ListCost", "ListUnitPrice")},
	{"ListUnitPrice", "Conditional", "Price", sold, nil, "columns/listunitprice.md", nil},
	{"PricingCategory", "Conditional", "String", sold, []string{"Standard", "Dynamic", "Committed", "Other"}, "columns/pricingcategory.md", nil},
	{"PricingQuantity", "Mandatory", "Decimal", sold, nil, "columns/pricingquantity.md", nil},
	{"PricingUnit", "Mandatory", "Unit", with("PricingQuantity"), nil, "columns/pricingunit.md", nil},
	{"ProviderName", "Mandatory", "String", never, nil, "columns/provider.md", nil},
	{"PublisherName", "Mandatory", "String", never, nil, "columns/publisher.md", nil},
	{"RegionId", "Conditional", "String", sometimes, nil, "columns/regionid.md", nil},
	{"ResourceId", "Conditional", "String", used, nil, "columns/resourceid.md", nil},
	{"ResourceName", "Conditional", "String", with("ResourceId"), nil, "columns/resourcename.md", nil},
	{"ResourceType", "Conditional", "String", with("ResourceId"), nil, "columns/resourcetype.md", nil},
	{"ServiceCategory", "Mandatory", "String", never, []string{
		"AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools", "Multicloud",
		"Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile", "Networking",
		"Security", "Storage", "Web", "Other",
	}, "columns/servicecategory.md", nil},
	{"ServiceName", "Mandatory", "String", never, nil, "columns/servicename.md", nil},
	{"ServiceSubcategory", "Recommended", "String", never, nil, "columns/servicesubcategory.md", func(r rowOf) error {
		if !slices.Contains(subcategories[r["ServiceCategory"]], r["ServiceSubcategory"]) {
			return fmt.Errorf("there is none of %q", r["ServiceCategory"])
		}
		return nil
	}},
	{"SkuId", "Conditional", "String", sold, nil, "columns/skuid.md", nil},
	{"SkuMeter", "Conditional", "String", with("SkuId"), nil, "columns/skumeter.md", nil},
	{"SkuPriceId", "Conditional", "String", sold, nil, "columns/skupriceid.md", nil},
	{"SubAccountId", "Conditional", "String", never, nil, "columns/subaccountid.md", nil},
	{"SubAccountName", "Conditional", "String", with("SubAccountId"), nil, "columns/subaccountname.md", nil},
	{"SubAccountType", "Conditional", "String", with("SubAccountId"), nil, "columns/subaccounttype.md", nil},
	{"Tags", "Conditional", "JSON", sometimes, nil, "columns/tags.md", nil},
}

// subcategories are those of the categories that occur here.
var subcategories = map[string][]string{
	"Compute":    {"Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines", "Other (Compute)"},
	"Networking": {"Application Networking", "Content Delivery", "Network Connectivity", "Network Infrastructure", "Network Routing", "Network Security", "Other (Networking)"},
	"Storage":    {"Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms", "Other (Storage)"},
	"Other":      {"Other (Other)"},
}

// kinds are the forms of values: attributes/{numeric,datetime,currency,unit,string}_format.md and string_handling.md.
var kinds = map[string]*regexp.Regexp{
	"Decimal":  regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`),
	"Price":    regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
	"DateTime": regexp.MustCompile(`^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$`),
	"Currency": regexp.MustCompile(`^[A-Z]{3}$`),
	"Unit":     regexp.MustCompile(`^(GiB|[A-Z][a-z]+|([A-Z][A-Za-z]+)-(Hours|Days|Months))$`),
	"String":   regexp.MustCompile(`\S`),
	"JSON":     regexp.MustCompile(`^\{.*\}$`),
}

// mandatory is how many columns the specification demands of every dataset.
const mandatory = 21

// violations lists what is wrong with a dataset.
func violations(header []string, rows []rowOf) []string {
	var out []string
	demanded, custom := 0, false
	for i, column := range header {
		isCustom := strings.HasPrefix(column, "x_")
		if custom && !isCustom {
			out = append(out, fmt.Sprintf("%s comes after columns of our own (attributes/column_handling.md)", column))
		}
		custom = custom || isCustom
		if !isCustom && !slices.ContainsFunc(focusRules, func(f focusRule) bool { return f.column == column }) {
			out = append(out, fmt.Sprintf("there is no column %s in FOCUS 1.2", column))
		}
		if slices.Index(header, column) != i {
			out = append(out, fmt.Sprintf("%s is there twice", column))
		}
	}
	for _, rule := range focusRules {
		if rule.level == "Mandatory" {
			demanded++
		}
		if !slices.Contains(header, rule.column) {
			out = append(out, fmt.Sprintf("%s is missing (%s)", rule.column, rule.source))
			continue
		}
		for n, row := range rows {
			if err := rule.violated(row); err != nil {
				out = append(out, fmt.Sprintf("row %d: %s is %q: %v (%s)", n+1, rule.column, row[rule.column], err, rule.source))
			}
		}
	}
	if demanded != mandatory {
		out = append(out, fmt.Sprintf("the rules know %d mandatory columns", demanded))
	}

	return out
}

func (f focusRule) violated(r rowOf) error {
	value := r[f.column]
	must, mustNot := f.null(r)
	switch {
	case value == "" && mustNot:
		return fmt.Errorf("it must not be null")
	case value != "" && must:
		return fmt.Errorf("it must be null")
	case value == "":
		return nil
	case !kinds[f.kind].MatchString(value):
		return fmt.Errorf("it is no %s", f.kind)
	case len(f.allowed) > 0 && !slices.Contains(f.allowed, value):
		return fmt.Errorf("it must be one of %v", f.allowed)
	case f.kind == "DateTime":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return err
		}
	case f.kind == "JSON":
		var flat map[string]string
		if err := json.Unmarshal([]byte(value), &flat); err != nil {
			return fmt.Errorf("it is no flat object of strings: %w", err)
		}
	}
	if f.check == nil {
		return nil
	}

	return f.check(r)
}
