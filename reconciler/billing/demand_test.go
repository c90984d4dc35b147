package billing

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
)

func TestDemandOf(t *testing.T) {
	quantity := func(s string) *resource.Quantity { return new(resource.MustParse(s)) }
	sized := func(change func(*dogkerv1.TenantContainer)) *dogkerv1.TenantContainer {
		tc := &dogkerv1.TenantContainer{Spec: dogkerv1.TenantContainerSpec{
			Replicas: new(int32(3)),
			Resources: &dogkerv1.Resources{
				Requests: &dogkerv1.ResourceRequests{CPU: quantity("250m"), Memory: quantity("64Mi")},
				Limits:   &dogkerv1.ResourceLimits{CPU: quantity("2"), Memory: quantity("1Gi")},
			},
		}}
		change(tc)

		return tc
	}
	now := metav1.Now()
	cases := map[string]struct {
		reason string
		change func(*dogkerv1.TenantContainer)
		want   Demand
	}{
		"Requests": {reason: "What is set aside is paid for, not what may be used.", change: func(*dogkerv1.TenantContainer) {}, want: Demand{3, 250_000_000, 64 << 20}},
		"LimitsAlone": {
			reason: "What has a limit and no request gets the limit set aside.",
			change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Resources.Requests = nil }, want: Demand{3, 2_000_000_000, 1 << 30},
		},
		"OneOfEach": {
			reason: "Each resource by itself.",
			change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Resources.Requests.Memory = nil }, want: Demand{3, 250_000_000, 1 << 30},
		},
		"Nothing": {
			reason: "Nothing is set aside for who asks for nothing.",
			change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Resources = nil }, want: Demand{Tasks: 3},
		},
		"PartOfABillionth": {
			reason: "Swarm is told whole numbers, rounded up.",
			change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Resources.Requests.Memory = quantity("4194304500m") }, want: Demand{3, 250_000_000, 4194305},
		},
		"NoReplicas": {reason: "One is what not saying means.", change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Replicas = nil }, want: Demand{1, 250_000_000, 64 << 20}},
		"Suspended": {
			reason: "A person has stopped it, and will start it again.",
			change: func(tc *dogkerv1.TenantContainer) {
				tc.Annotations = map[string]string{dogkerv1.AnnotationSuspend: ""}
			},
			want: Demand{0, 250_000_000, 64 << 20},
		},
		"Deleted": {reason: "It is going.", change: func(tc *dogkerv1.TenantContainer) { tc.DeletionTimestamp = &now }, want: Demand{0, 250_000_000, 64 << 20}},
		"Global": {
			reason: "There are nodes for five.",
			change: func(tc *dogkerv1.TenantContainer) {
				tc.Spec.Mode, tc.Spec.Replicas, tc.Status.Tasks, tc.Status.Replicas = dogkerv1.ModeGlobal, nil, "2/5", 4
			},
			want: Demand{5, 250_000_000, 64 << 20},
		},
		"NewGlobal": {
			reason: "Nobody has counted nodes yet, and it will not run nowhere.",
			change: func(tc *dogkerv1.TenantContainer) { tc.Spec.Mode, tc.Spec.Replicas = dogkerv1.ModeGlobal, nil }, want: Demand{1, 250_000_000, 64 << 20},
		},
		"SuspendedGlobal": {
			reason: "What billing has stopped is to run again, and that costs one node's at least.",
			change: func(tc *dogkerv1.TenantContainer) {
				tc.Spec.Mode, tc.Spec.Replicas, tc.Status.Tasks = dogkerv1.ModeGlobal, nil, "0/0"
			},
			want: Demand{1, 250_000_000, 64 << 20},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, DemandOf(sized(c.change))); diff != "" {
				t.Errorf("%s\n-want +got\n%s", c.reason, diff)
			}
		})
	}
}

func TestRateOf(t *testing.T) {
	prices := map[money.Meter]money.Micro{money.CPU: rupiah(150), money.Memory: rupiah(40), money.Replica: rupiah(1)}
	got, err := RateOf(prices, Demand{2, 500_000_000, 1 << 29}, Demand{1, 0, 1 << 30}, Demand{0, 8_000_000_000, 1 << 40})
	if want := rupiah(150 + 40 + 2 + 40 + 1); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := RateOf(prices); err != nil || got != 0 {
		t.Errorf("nothing costs %s, %v", got, err)
	}
	if got, err := RateOf(map[money.Meter]money.Micro{money.CPU: 1 << 62}, Demand{10_000, 1_000_000_000_000, 0}); err == nil {
		t.Errorf("an amount that does not fit is %s", got)
	}
}

// TestRateRoundsUp: the rate is what an hour costs, exactly, and less than one micro-rupiah more for each meter.
func TestRateRoundsUp(t *testing.T) {
	meters := []money.Meter{money.CPU, money.Memory, money.Replica}
	rapid.Check(t, func(t *rapid.T) {
		prices := map[money.Meter]money.Micro{}
		for _, m := range meters {
			prices[m] = money.Micro(rapid.Int64Range(0, 1e12).Draw(t, string(m)))
		}
		var demands []Demand
		exact := new(big.Rat)
		for range rapid.IntRange(0, 6).Draw(t, "containers") {
			d := Demand{rapid.Int64Range(0, 50).Draw(t, "tasks"), rapid.Int64Range(0, 64e9).Draw(t, "cpu"), rapid.Int64Range(0, 1<<36).Draw(t, "memory")}
			demands = append(demands, d)
			for m, each := range map[money.Meter]int64{money.CPU: d.NanoCPUs, money.Memory: d.MemoryBytes, money.Replica: 1} {
				n := new(big.Int).Mul(big.NewInt(each), big.NewInt(d.Tasks*3600))
				n.Mul(n, big.NewInt(int64(prices[m])))
				exact.Add(exact, new(big.Rat).SetFrac(n, new(big.Int).SetUint64(m.Divisor())))
			}
		}
		got, err := RateOf(prices, demands...)
		if err != nil {
			t.Fatal(err)
		}
		over := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
		if over.Sign() < 0 || over.Cmp(big.NewRat(int64(len(meters)), 1)) >= 0 {
			t.Fatalf("%s is %s more than %s", got, over.FloatString(3), exact.FloatString(3))
		}
	})
}
