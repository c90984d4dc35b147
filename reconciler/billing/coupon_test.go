package billing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// coupon is one for WELCOME-1 that gives 25,000; changes make it another.
func coupon(name string, changes ...func(*billingv1.Coupon)) billingv1.Coupon {
	c := billingv1.Coupon{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       billingv1.CouponSpec{CodeSHA256: billing.HashCode("WELCOME-1"), Amount: "25000", MaxRedemptions: 10},
	}
	for _, change := range changes {
		change(&c)
	}

	return c
}

func share(percent int32, most billingv1.WholeAmount) func(*billingv1.Coupon) {
	return func(c *billingv1.Coupon) { c.Spec.Amount, c.Spec.Percent, c.Spec.MaxAmount = "", percent, most }
}

func at(t time.Time) *metav1.Time { return &metav1.Time{Time: t} }

func TestHashCode(t *testing.T) {
	// What sha256sum makes of the code in capitals.
	const want = "1bfddfcfb9e0d5637e7cadb61082a1db7b44aa573f5c6c7e8b17f06db6d84fd2"

	for _, code := range []billingv1.CouponCode{"CPU-GIFT", "cpu-gift", "Cpu-Gift"} {
		if got := billing.HashCode(code); got != want {
			t.Errorf("HashCode(%q) = %s, want %s", code, got, want)
		}
	}
}

func TestRedemptionCoupon(t *testing.T) {
	cases := map[string]struct {
		reason  string
		try     billing.Redemption
		coupons []billingv1.Coupon
		want    string
	}{
		"Accepted":    {"Capitals do not matter.", billing.Redemption{Code: "welcome-1", At: noon}, []billingv1.Coupon{coupon("a")}, "a"},
		"Unknown":     {"A guess.", billing.Redemption{Code: "WELCOME-2", At: noon}, []billingv1.Coupon{coupon("a")}, ""},
		"NoCoupons":   {"There is nothing to redeem.", billing.Redemption{Code: "WELCOME-1", At: noon}, nil, ""},
		"NotYet":      {"It can be redeemed from then on.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.Spec.ValidFrom = at(noon.Add(time.Second)) })}, ""},
		"FromNowOn":   {"The first moment is in it.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.Spec.ValidFrom = at(noon) })}, "a"},
		"Over":        {"The last moment is not in it.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.Spec.ValidUntil = at(noon) })}, ""},
		"OtherPlan":   {"It is for others.", billing.Redemption{Code: "WELCOME-1", At: noon, Plan: "small"}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.Spec.PlanNames = []v1alpha1.DNSLabel{"large"} })}, ""},
		"ItsPlan":     {"It is for those.", billing.Redemption{Code: "WELCOME-1", At: noon, Plan: "large"}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.Spec.PlanNames = []v1alpha1.DNSLabel{"large"} })}, "a"},
		"BeingTaken":  {"Nobody redeems what is being deleted.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", func(c *billingv1.Coupon) { c.DeletionTimestamp = at(noon) })}, ""},
		"ShareAlone":  {"A share of a payment needs one.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", share(10, "50000"))}, ""},
		"ShareOfIt":   {"With a payment it is one.", billing.Redemption{Code: "WELCOME-1", At: noon, Payment: money.Rupiah}, []billingv1.Coupon{coupon("a", share(10, "50000"))}, "a"},
		"SameCode":    {"Of two that can be redeemed the first by name counts.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("b"), coupon("a"), coupon("c")}, "a"},
		"OneIsLeft":   {"One that cannot be redeemed stands in nobody's way.", billing.Redemption{Code: "WELCOME-1", At: noon}, []billingv1.Coupon{coupon("a", share(10, "50000")), coupon("b")}, "b"},
		"FixedWithIt": {"A fixed amount may come with a payment, too.", billing.Redemption{Code: "WELCOME-1", At: noon, Payment: money.Rupiah, Order: "dk-1"}, []billingv1.Coupon{coupon("a")}, "a"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.try.Coupon(tc.coupons)

			switch {
			case tc.want == "" && !errors.Is(err, billing.ErrCodeNotAccepted):
				t.Errorf("%s\ngot %+v, %v; want ErrCodeNotAccepted", tc.reason, got, err)
			case tc.want != "" && (err != nil || got.Name != tc.want):
				t.Errorf("%s\ngot %+v, %v; want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}

func TestRedemptionGrant(t *testing.T) {
	cases := map[string]struct {
		reason string
		try    billing.Redemption
		coupon billingv1.Coupon
		want   book.Lot
		fails  bool
	}{
		"Fixed": {"It is what it says.", billing.Redemption{At: noon}, coupon("a"), book.Lot{Left: 25_000 * money.Rupiah}, false},
		"Share": {
			"Whole rupiah, rounded down, and it goes back with its payment.",
			billing.Redemption{At: noon, Order: "dk-1", Payment: 12_345 * money.Rupiah}, coupon("a", share(10, "50000")),
			book.Lot{Left: 1_234 * money.Rupiah, Order: "dk-1"}, false,
		},
		"ShareBounded": {
			"A large payment brings no more than that.",
			billing.Redemption{At: noon, Payment: 999_999_999_999 * money.Rupiah}, coupon("a", share(100, "50000")),
			book.Lot{Left: 50_000 * money.Rupiah}, false,
		},
		"ShareOfLittle": {"Less than a rupiah is nothing.", billing.Redemption{At: noon, Payment: 9 * money.Rupiah}, coupon("a", share(10, "50000")), book.Lot{}, true},
		"Expires": {
			"On a whole hour, never too early.",
			billing.Redemption{At: noon.Add(time.Minute)},
			coupon("a", func(c *billingv1.Coupon) { c.Spec.ExpirationDays, c.Spec.Meter = 2, "cpu" }),
			book.Lot{Left: 25_000 * money.Rupiah, Expires: noon.Add(49 * time.Hour).Unix(), Meter: money.CPU}, false,
		},
		"ExpiresOnTheHour": {
			"A whole hour stays what it is.",
			billing.Redemption{At: noon}, coupon("a", func(c *billingv1.Coupon) { c.Spec.ExpirationDays = 1 }),
			book.Lot{Left: 25_000 * money.Rupiah, Expires: noon.Add(24 * time.Hour).Unix()}, false,
		},
		"NoAmount":  {"What no API server would have let in is refused.", billing.Redemption{At: noon}, coupon("a", func(c *billingv1.Coupon) { c.Spec.Amount = "1e5" }), book.Lot{}, true},
		"NoBound":   {"A share without a bound is refused.", billing.Redemption{At: noon, Payment: money.Rupiah}, coupon("a", share(10, "")), book.Lot{}, true},
		"NoPercent": {"A share of nothing is refused.", billing.Redemption{At: noon, Payment: money.Rupiah}, coupon("a", share(101, "1")), book.Lot{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.try.Grant(&tc.coupon)
			if tc.fails {
				if err == nil {
					t.Errorf("%s\ngot %+v", tc.reason, got)
				}

				return
			}

			tc.want.ID = "grant:a"
			want := book.Grant{ID: "grant:a", Lot: tc.want, Coupon: "a", CouponLimit: 10, Actor: billing.CouponActor}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s\n%v (-want +got):\n%s", tc.reason, err, diff)
			}

			head := book.State{Head: book.NewHead("acme"), Order: book.Order{}}
			if _, err := book.Apply(head, got, nil, tc.try.At); err != nil {
				t.Errorf("%s\nthe books refuse it: %v", tc.reason, err)
			}
		})
	}
}
