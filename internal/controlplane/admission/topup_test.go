package admission

import (
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/payment"
)

// topUp of an amount, in a phase.
func topUp(name string, amount billingv1.WholeAmount, phase billingv1.TopUpPhase) *billingv1.TopUp {
	return &billingv1.TopUp{
		TypeMeta:   metav1.TypeMeta{APIVersion: billingv1.GroupVersion.String(), Kind: "TopUp"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-1", CreationTimestamp: metav1.NewTime(moment)},
		Spec:       billingv1.TopUpSpec{Amount: amount}, Status: billingv1.TopUpStatus{Phase: phase},
	}
}

func TestTopUp(t *testing.T) {
	with := func(code billingv1.CouponCode) *billingv1.TopUp {
		out := topUp("web", "50000", "")
		out.Spec.CouponCode = code
		return out
	}
	owned := topUp("web", "50000", "")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "mine", UID: "u-2"}}
	waiting := []runtime.Object{topUp("a", "50000", billingv1.TopUpAwaitingPayment), topUp("b", "50000", "")}
	cases := map[string]struct {
		reason    string
		topUp     *billingv1.TopUp
		namespace string
		there     []runtime.Object
		code      int32
		says      string
	}{
		"Good":      {"Within the bounds of the plan.", topUp("web", "50000", ""), "shop", nil, 0, ""},
		"Least":     {"The bounds are within.", topUp("web", "10000", ""), "shop", nil, 0, ""},
		"TooLittle": {"Less is refused.", topUp("web", "9999", ""), "shop", nil, http.StatusUnprocessableEntity, `spec.amount: Invalid value: "9999": must be at least 10000`},
		"TooMuch":   {"More is refused.", topUp("web", "1000001", ""), "shop", nil, http.StatusUnprocessableEntity, `must be at most 1000000`},
		"Owned":     {"Kubernetes would delete it with its owner, paid or not.", owned, "shop", nil, http.StatusForbidden, "metadata.ownerReferences"},
		"Code":      {"With a coupon.", with("GIFT-1"), "shop", nil, 0, ""},
		"NoCode":    {"With a guess.", with("NONE-1"), "shop", nil, http.StatusUnprocessableEntity, `spec.couponCode: Invalid value: "NONE-1": this code is not accepted`},
		"Pending":   {"As many wait as may.", topUp("web", "50000", ""), "shop", waiting, http.StatusForbidden, "2 TopUps"},
		"Paid":      {"What was paid does not wait.", topUp("web", "50000", ""), "shop", []runtime.Object{topUp("a", "1", billingv1.TopUpCredited), topUp("b", "1", billingv1.TopUpExpired)}, 0, ""},
		"Free":      {"There is nothing to pay for.", topUp("web", "50000", ""), "free", nil, http.StatusForbidden, "has no prices"},
		"Nobodys":   {"There is nobody to pay for.", topUp("web", "50000", ""), "default", nil, http.StatusForbidden, "belongs to no tenant"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, tc.reason, newMarket(t, tc.there...).ask("owner", "topups", tc.namespace, "", tc.topUp, nil), tc.code, "", tc.says)
		})
	}
}

// TestTopUpIsGivenNoOwner: not afterwards either; one that has an owner may keep it.
func TestTopUpIsGivenNoOwner(t *testing.T) {
	m, free, owned := newMarket(t), topUp("web", "50000", ""), topUp("web", "50000", "")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "mine", UID: "u-2"}}
	check(t, "An owner is added.", m.ask("owner", "topups", "shop", "", owned, free), http.StatusForbidden, metav1.StatusReasonForbidden, "metadata.ownerReferences")
	check(t, "It stays as it was.", m.ask("owner", "topups", "shop", "", owned, owned), 0, "")
	check(t, "It is taken away.", m.ask("owner", "topups", "shop", "", free, owned), 0, "")
}

// TestTopUpsInARow: each is a call to the payment gateway.
func TestTopUpsInARow(t *testing.T) {
	m := newMarket(t)
	for range topUpBurst {
		if err := m.ask("owner", "topups", "shop", "", topUp("web", "50000", ""), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.ask("owner", "topups", "shop", "", topUp("web", "50000", ""), nil); !apierrors.IsTooManyRequests(err) {
		t.Errorf("got %v", err)
	}
}

// TestTopUpDeletion: what was paid stays, as the ledger knows it, whatever its status says.
func TestTopUpDeletion(t *testing.T) {
	m, old := newMarket(t), topUp("web", "50000", billingv1.TopUpAwaitingPayment)
	if err := m.ask("owner", "topups", "shop", "", nil, old); err != nil {
		t.Error(err)
	}
	order, err := payment.OrderIDOf("abcdef", "u-1", moment)
	if err != nil {
		t.Fatal(err)
	}
	m.paid[order] = true
	check(t, "A payment is evidence.", m.ask("owner", "topups", "shop", "", nil, old), http.StatusForbidden, metav1.StatusReasonForbidden, "it was paid")
	if err := m.ask(Loopback, "topups", "shop", "", nil, old); err != nil {
		t.Errorf("with its tenant it goes: %v", err)
	}
	m.down = errBoom
	check(t, "Nobody knows.", m.ask("owner", "topups", "shop", "", nil, old), http.StatusServiceUnavailable, "")
}
