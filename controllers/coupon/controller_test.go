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
		"UsedUp":    {reason: "As often as it can be.", redeemed: 3, want: "UsedUp"},
		"Duplicate": {reason: "The first by name counts.", edit: func(c *billingv1.Coupon) { c.Spec.CodeSHA256 = "taken" }, want: "DuplicateCode"},
		"Unread":    {reason: "What cannot be counted is not told.", redeemed: -1},
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
