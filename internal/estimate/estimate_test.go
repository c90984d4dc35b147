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
- apiVersion: dogker.io/v1alpha1
  kind: TenantContainer
  metadata: {name: office}
  spec:
    image: busybox
    resources: {requests: {cpu: 1, memory: 1Gi}}
    schedule: {windows: [{days: [Mon, Tue, Wed, Thu, Fri], start: "08:00", stop: "18:00"}]}
- apiVersion: dogker.io/v1alpha1
  kind: Volume
  metadata: {name: data}
  spec: {size: 10Gi, snapshots: {schedule: "@daily"}}
- apiVersion: dogker.io/v1alpha1
  kind: Volume
  metadata: {name: odd}
  spec: {size: 1500M}
- apiVersion: dogker.io/v1alpha1
  kind: TenantJob
  metadata: {name: report}
  spec: {schedule: "@daily", template: {image: busybox}}
`

func standard() *billingv1.PriceList {
	return &billingv1.PriceList{
		ObjectMeta: metav1.ObjectMeta{Name: "standard"},
		Spec: billingv1.PriceListSpec{
			Prices: billingv1.Prices{CPU: "150", Memory: "37.5", Storage: "0.7", Replica: "0.25"}, TaxNote: "Prices include 11% PPN.",
		},
	}
}

// TestTable shows an estimate as people get it.
func TestTable(t *testing.T) {
	var shopping Declared
	if err := shopping.Read(strings.NewReader(shop), nil); err != nil {
		t.Fatal(err)
	}
	report, err := Of(standard(), shopping, 4)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "estimate.golden"), out.String())

	var hour, day, month money.Micro
	for _, l := range report.Lines {
		hour, day, month = hour+l.Hour, day+l.Day, month+l.Month
	}
	// Each of a few meters is rounded up in each line, for 720 hours.
	within := money.Micro(4 * len(report.Lines))
	for name, off := range map[string]money.Micro{"hour": hour - report.Total.Hour, "day": (day - report.Total.Day) / 24, "month": (month - report.Total.Month) / 720} {
		if off < 0 || off > within {
			t.Errorf("the lines add up to %s more for a %s than all together", off, name)
		}
	}
}

// TestSchedule: what runs for a part of the week costs that part; a Volume costs all of it.
func TestSchedule(t *testing.T) {
	var d Declared
	if err := d.Read(strings.NewReader(shop), nil); err != nil {
		t.Fatal(err)
	}
	report, err := Of(standard(), d, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range report.Lines {
		want := l.Hour * 24
		if l.Name == "office" {
			want = l.Hour * 50 / 7 // Ten hours on five days of seven.
		}
		if off := l.Day - want; off < 0 || off > 1 {
			t.Errorf("a day of %s is %s, want %s", l.Name, l.Day, want)
		}
	}
}

// TestDefaults: what a plan fills in is in it, as admission would have it.
func TestDefaults(t *testing.T) {
	fill := func(spec map[string]any) {
		spec["resources"] = map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "64Mi"}}
	}
	var got Declared
	err := got.Read(strings.NewReader("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n"), fill)
	if err != nil || len(got.Containers) != 1 || got.Containers[0].Spec.Resources.Requests.CPU.String() != "100m" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	const head = "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n"
	for claim, tc := range map[string]struct{ reason, text, says string }{
		"UnknownField": {"A request that is spelled wrong would cost nothing.", head + "spec: {image: a, resources: {request: {cpu: 1}}}\n", `document 1: TenantContainer "web"`},
		"NoQuantity":   {"The value is named.", head + "spec: {image: a, resources: {requests: {cpu: lots}}}\n", "quantit"},
		"NoSize":       {"A Volume without one would cost nothing.", "apiVersion: dogker.io/v1alpha1\nkind: Volume\nmetadata: {name: data}\nspec: {}\n", `volume "data": spec.size`},
		"NoYAML":       {"The document is named.", "a: b\n---\n{", "document 2"},
		"TwiceTheKey":  {"Nobody knows which of two counts.", "a: 1\na: 2\n", "document 1"},
		"ListOfText":   {"A list has objects.", "items: [a]\n", "items[0]"},
		"TooMuch":      {"Nobody writes that much.", strings.Repeat("# padding\n", maxBytes/10+1), "bytes"},
	} {
		t.Run(claim, func(t *testing.T) {
			var got Declared
			if err := got.Read(strings.NewReader(tc.text), nil); err == nil || !strings.Contains(err.Error(), tc.says) {
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
	if _, err := Of(list, Declared{Containers: []*dogkerv1.TenantContainer{tc}}, 1); err == nil {
		t.Error("720 hours of 999 billion rupiah are an amount")
	}
	list.Spec.Prices.CPU = "many"
	if _, err := Of(list, Declared{}, 1); err == nil || !strings.Contains(err.Error(), "spec.prices.cpu") {
		t.Errorf("got %v", err)
	}
}
