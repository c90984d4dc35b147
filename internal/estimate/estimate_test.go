package estimate

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/golden"
	"github.com/dogker/dogker/reconciler/money"
)

const shop = `# A shop, and things that cost nothing here.
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: registry.example/shop:1.4
  replicas: 3
  resources:
    requests: {cpu: 250m, memory: 128Mi}
    limits: {cpu: "1", memory: 256Mi}
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: List
items:
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: db}
  spec: {image: postgres:17, resources: {limits: {cpu: 500m, memory: 1Gi}}}
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: logs}
  spec: {image: vector:1, mode: Global, resources: {requests: {cpu: 10m, memory: 4194305}}}
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: asleep, annotations: {dogker.io/suspend: ""}}
  spec: {image: busybox, resources: {requests: {cpu: 1, memory: 1Gi}}}
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: bare}
  spec: {image: busybox}
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: back}
  spec: {image: busybox, rollbackTo: 3}
`

func standard() *billingv1.PriceList {
	return &billingv1.PriceList{
		ObjectMeta: metav1.ObjectMeta{Name: "standard"},
		Spec: billingv1.PriceListSpec{
			Prices: billingv1.Prices{CPU: "150", Memory: "37.5", Replica: "0.25"}, TaxNote: "Prices include 11% PPN.",
		},
	}
}

// TestTable shows an estimate as people get it.
func TestTable(t *testing.T) {
	containers, err := Read(strings.NewReader(shop), nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Of(standard(), containers, 4)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "estimate.golden"), out.String())

	var sum money.Micro
	for _, l := range report.Lines {
		sum += l.Hour
	}
	if off := sum - report.Hour; off < 0 || off > money.Micro(3*len(report.Lines)) {
		t.Errorf("the lines add up to %s, all together cost %s", sum, report.Hour)
	}
}

// TestDefaults: what a plan fills in is in it, as admission would have it.
func TestDefaults(t *testing.T) {
	fill := func(spec map[string]any) {
		spec["resources"] = map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "64Mi"}}
	}
	got, err := Read(strings.NewReader("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n"), fill)
	if err != nil || len(got) != 1 || got[0].Spec.Resources.Requests.CPU.String() != "100m" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	const head = "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n"
	for claim, tc := range map[string]struct{ reason, text, says string }{
		"UnknownField": {"A request that is spelled wrong would cost nothing.", head + "spec: {image: a, resources: {request: {cpu: 1}}}\n", `document 1: TenantContainer "web"`},
		"NoQuantity":   {"The value is named.", head + "spec: {image: a, resources: {requests: {cpu: lots}}}\n", "quantit"},
		"NoYAML":       {"The document is named.", "a: b\n---\n{", "document 2"},
		"TwiceTheKey":  {"Nobody knows which of two counts.", "a: 1\na: 2\n", "document 1"},
		"ListOfText":   {"A list has objects.", "items: [a]\n", "items[0]"},
		"TooMuch":      {"Nobody writes that much.", strings.Repeat("# padding\n", maxBytes/10+1), "bytes"},
	} {
		t.Run(claim, func(t *testing.T) {
			if got, err := Read(strings.NewReader(tc.text), nil); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\ngot %v, %v", tc.reason, got, err)
			}
		})
	}
}

func TestReadPrices(t *testing.T) {
	const list = "apiVersion: billing.dogker.io/v1alpha1\nkind: PriceList\nmetadata: {name: %s}\nspec: {prices: {cpu: \"150\"}}\n"
	one, other := strings.Replace(list, "%s", "a", 1), strings.Replace(list, "%s", "b", 1)
	if got, err := ReadPrices(strings.NewReader(one)); err != nil || got.Spec.Prices.CPU != "150" {
		t.Errorf("%+v, %v", got, err)
	}
	for claim, text := range map[string]string{
		"None": shop, "Two": one + "---\n" + other, "Misspelled": strings.Replace(one, "cpu", "cpus", 1), "Empty": "",
	} {
		if got, err := ReadPrices(strings.NewReader(text)); err == nil {
			t.Errorf("%s is read as %+v", claim, got)
		}
	}
}

// TestTooMuch: what is more than there is money is an error, and not a small number.
func TestTooMuch(t *testing.T) {
	list := standard()
	list.Spec.Prices.Replica = "999999999999"
	tc := &dogkerv1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	report, err := Of(list, []*dogkerv1.TenantContainer{tc}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.WriteTable(&bytes.Buffer{}); err == nil {
		t.Error("720 hours of 999 billion rupiah were printed")
	}
	list.Spec.Prices.CPU = "many"
	if _, err := Of(list, nil, 1); err == nil || !strings.Contains(err.Error(), "spec.prices.cpu") {
		t.Errorf("got %v", err)
	}
}
