package coupon

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// counter says how often every coupon was redeemed.
type counter int64

// Redeemed implements Ledger.
func (c counter) Redeemed(context.Context, string) (int64, error) {
	if c < 0 {
		return 0, errBoom
	}

	return int64(c), nil
}

var (
	errBoom = errors.New("boom")
	now     = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
)

func at(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(d)} }

func coupon(name, hash string) *billingv1.Coupon {
	return &billingv1.Coupon{
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1},
		Spec:       billingv1.CouponSpec{CodeSHA256: hash, Amount: "1000", MaxRedemptions: 3},
	}
}

func TestReconcile(t *testing.T) {
	cases := map[string]struct {
		reason   string
		redeemed counter
		edit     func(*billingv1.Coupon)
		want     string
		after    time.Duration
	}{
		"Redeemable": {reason: "It can be redeemed, and is counted.", redeemed: 2, want: "Redeemable", after: lookAround},
		"EndsSoon": {
			reason: "Its end is not missed.", edit: func(c *billingv1.Coupon) { c.Spec.ValidUntil = at(10 * time.Second) },
			want: "Redeemable", after: 11 * time.Second,
		},
		"Scheduled": {
			reason: "Its time has not come.", edit: func(c *billingv1.Coupon) { c.Spec.ValidFrom = at(time.Hour) },
			want: "Scheduled", after: time.Hour + time.Second,
		},
		"Begins": {reason: "The first moment counts.", edit: func(c *billingv1.Coupon) { c.Spec.ValidFrom = at(0) }, want: "Redeemable", after: lookAround},
		"Expired": {
			reason: "The last moment does not.", edit: func(c *billingv1.Coupon) { c.Spec.ValidUntil = at(0) }, want: "Expired",
		},
		"UsedUp": {reason: "As often as it can be.", redeemed: 3, want: "UsedUp"},
		"Duplicate": {
			reason: "The first by name counts, for as long as it does.", edit: func(c *billingv1.Coupon) { c.Spec.CodeSHA256 = "taken" },
			want: "DuplicateCode", after: lookAround,
		},
		"Unread": {reason: "What cannot be counted is not told.", redeemed: -1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := billingv1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}

			o := coupon("mine", "mine")
			if tc.edit != nil {
				tc.edit(o)
			}
			cached := fake.NewClientBuilder().WithScheme(scheme).WithObjects(o.DeepCopy(), coupon("first", "taken"), coupon("zeta", "mine")).Build()

			result, err := New(cached, tc.redeemed, func() time.Time { return now }).Reconcile(t.Context(), o)

			reason, after := "", result.RequeueAfter
			var (
				wait  *outcome.Wait
				stall *outcome.Stall
			)

			switch {
			case errors.As(err, &wait):
				reason, after = wait.Reason, wait.After
			case errors.As(err, &stall):
				reason = stall.Reason
			case err == nil:
				reason = conditions.Get(o, conditions.Ready).Reason
			case !errors.Is(err, errBoom):
				t.Fatal(err)
			}

			if reason != tc.want || after != tc.after || o.Status.Redeemed != max(0, int64(tc.redeemed)) {
				t.Errorf("%s\ngot %q after %v, redeemed %d: %v", tc.reason, reason, after, o.Status.Redeemed, err)
			}
		})
	}
}

// TestReplaces: a coupon is said to be another one's duplicate when whoever types the code gets that one, and only then.
func TestReplaces(t *testing.T) {
	plans := func(names ...dogkerv1.DNSLabel) func(*billingv1.Coupon) {
		return func(c *billingv1.Coupon) { c.Spec.PlanNames = names }
	}
	percent := func(c *billingv1.Coupon) { c.Spec.Amount, c.Spec.Percent, c.Spec.MaxAmount = "", 10, "1000" }
	same := func(*billingv1.Coupon) {}

	cases := map[string]struct {
		reason     string
		other, own func(*billingv1.Coupon)
		want       bool
	}{
		"Same":          {"Everybody gets the other one.", same, same, true},
		"OtherCode":     {"They have nothing to do with each other.", func(c *billingv1.Coupon) { c.Spec.CodeSHA256 = "other" }, same, false},
		"Over":          {"Last year's is redeemed no more; its code may be used again.", func(c *billingv1.Coupon) { c.Spec.ValidUntil = at(0) }, same, false},
		"NotYet":        {"Nor is next year's.", func(c *billingv1.Coupon) { c.Spec.ValidFrom = at(time.Second) }, same, false},
		"Going":         {"Nor is one that is deleted.", func(c *billingv1.Coupon) { c.DeletionTimestamp = at(0) }, same, false},
		"OtherPlan":     {"One code may be worth something else in each plan.", plans("large"), plans("small"), false},
		"SomePlans":     {"Some get this one.", plans("large"), plans("small", "large"), false},
		"AllPlans":      {"Nobody gets this one.", plans("small", "large"), plans("large"), true},
		"ForEverybody":  {"Tenants of other plans get this one.", plans("large"), same, false},
		"FromEverybody": {"The other one is for all.", same, plans("large"), true},
		"Percent":       {"Without a payment it is this one.", percent, same, false},
		"BothPercent":   {"Both take one.", percent, percent, true},
		"PercentBehind": {"A fixed amount is given with a payment, too.", same, percent, true},
	}
	for name, tc := range cases {
		other, own := coupon("a", "one"), coupon("b", "one")
		tc.other(other)
		tc.own(own)

		if got := replaces(other, own, now); got != tc.want {
			t.Errorf("%s: %s\ngot %t", name, tc.reason, got)
		}
	}
}

func TestSameCode(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := billingv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	a := coupon("a", "one")
	cached := fake.NewClientBuilder().WithScheme(scheme).WithObjects(a.DeepCopy(), coupon("b", "one"), coupon("c", "two")).Build()

	got := sameCode(t.Context(), cached, a)
	if len(got) != 1 || got[0].Name != "b" {
		t.Errorf("asked for %v", got)
	}
}
